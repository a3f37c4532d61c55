"""Rows about taking reports in: against the shell, against a floor, against bare system calls."""

from __future__ import annotations

import json
import zlib
from pathlib import Path

from harness import payloads
from harness.measuring import Failed, Line, Sample, limit, median, peak, ratio, rounds
from harness.workbench import Workbench

# What a careful person would write.
LOOP = 'for f in "$@"; do gzip -6 <"$f" >"$TARGET/$f.tmp" && sync "$TARGET/$f.tmp" && mv "$TARGET/$f.tmp" "$TARGET/$f.gz"; done'


def add(bench: Workbench) -> list[Line]:
    """Many small files, durable when the command returns."""
    count = bench.scale.small
    directory, names = bench.files(count, 4096)

    def ours() -> Sample:
        spool = bench.fresh("spool")
        sample = bench.measurer.run(bench.addition(spool, names), cwd=directory)
        if bench.measurer.output.count(b"\n") != count:
            raise Failed(f"not all were added: {bench.measurer.tail()}")
        return sample

    def into_directory(names: list[str], *command: str | Path) -> Sample:
        target = bench.fresh("target")
        target.mkdir()
        words = [str(target) if word == "TARGET" else word for word in command]
        return bench.measurer.run([*words, *names], cwd=directory)

    ours_samples, loop, floor = rounds(
        bench.scale.pairs,
        ours,
        # A fifth of the files, counted five times: the loop costs the same for each, and minutes for all.
        lambda: into_directory(names[: count // 5], "sh", "-c", f"TARGET=$0\n{LOOP}", "TARGET"),
        lambda: into_directory(names, bench.peers / "floor", "TARGET"),
    )
    case = f"{count} of 4 KiB"
    return [
        ratio("add", case, ours_samples, loop, of="gzip, sync, mv", bound=0.1, share=5),
        ratio("add", case, ours_samples, floor, of="floor", bound=1.5, aim=1.2),
    ]


def large(bench: Workbench) -> list[Line]:
    """A file like a core of 1 GiB: zeros, text and noise."""
    core = bench.root / "core"
    if not core.exists():
        payloads.make_core(core, bench.scale.large)
    checked: list[bool] = []

    def ours() -> Sample:
        spool = bench.fresh("spool")
        sample = bench.measurer.run(bench.addition(spool, [core]))
        if not checked:
            check_member(next((spool / "collected").iterdir()), core)
            checked.append(True)
        bench.remove(spool)
        return sample

    def shell(program: str) -> Sample:
        target = bench.fresh("target")
        sample = bench.measurer.run(["sh", "-c", f'{program} -6 <"$0" >"$1" && sync "$1"', core, target])
        bench.remove(target)
        return sample

    ours_samples, gzip, pigz = rounds(bench.scale.pairs, ours, lambda: shell("gzip"), lambda: shell("pigz"))
    case = f"{bench.scale.large >> 20} MiB core"
    return [
        ratio("large", case, ours_samples, gzip, of="gzip -6, sync", bound=0.65),
        ratio("large", case, ours_samples, pigz, of="pigz -6, sync", bound=1.2, aim=1.0),
        peak("large", ours_samples, 64),
    ]


def check_member(stored: Path, original: Path) -> None:
    """The stored file is one ordinary gzip member, and holds the original."""
    inflater = zlib.decompressobj(wbits=31)
    with stored.open("rb") as member, original.open("rb") as expected:
        while chunk := member.read(1 << 20):
            while chunk:
                plain = inflater.decompress(chunk, 4 << 20)
                if plain != expected.read(len(plain)):
                    raise Failed("the stored member does not hold what was added")
                if inflater.eof:
                    break
                chunk = inflater.unconsumed_tail
            if inflater.eof:
                break
        if not inflater.eof or inflater.unused_data or member.read(1) or expected.read(1):
            raise Failed("the stored file is not one gzip member with all of the original")


def collect(bench: Workbench) -> list[Line]:
    """`Reporter.collect` in a program, one report at a time, beside bare system calls with the same bytes."""
    root = bench.fresh("collect")
    root.mkdir()
    command = [bench.programs / "CollectBenchmark", root, str(bench.scale.collects), "4096"]
    sample = bench.measurer.run(command)
    told = json.loads(bench.measurer.output)
    ours, bare = sorted(told["collect_ns"]), sorted(told["bare_ns"])
    place = max(0, -(-len(ours) * 99 // 100) - 1)
    lines = []
    for name, mine, peer, bound in [
        ("median", median(ours), median(bare), 1.3),
        ("p99", ours[place], bare[place], 2.0),
    ]:
        line = limit("collect, in process", f"{name} of {len(ours)}", mine / 1e6, "ms", bound)
        line.peer_name, line.peer, line.result = "write, fsync, rename, fsync", peer / 1e6, mine / peer
        line.ours_samples = [sample]
        lines.append(line)
    return lines
