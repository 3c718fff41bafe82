"""Counts what must hold of a record, with Python's own SQLite.

One JSON object: requests by state, the ids of the released ones, and how many of each thing that
must not be.
"""

import json
import sqlite3
import sys

NEVER = {
    "intents without an outcome": """
        SELECT count(*) FROM intent WHERE id NOT IN (SELECT intent FROM outcome)""",
    "released requests whose last attempt has no sealed intent": """
        SELECT count(*) FROM request WHERE state = 'released' AND NOT EXISTS (
            SELECT 1 FROM intent JOIN outcome ON outcome.intent = intent.id
            WHERE intent.request = request.id AND intent.attempt = request.attempt
                AND outcome.container_sha256 IS NOT NULL)""",
    "released requests whose last attempt has a failed intent": """
        SELECT count(*) FROM request WHERE state = 'released' AND EXISTS (
            SELECT 1 FROM intent JOIN outcome ON outcome.intent = intent.id
            WHERE intent.request = request.id AND intent.attempt = request.attempt
                AND outcome.container_sha256 IS NULL)""",
    "sealed intents of requests that were not released": """
        SELECT count(*) FROM intent JOIN outcome ON outcome.intent = intent.id
            JOIN request ON request.id = intent.request
        WHERE outcome.container_sha256 IS NOT NULL AND request.state <> 'released'""",
    "released requests without their release": """
        SELECT count(*) FROM request
        WHERE (state = 'released') <> (id IN (SELECT request FROM release))""",
}


def main():
    record = sqlite3.connect(sys.argv[1])
    states = record.execute("SELECT state, count(*) FROM request GROUP BY state")
    released = record.execute("SELECT request_id FROM request WHERE state = 'released'")
    answer = {
        "states": dict(states.fetchall()),
        "released": [row[0] for row in released],
        "never": {name: record.execute(query).fetchone()[0] for name, query in NEVER.items()},
    }
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
