"""What a run costs, and what a row of the table is made of."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Sample:
    """One run of whole processes, seen from outside."""

    wall: float  # seconds, monotonic
    cpu: float  # seconds, user and system, children included
    rss: int  # bytes, the peak of the largest process

    def __add__(self, other: Sample) -> Sample:
        """One run after the other."""
        return Sample(self.wall + other.wall, self.cpu + other.cpu, max(self.rss, other.rss))


class Failed(Exception):
    """A program of the benchmark did not do what it is measured for."""


class Skipped(Exception):
    """This machine cannot run the row; the text says why."""


class Measurer:
    """Runs commands under `measure`, which is small enough not to be seen in what it measures."""

    def __init__(self, program: Path, scratch: Path) -> None:
        self.program = program
        self.scratch = scratch
        self.output = b""

    def run(
        self,
        command: Sequence[str | Path],
        *,
        cwd: Path | None = None,
        expected: Sequence[int] = (0,),
        inside: Sequence[str | Path] = (),
        timeout: float = 1800,
    ) -> Sample:
        """Runs a command to its end.

        `inside` is a command that starts another one, and is not measured. What the command prints is left in
        `output`. Ends the benchmark when the exit status is none of the expected ones.
        """
        result = self.scratch / "measured.json"
        log = self.scratch / "measured.log"
        result.unlink(missing_ok=True)
        arguments = [*map(str, inside), str(self.program), str(result), *map(str, command)]
        # Nothing of what went before is to be paid for by this run.
        os.sync()
        with log.open("wb") as output:
            subprocess.run(
                arguments, cwd=cwd, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, timeout=timeout
            )
        self.output = log.read_bytes()
        if not result.exists():
            raise Failed(f"{command[0]}: could not be run: {self.tail()}")
        told = json.loads(result.read_text())
        if told["status"] not in expected:
            words = " ".join(map(str, command))[:300]
            raise Failed(f"ended with {told['status']}: {words}: {self.tail()}")
        return Sample(told["wall"], told["user"] + told["system"], told["rss"])

    def tail(self) -> str:
        """The end of what the last command printed."""
        return self.output[-600:].decode(errors="replace").strip()


def rounds(count: int, *runs: Callable[[], Sample]) -> list[list[Sample]]:
    """Runs each in turn, `count` times; every other round in reverse, so that none is always the one after another."""
    samples: list[list[Sample]] = [[] for _ in runs]
    for number in range(count):
        order = range(len(runs)) if number % 2 == 0 else reversed(range(len(runs)))
        for index in order:
            samples[index].append(runs[index]())
    return samples


def median(values: Sequence[float]) -> float:
    """The middle one, or the mean of the two in the middle."""
    return statistics.median(values)


@dataclass
class Line:
    """A line of the table: a value of ours, mostly against a peer's, and the bound it is held to."""

    row: str
    case: str
    unit: str  # s, ms, MiB, or empty
    ours: float
    bound: float
    aim: float | None = None
    peer_name: str = ""
    peer: float | None = None
    # What is held to the bound: the ratio where there is a peer, else the value itself.
    result: float = 0.0
    ours_samples: list[Sample] = field(default_factory=list)
    peer_samples: list[Sample] = field(default_factory=list)

    @property
    def verdict(self) -> str:
        """In words."""
        if self.result > self.bound:
            return "ABOVE"
        if self.aim is not None and self.result > self.aim:
            return "bound"
        return "aim" if self.aim is not None else "ok"

    def as_json(self) -> dict:
        """All of it, with every sample."""
        return asdict(self) | {"verdict": self.verdict}


def ratio(
    row: str,
    case: str,
    ours: Sequence[Sample],
    peer: Sequence[Sample],
    *,
    of: str,
    bound: float,
    aim: float | None = None,
    quantity: str = "wall",
    share: float = 1.0,
) -> Line:
    """Ours over the peer's: the median of the rounds' ratios, since both of a round met the same machine.

    `share` divides the peer's work when it did a part of ours only, as a tenth of the reports.
    """
    mine = [getattr(sample, quantity) for sample in ours]
    theirs = [getattr(sample, quantity) * share for sample in peer]
    scale, unit = (1 / (1 << 20), "MiB") if quantity == "rss" else (1.0, "s")
    if unit == "s" and median(mine) < 0.1:
        scale, unit = 1000.0, "ms"
    return Line(
        row,
        case,
        unit,
        median(mine) * scale,
        bound,
        aim,
        of,
        median(theirs) * scale,
        median([a / b for a, b in zip(mine, theirs)]),
        list(ours),
        list(peer),
    )


def limit(row: str, case: str, value: float, unit: str, bound: float, aim: float | None = None) -> Line:
    """A value that has a bound of its own."""
    return Line(row, case, unit, value, bound, aim, result=value)


def peak(row: str, samples: Sequence[Sample], mebibytes: float) -> Line:
    """Resident memory against a bound in MiB."""
    return limit(row, "peak memory", median([sample.rss for sample in samples]) / (1 << 20), "MiB", mebibytes)


def say(text: str) -> None:
    """Progress, for people: the table alone goes to standard output."""
    print(text, file=sys.stderr, flush=True)
