"""Reads what a Bugsink has, from its database.

    bugsink_contents.py DIRECTORY events        what it has stored, one event a line, in the order of their arrival
    bugsink_contents.py DIRECTORY envelopes     what was sent to it, those without an event that was stored among them
    bugsink_contents.py DIRECTORY reset-quota   ends its 429
"""

import hashlib
import json
import sqlite3
import sys
import uuid

import envelope


def tell(line):
    print(json.dumps(line, ensure_ascii=False))


def without_dashes(identifier):
    return identifier.replace("-", "").lower()


def dashed(identifier):
    return str(uuid.UUID(identifier))


def events(database):
    for row in database.execute("SELECT * FROM events_event ORDER BY ingested_at, project_digest_order"):
        columns = ("level", "platform", "timestamp", "release", "environment", "dist", "server_name")
        tell({name: row[name] for name in columns} | {
            "event_id": without_dashes(row["event_id"]),
            "project": row["project_id"],
            "issue": without_dashes(row["issue_id"]),
            "type": row["calculated_type"],
            "value": row["calculated_value"],
            "last_function": row["last_frame_function"],
            "last_file": row["last_frame_filename"],
            "page": f"/issues/issue/{dashed(row['issue_id'])}/event/{dashed(row['id'])}/",
            "event": json.loads(row["data"]),
        })


def envelopes(database):
    for row in database.execute("SELECT * FROM ingest_envelope ORDER BY id"):
        data = bytes(row["data"])
        line = {"project": row["project_pk"], "size": len(data)}
        try:
            line["header"], items = envelope.parse(data)
        except ValueError as error:
            tell(line | {"malformed": str(error)})
            continue
        tell(line | {"items": [item(data, header, payload) for header, payload in items]})


def item(data, header, payload):
    line = {
        "header": header,
        "size": len(payload),
        "sha256": hashlib.sha256(payload).hexdigest(),
        # Whether nothing at all comes after it, not even a newline.
        "ends_envelope": data.endswith(payload),
    }
    if header.get("type") == "event":
        line["event"] = json.loads(payload)
    return line


def reset_quota(database):
    for table in ("projects_project", "phonehome_installation"):
        database.execute(f"UPDATE {table} SET quota_exceeded_until = NULL, next_quota_check = 0")
    database.commit()


def main():
    if len(sys.argv) != 3 or sys.argv[2] not in ("events", "envelopes", "reset-quota"):
        sys.exit(__doc__)
    mode = "rw" if sys.argv[2] == "reset-quota" else "ro"
    database = sqlite3.connect(f"file:{sys.argv[1]}/db.sqlite3?mode={mode}", uri=True, timeout=30)
    database.row_factory = sqlite3.Row
    {"events": events, "envelopes": envelopes, "reset-quota": reset_quota}[sys.argv[2]](database)


if __name__ == "__main__":
    main()
