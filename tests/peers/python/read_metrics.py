"""Reads Prometheus' text format from files with Prometheus' own Python library.

One JSON object a sample: family, type, name, labels, value. Ends with 1 when a file is not what
the library can read, when a family comes twice, or when a histogram contradicts itself.
"""

import json
import math
import sys

from prometheus_client.parser import text_string_to_metric_families


def check_histogram(family):
    """Buckets rise, and the last is the count."""
    buckets, counts = {}, {}
    for sample in family.samples:
        labels = dict(sample.labels)
        bound = labels.pop("le", None)
        key = (tuple(sorted(labels.items())),)
        if sample.name.endswith("_bucket"):
            buckets.setdefault(key, []).append((float(bound), sample.value))
        elif sample.name.endswith("_count"):
            counts[key] = sample.value
    for key, rows in buckets.items():
        values = [value for _, value in sorted(rows)]
        if values != sorted(values):
            raise ValueError(f"{family.name} {key}: buckets fall")
        if max(rows)[0] != math.inf or values[-1] != counts[key]:
            raise ValueError(f"{family.name} {key}: the last bucket is not the count")


def main():
    for path in sys.argv[1:]:
        with open(path, encoding="utf-8") as file:
            text = file.read()
        seen = set()
        for family in text_string_to_metric_families(text):
            if family.name in seen:
                raise ValueError(f"{family.name} comes twice")
            if not family.documentation:
                raise ValueError(f"{family.name} has no help")
            seen.add(family.name)
            if family.type == "histogram":
                check_histogram(family)
            for sample in family.samples:
                line = {
                    "family": family.name,
                    "type": family.type,
                    "name": sample.name,
                    "labels": sample.labels,
                    "value": sample.value,
                }
                print(json.dumps(line))


if __name__ == "__main__":
    main()
