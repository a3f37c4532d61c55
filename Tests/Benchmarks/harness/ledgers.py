"""Ledgers of any size: rows cloned in a ledger that the tool itself made, so that its indexes are the real ones."""

from __future__ import annotations

import os
import random
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from harness.workbench import Workbench

DAY = 86_400_000


def standing_spool(bench: Workbench, delivered: int, waiting: int) -> Path:
    """A spool whose server has asked for patience: so many reports delivered, so many waiting for their time."""
    spool = bench.fresh("spool")
    directory, names = bench.files(1, 4096)
    bench.run(bench.addition(spool, names), cwd=directory)
    bench.run(bench.submission(spool, bench.nginx.url()))
    identifiers = fill(spool / "ledger.sqlite", delivered - 1, waiting)
    stored = random.Random(4).randbytes(1_500)
    for identifier in identifiers:
        (spool / "queued" / f"{identifier}.gz").write_bytes(stored)
    os.sync()
    return spool


def fill(ledger: Path, delivered: int, waiting: int) -> list[str]:
    """Adds rows to a ledger with one delivered row.

    Returns the identifiers of those that wait.
    """
    database = sqlite3.connect(ledger, isolation_level=None)
    database.row_factory = sqlite3.Row
    database.execute("PRAGMA synchronous=OFF")
    database.execute("PRAGMA cache_size=-200000")
    template = dict(database.execute("SELECT * FROM transfer WHERE state='delivered'").fetchone())
    attempt = dict(database.execute("SELECT * FROM attempt WHERE transfer=?", [template["id"]]).fetchone())
    # The deliveries are spread over 60 days of the ledger's own time.
    now = database.execute("SELECT ledger_ms FROM engine").fetchone()[0] + 60 * DAY
    due = now + DAY
    generator = random.Random(3)
    waiting_identifiers: list[str] = []

    def transfers() -> Iterator[dict]:
        for number in range(delivered + waiting):
            age = generator.randrange(60 * DAY)
            row = template | {
                "id": template["id"] + 1 + number,
                "identifier": f"{generator.getrandbits(256):064x}",
                "first_seen_wall": template["first_seen_wall"] - age,
                "last_seen_wall": template["last_seen_wall"] - age,
                "enrolled_at": now - age,
                "settled_at": now - age,
            }
            if number >= delivered:
                waiting_identifiers.append(row["identifier"])
                row |= {"state": "waiting", "reason": "retry-after", "due_at": due + number, "settled_at": None}
                row |= {"receipt": None, "last_status": 503, "last_error": "the server answered 503"}
            yield row

    def attempts() -> Iterator[dict]:
        for number in range(delivered + waiting):
            row = attempt | {"transfer": template["id"] + 1 + number}
            if number >= delivered:
                row |= {"status": 503, "error": "the server answered 503", "retry_after_ms": DAY}
            yield row

    database.execute("BEGIN")
    insert(database, "transfer", template, transfers())
    insert(database, "attempt", attempt, attempts())
    database.execute("UPDATE engine SET ledger_ms=?", [now])
    database.execute("UPDATE origin SET closure='asked', opens_at=?, failures=1", [due])
    database.execute("COMMIT")
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    return waiting_identifiers


def insert(database: sqlite3.Connection, table: str, template: dict, rows: Iterator[dict]) -> None:
    columns = list(template)
    values = ", ".join(f":{column}" for column in columns)
    database.executemany(f"INSERT INTO {table}({', '.join(columns)}) VALUES({values})", rows)
