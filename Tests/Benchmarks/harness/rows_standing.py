"""Rows about doing nothing much: with a large ledger, or none."""

from __future__ import annotations

import json
from pathlib import Path

from harness.ledgers import standing_spool
from harness.measuring import Failed, Line, Sample, limit, median, ratio, rounds
from harness.plots import Chart
from harness.workbench import Workbench

TEMPORARY_FAILURE = 75


def spools(bench: Workbench) -> list[tuple[int, Path]]:
    """Spools with ledgers of growing size, and how many rows each has."""
    if "standing" not in bench.cache:
        bench.cache["standing"] = [
            (count + count // 10, standing_spool(bench, count, count // 10)) for count in bench.scale.delivered
        ]
    return bench.cache["standing"]


def nothing_due(bench: Workbench) -> tuple[list[Line], list[Chart]]:
    """A submit that has nothing to do, as a timer starts it every few minutes."""
    empty = bench.empty_spool()
    url = bench.nginx.url()

    def idle(spool: Path, status: int) -> Sample:
        sample = bench.measurer.run(bench.submission(spool, url), expected=[status])
        told = json.loads(bench.measurer.output.splitlines()[-1])
        if told["delivered"] != 0 or (told["waiting"] > 0) != (status == TEMPORARY_FAILURE):
            raise Failed(f"something was due: {bench.measurer.tail()}")
        return sample

    sizes = spools(bench)
    version, nothing, *large = rounds(
        bench.scale.many_pairs,
        lambda: bench.measurer.run([bench.reports, "--version"]),
        lambda: idle(empty, 0),
        *(lambda spool=spool: idle(spool, TEMPORARY_FAILURE) for _, spool in sizes),
    )
    rows = sizes[-1][0]
    difference = median([mine.wall - theirs.wall for mine, theirs in zip(large[-1], version)]) * 1000
    lines = [
        ratio("nothing due", f"{rows} rows", large[-1], nothing, of="an empty spool", bound=1.3),
        limit("nothing due", "beyond --version", difference, "ms", 8),
    ]
    points = [(1, median_ms(nothing))] + [(size, median_ms(samples)) for (size, _), samples in zip(sizes, large)]
    return lines, [Chart("nothing-due", "submit with nothing due", "rows in the ledger", "ms", {"submit": points})]


def listing(bench: Workbench) -> tuple[list[Line], list[Chart]]:
    """The newest twenty."""
    small = standing_spool(bench, 18, 2)
    sizes = spools(bench)

    def newest(spool: Path) -> Sample:
        sample = bench.measurer.run([bench.reports, "list", "--json", "--limit", "20", "--spool", spool])
        if bench.measurer.output.count(b"\n") != 20:
            raise Failed(f"not twenty: {bench.measurer.tail()}")
        return sample

    few, *large = rounds(
        bench.scale.many_pairs,
        lambda: newest(small),
        *(lambda spool=spool: newest(spool) for _, spool in sizes),
    )
    points = [(20, median_ms(few))] + [(size, median_ms(samples)) for (size, _), samples in zip(sizes, large)]
    lines = [ratio("list", f"--limit 20 of {sizes[-1][0]} rows", large[-1], few, of="20 rows", bound=1.5)]
    return lines, [Chart("list", "list --limit 20", "rows in the ledger", "ms", {"list": points})]


def start_up(bench: Workbench) -> list[Line]:
    """The least the tool can do against the least a Swift program can do."""
    ours, hello = rounds(
        bench.scale.many_pairs,
        lambda: bench.measurer.run([bench.reports, "--version"]),
        lambda: bench.measurer.run([bench.peers / "hello"]),
    )
    return [ratio("start-up", "--version", ours, hello, of="a Swift hello", bound=2.2, aim=1.5)]


def median_ms(samples: list[Sample]) -> float:
    return median([sample.wall for sample in samples]) * 1000
