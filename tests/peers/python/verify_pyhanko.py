"""Validates every signature of PDFs with pyHanko and prints one JSON object a file.

    verify_pyhanko.py FILE … --trust ROOT.pem [--trust …] [--other CERT.pem …]
                      [--at 2026-11-22T08:00:00+00:00] [--once-a-signature]

With --once-a-signature fields that share a value get the report of the first of them: pyHanko
compares the revisions for each field, and on 600 fields that takes minutes.

Each object is {"file": …, "signatures": [...]}, oldest signature first, or {"file": …,
"error": …} when pyHanko cannot read the file. Each signature has:

  field        fully qualified field name
  sub_filter   as in the signature dictionary, without the slash
  understood   whether pyHanko knows the container and its algorithms; it knows no SM2
  intact       the digest over /ByteRange is the signed one       (only if understood)
  valid        the signature value is right                       (only if understood)
  trusted      the chain ends at one of the trust roots           (only if understood)
  bottom_line  pyHanko's own verdict                              (only if understood)
  coverage     ENTIRE_FILE, ENTIRE_REVISION, …                    (only if a CMS)
  modification NONE, LTA_UPDATES, FORM_FILLING, ANNOTATIONS, OTHER: what the difference
               analysis found between the signed revision and the end of the file; made
               for every signature, understood or not
  docmdp_ok    whether the found changes are permitted; null if nothing followed
  suspicious   text of the objection, if the analysis gave up
  error        text of an exception, if there was one
"""

import argparse
import datetime
import json
import logging
import sys

from asn1crypto import pem, x509
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.diff_analysis import (
    DEFAULT_DIFF_POLICY,
    ModificationLevel,
    SuspiciousModification,
)
from pyhanko.sign.fields import enumerate_sig_fields
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
from pyhanko_certvalidator import ValidationContext


def certificates(path):
    with open(path, "rb") as handle:
        data = handle.read()
    if pem.detect(data):
        return [x509.Certificate.load(der) for _, _, der in pem.unarmor(data, multiple=True)]
    return [x509.Certificate.load(data)]


def changes_after(reader, revision):
    """What the difference analysis says about all that follows a revision."""
    if revision == reader.xrefs.total_revisions - 1:
        return {"modification": "NONE", "docmdp_ok": None, "suspicious": None}
    # An approval signature, not a certification: no /Perms limit what may follow.
    result = DEFAULT_DIFF_POLICY.review_file(reader, revision, field_mdp_spec=None, doc_mdp=None)
    if isinstance(result, SuspiciousModification):
        return {"modification": "OTHER", "docmdp_ok": False, "suspicious": str(result)}
    level = result.modification_level
    return {
        "modification": level.name,
        "docmdp_ok": level <= ModificationLevel.ANNOTATIONS,
        "suspicious": None,
    }


def validate(reader, name, value_reference, field, context):
    report = {"field": name, "understood": False}
    try:
        sub_filter = value_reference.get_object().raw_get("/SubFilter")
        report["sub_filter"] = str(sub_filter)[1:]
    except KeyError:
        report["sub_filter"] = None
    revision = reader.xrefs.get_last_change(value_reference.reference)
    report["signed_revision"] = revision
    try:
        report.update(changes_after(reader, revision))
    except Exception as error:  # the peer's own failure is part of the report
        report["error"] = f"difference analysis: {type(error).__name__}: {error}"
    try:
        signature = EmbeddedPdfSignature(reader, field, name)
        report["coverage"] = signature.evaluate_signature_coverage().name
        report["digest_algorithm"] = signature.md_algorithm
    except Exception as error:
        report.setdefault("error", f"container: {type(error).__name__}: {error}")
        return report
    try:
        status = validate_pdf_signature(signature, context)
    except Exception as error:
        report.setdefault("error", f"validation: {type(error).__name__}: {error}")
        return report
    report.update(
        understood=True,
        intact=status.intact,
        valid=status.valid,
        trusted=status.trusted,
        bottom_line=status.bottom_line,
        summary=status.summary(),
        signer=status.signing_cert.subject.human_friendly,
        trust_problem=str(status.trust_problem_indic or "") or None,
        coverage=status.coverage.name,
        docmdp_ok=status.docmdp_ok,
    )
    if isinstance(status.diff_result, SuspiciousModification):
        report["suspicious"] = str(status.diff_result)
        report["modification"] = "OTHER"
    elif status.diff_result is not None:
        report["modification"] = status.diff_result.modification_level.name
    return report


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("files", nargs="+")
    parser.add_argument("--trust", action="append", default=[])
    parser.add_argument("--other", action="append", default=[])
    parser.add_argument("--at")
    parser.add_argument("--once-a-signature", action="store_true")
    arguments = parser.parse_args()
    logging.disable(logging.CRITICAL)

    moment = datetime.datetime.fromisoformat(arguments.at) if arguments.at else None
    context = ValidationContext(
        trust_roots=[c for path in arguments.trust for c in certificates(path)],
        other_certs=[c for path in arguments.other for c in certificates(path)],
        moment=moment,
        allow_fetching=False,
    )
    for path in arguments.files:
        report = {"file": path}
        try:
            report["signatures"] = signatures(path, context, arguments.once_a_signature)
        except Exception as error:  # an unreadable file is an answer, too
            report["error"] = f"{type(error).__name__}: {error}"
        json.dump(report, sys.stdout, ensure_ascii=False)
        print()


def signatures(path, context, once):
    with open(path, "rb") as handle:
        reader = PdfFileReader(handle)
        if reader.xrefs.hybrid_xrefs_present:
            # In strict mode pyHanko judges no hybrid-reference file.
            reader = PdfFileReader(handle, strict=False)
        found = []
        known = {}
        for name, _, field in enumerate_sig_fields(reader, filled_status=True):
            value_reference = field.get_object().raw_get("/V")
            value = value_reference.reference
            if not once or value not in known:
                known[value] = validate(reader, name, value_reference, field, context)
            found.append({**known[value], "field": name})
    return sorted(found, key=lambda report: report["signed_revision"])


if __name__ == "__main__":
    main()
