"""The table, as text and as JSON."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from pathlib import Path

from harness.measuring import Line, Sample, median

HEADINGS = [
    "row",
    "work",
    "ours",
    "peer",
    "against",
    "ratio",
    "bound (aim)",
    "MiB",
    "MiB peer",
    "CPU s",
    "CPU s peer",
    "",
]


def table(lines: Sequence[Line], skipped: Sequence[tuple[str, str]]) -> str:
    """One line per comparison, in columns."""
    cells = [HEADINGS, *map(columns, lines)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(HEADINGS))]
    texts = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in cells]
    texts.insert(1, "  ".join("-" * width for width in widths))
    texts += [f"skipped: {row}: {why}" for row, why in skipped]
    return "\n".join(texts)


def columns(line: Line) -> list[str]:
    aim = f" ({line.aim:g})" if line.aim is not None else ""
    is_ratio = line.peer is not None
    return [
        line.row,
        line.case,
        f"{line.ours:.4g} {line.unit}".strip(),
        f"{line.peer:.4g} {line.unit}" if is_ratio else "",
        line.peer_name,
        f"{line.result:.3f}" if is_ratio else "",
        f"<= {line.bound:g}{aim}" + ("" if is_ratio else f" {line.unit}"),
        memory(line.ours_samples),
        memory(line.peer_samples),
        cpu(line.ours_samples),
        cpu(line.peer_samples),
        line.verdict,
    ]


def memory(samples: Sequence[Sample]) -> str:
    return f"{median([sample.rss for sample in samples]) / (1 << 20):.1f}" if samples else ""


def cpu(samples: Sequence[Sample]) -> str:
    return f"{median([sample.cpu for sample in samples]):.3f}" if samples else ""


def write_json(path: Path, lines: Sequence[Line], skipped: Sequence[tuple[str, str]], load: list[float]) -> None:
    """All lines with every sample, and where they were measured."""
    document = {
        "machine": {
            "processor": processor(),
            "cores": os.cpu_count(),
            "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
            "system": platform.platform(),
            # Other work on the machine, before and after: both sides of a ratio met it, single values did not.
            "load_before": load[0],
            "load_after": os.getloadavg()[0],
        },
        "lines": [line.as_json() for line in lines],
        "skipped": [{"row": row, "reason": reason} for row, reason in skipped],
    }
    path.write_text(json.dumps(document, indent=1) + "\n")


def processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
