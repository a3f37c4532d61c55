"""Where the benchmark works: a temporary directory, the programs, and spools to try them on."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness import payloads
from harness.measuring import Failed, Measurer, Sample
from harness.servers import Nginx

SOURCES = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Scale:
    """How much work there is; the short form only proves that everything runs."""

    pairs: int = 5
    many_pairs: int = 40  # for what takes milliseconds
    small: int = 5_000
    few_pairs: int = 3  # for what takes seconds and differs little
    far: int = 1_500
    middle: int = 500
    large: int = 1 << 30
    delivered: tuple[int, ...] = (10_000, 100_000, 1_000_000)  # with a tenth as many waiting
    collects: int = 2_000
    growth: tuple[int, ...] = (1_000, 10_000, 100_000)
    memory: tuple[int, int] = (100, 100_000)
    clients: int = 100_000

    @staticmethod
    def short() -> Scale:
        """Seconds instead of most of an hour, and no figure that means anything."""
        return Scale(
            pairs=1,
            many_pairs=2,
            few_pairs=1,
            small=150,
            far=50,
            middle=8,
            large=4 << 20,
            delivered=(200, 2_000),
            collects=50,
            growth=(50, 200),
            memory=(20, 200),
            clients=2_000,
        )


class Workbench:
    """Programs, scratch space and one nginx for all rows."""

    def __init__(self, root: Path, programs: Path, scale: Scale) -> None:
        self.root = root
        self.programs = programs
        self.scale = scale
        self.reports = programs / "reports"
        self.peers = root / "peers"
        self.peers.mkdir()
        self.compile_peers()
        self.measurer = Measurer(self.peers / "measure", root)
        self.nginx = Nginx(root / "nginx")
        # Nobody's settings are to be measured.
        os.environ["XDG_STATE_HOME"] = str(root / "state")
        for name in ("REPORTS_SPOOL", "REPORTS_ENDPOINT", "http_proxy", "https_proxy", "no_proxy"):
            os.environ.pop(name, None)
        self._payloads: dict[tuple[int, int], tuple[Path, list[str]]] = {}
        self._number = 0
        self.cache: dict[str, object] = {}

    def compile_peers(self) -> None:
        """The programs that we are measured with and against."""
        sources = SOURCES / "Peers"
        compiler = shutil.which("cc") or shutil.which("clang") or "cc"
        for name, libraries in [("measure", []), ("floor", ["-lz", "-lcrypto"])]:
            command = [compiler, "-O2", "-o", self.peers / name, sources / f"{name}.c", *libraries]
            subprocess.run(list(map(str, command)), check=True)
        subprocess.run(
            ["swiftc", "-O", "-static-stdlib", "-o", str(self.peers / "hello"), str(sources / "hello.swift")],
            check=True,
            cwd=self.peers,
        )

    # Scratch space

    def fresh(self, name: str) -> Path:
        """A path that nothing has yet.

        What a round has made is left there until the end of the benchmark, unless it is large: where an ext4 without a
        journal has removed thousands of files, making new ones is many times as dear for the next minutes.
        """
        self._number += 1
        return self.root / f"{name}.{self._number}"

    def remove(self, *paths: Path) -> None:
        """Removes a few large files, before the next round is measured."""
        for path in paths:
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)

    def files(self, count: int, size: int) -> tuple[Path, list[str]]:
        """Reports to hand in, made once; the names are relative to the directory."""
        if (count, size) not in self._payloads:
            directory = self.fresh("payloads")
            self._payloads[count, size] = (directory, payloads.make_reports(directory, count, size))
        return self._payloads[count, size]

    # Spools

    def run(self, command: Sequence[str | Path], cwd: Path | None = None, expected: Sequence[int] = (0,)) -> bytes:
        """Runs a command that is not measured."""
        done = subprocess.run(list(map(str, command)), cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True)
        if done.returncode not in expected:
            told = (done.stderr or done.stdout)[-600:].decode(errors="replace")
            raise Failed(f"{command[0]} {command[1]} ended with {done.returncode}: {told}")
        return done.stdout

    def empty_spool(self) -> Path:
        """A spool as the tool leaves it when there was nothing to do."""
        spool = self.fresh("spool")
        self.run(self.submission(spool, self.nginx.url()))
        return spool

    def collected_spool(self, count: int, size: int) -> Path:
        """A spool with reports that wait to be taken up, made once; to be copied, not used."""
        key = f"collected {count} {size}"
        if key not in self.cache:
            directory, names = self.files(count, size)
            spool = self.fresh("spool")
            self.run(self.addition(spool, names), cwd=directory)
            self.cache[key] = spool
        return self.cache[key]

    def copy(self, spool: Path) -> Path:
        """The same spool, for one round."""
        copy = self.fresh("spool")
        self.run(["cp", "-a", spool, copy])
        return copy

    def wire_bodies(self, count: int, size: int) -> list[tuple[str, Path]]:
        """Id and file of what would be sent of the collected reports."""
        key = f"wire {count} {size}"
        if key not in self.cache:
            directory = self.fresh("wire")
            directory.mkdir()
            bodies = []
            for entry in sorted((self.collected_spool(count, size) / "collected").iterdir()):
                identifier = entry.name.split(".")[0]
                body = directory / identifier
                body.write_bytes(payloads.wire_form(entry.read_bytes()))
                bodies.append((identifier, body))
            self.cache[key] = bodies
        return self.cache[key]

    # Commands

    def addition(self, spool: Path, names: Sequence[str | Path]) -> list[str | Path]:
        return [self.reports, "add", "--json", "--spool", spool, *names]

    def submission(self, spool: Path, url: str) -> list[str | Path]:
        return [self.reports, "submit", "--json", "--spool", spool, "--endpoint", url]

    def submit(
        self, spool: Path, url: str, count: int, *options: str | Path, inside: Sequence[str | Path] = ()
    ) -> Sample:
        """Measures a submit that is to deliver so many reports."""
        sample = self.measurer.run([*self.submission(spool, url), *options], inside=inside)
        told = json.loads(self.measurer.output.splitlines()[-1])
        if told["delivered"] != count:
            raise Failed(f"delivered {told['delivered']} of {count}: {self.measurer.tail()}")
        return sample

    def sending_loop(self, bodies: Sequence[tuple[str, Path]], url: str, library: str) -> Sample:
        """Measures a script as a user would write it: 16 threads, a ledger, each file unlinked once it is delivered."""
        directory = self.fresh("loop")
        (directory / "queued").mkdir(parents=True)
        for identifier, body in bodies:
            shutil.copyfile(body, directory / "queued" / identifier)
        script = SOURCES / "Peers" / "sending_loop.py"
        sample = self.measurer.run([sys.executable, script, directory, url, library])
        left = sum(1 for _ in (directory / "queued").iterdir())
        if left:
            raise Failed(f"the loop left {left} of {len(bodies)}: {self.measurer.tail()}")
        return sample

    def curl(self, bodies: Sequence[tuple[str, Path]], url: str, *options: str | Path) -> Sample:
        """Measures what a user would type to send the same bodies: 16 at a time, no ledger, no second try."""
        configuration = self.root / "curl.conf"
        lines = []
        for identifier, body in bodies:
            lines.append(f'url = "{url.replace("{id}", identifier)}"\nupload-file = "{body}"\n')
        configuration.write_text("".join(lines))
        return self.measurer.run(
            [
                *("curl", "--config", configuration, "--parallel", "--parallel-max", "16", "--fail"),
                *("--no-progress-meter", "--show-error", "--http1.1"),
                *("-H", "Content-Type: application/json", "-H", "Content-Encoding: gzip", "-H", "Expect:"),
                *options,
            ]
        )
