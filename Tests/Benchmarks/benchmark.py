"""Runs the rows of the benchmark and tells what they came to; started by run.sh."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

from harness import filesystems, rows_fleet, rows_growth, rows_sending, rows_standing, rows_taking
from harness.measuring import Failed, Line, Skipped, say
from harness.plots import Chart
from harness.table import table, write_json
from harness.workbench import Scale, Workbench

# Those that make files come before those that remove them; see Workbench.fresh.
ROWS = {
    "start-up": rows_standing.start_up,
    "add": rows_taking.add,
    "collect": rows_taking.collect,
    "large": rows_taking.large,
    "submit-small": rows_sending.submit_small,
    "submit-far": rows_sending.submit_far,
    "submit-looped": rows_sending.submit_looped,
    "submit-middle": rows_sending.submit_middle,
    "submit-tls": rows_sending.submit_tls,
    "drop-and-submit": rows_sending.drop_and_submit,
    "large-sent": rows_sending.large_sent,
    "nothing-due": rows_standing.nothing_due,
    "list": rows_standing.listing,
    "growth": rows_growth.growth,
    "memory": rows_growth.memory,
    "fleet": rows_fleet.fleet,
}


def main() -> int:
    options = parsed_options()
    # Ended by a signal, the servers and the temporary directory go, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    options.output.mkdir(parents=True, exist_ok=True)
    root = Path(tempfile.mkdtemp(prefix="reports-benchmark.", dir=options.scratch))
    try:
        return run(options, root)
    except Failed as failure:
        say(f"benchmark: {failure}")
        return 1
    finally:
        shutil.rmtree(root, ignore_errors=True)


def parsed_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="run.sh", description="Measures Reports against what a user would pick instead.")
    parser.add_argument("--short", action="store_true", help="little of everything: shows that it runs, no figures")
    parser.add_argument("--rows", default=",".join(ROWS), help=f"some of: {', '.join(ROWS)}")
    parser.add_argument("--pairs", type=int, help="rounds of each comparison; 5, or 3, and 40 of what takes milliseconds")
    parser.add_argument("--output", type=Path, required=True, help="where table, JSON and plots go")
    parser.add_argument("--programs", type=Path, required=True, help="where the built programs are")
    parser.add_argument("--scratch", type=Path, help="where to work; must be on the kind of disk that spools are on")
    options = parser.parse_args()
    wanted = [row for row in options.rows.split(",") if row]
    for row in wanted:
        if row not in ROWS:
            parser.error(f"--rows {row}: rows are {', '.join(ROWS)}")
    options.rows = [row for row in ROWS if row in wanted]
    options.programs = options.programs.resolve()
    options.output = options.output.resolve()
    return options


def run(options: argparse.Namespace, root: Path) -> int:
    scale = Scale.short() if options.short else Scale()
    if options.pairs:
        scale = Scale(**(vars(scale) | {"pairs": options.pairs, "few_pairs": options.pairs}))
    lines: list[Line] = []
    charts: list[Chart] = []
    skipped: list[tuple[str, str]] = []
    load = list(os.getloadavg())
    if filesystems.forgets_slowly(root):
        say("benchmark: ext4 without a journal: wait six minutes after another run, or rows that make files mean nothing")
    bench = Workbench(root, options.programs, scale)
    with bench.nginx:
        for row in options.rows:
            start = time.monotonic()
            try:
                result = ROWS[row](bench)
            except Skipped as reason:
                skipped.append((row, str(reason)))
                continue
            found, drawn = result if isinstance(result, tuple) else (result, [])
            lines += found
            charts += drawn
            say(f"{row}: {time.monotonic() - start:.0f} s")
    text = table(lines, skipped)
    print(text)
    (options.output / "benchmark.txt").write_text(text + "\n")
    write_json(options.output / "benchmark.json", lines, skipped, load)
    for chart in charts:
        chart.write(options.output)
    say(f"written to {options.output}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
