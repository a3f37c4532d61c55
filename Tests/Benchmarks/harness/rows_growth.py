"""Rows about scale: what a report costs when there are many, and how much memory many take."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from harness.measuring import Failed, Line, Sample, median, ratio, say
from harness.plots import Chart
from harness.workbench import Workbench

OPERATIONS = ("add", "submit", "list")


def costs(bench: Workbench, counts: tuple[int, ...]) -> dict[tuple[str, int], list[Sample]]:
    """What each operation costs with so many reports, from `add` to `list`; measured once for both rows."""
    known: dict[tuple[str, int], list[Sample]] = bench.cache.setdefault("growth", defaultdict(list))
    missing = [count for count in counts if ("add", count) not in known]
    spools: list[tuple[int, Path]] = []
    # All of one kind before the next, because `submit` removes files, which may make it dear to add new ones.
    for _ in range(bench.scale.pairs):
        for count in missing:
            directory, names = bench.files(count, 4096)
            spools.append((count, bench.fresh("spool")))
            known["add", count].append(bench.measurer.run(bench.addition(spools[-1][1], names), cwd=directory))
    say(f"  {len(spools)} spools filled")
    for count, spool in spools:
        known["submit", count].append(bench.submit(spool, bench.nginx.url(), count))
    say(f"  {len(spools)} spools emptied")
    for count, spool in spools:
        known["list", count].append(bench.measurer.run([bench.reports, "list", "--json", "--spool", spool]))
        if bench.measurer.output.count(b"\n") != count:
            raise Failed(f"list does not show {count} reports")
    return known


def growth(bench: Workbench) -> tuple[list[Line], list[Chart]]:
    """Cost per report against that of the smallest number."""
    counts = bench.scale.growth
    known = costs(bench, counts)
    lines = []
    curves: dict[str, list[tuple[float, float]]] = {}
    for operation in OPERATIONS:
        base = known[operation, counts[0]]
        curves[operation] = [
            (count, median([sample.wall for sample in known[operation, count]]) / count * 1e6) for count in counts
        ]
        for count in counts[1:]:
            line = ratio(
                "growth",
                f"{operation}, {count} reports",
                known[operation, count],
                base,
                of=f"{count // counts[0]} x {counts[0]}",
                bound=1.3,
                aim=1.1,
                share=count / counts[0],
            )
            lines.append(line)
    return lines, [Chart("growth", "cost of one report", "reports", "microseconds", curves)]


def memory(bench: Workbench) -> tuple[list[Line], list[Chart]]:
    """Resident memory of `submit`."""
    few, many = bench.scale.memory
    known = costs(bench, (few, many))
    line = ratio(
        "memory",
        f"submit of {many}",
        known["submit", many],
        known["submit", few],
        of=f"submit of {few}",
        bound=1.5,
        quantity="rss",
    )
    points = sorted(
        (count, median([sample.rss for sample in samples]) / (1 << 20))
        for (operation, count), samples in known.items()
        if operation == "submit"
    )
    return [line], [Chart("memory", "resident memory of submit", "reports queued", "MiB", {"submit": points})]
