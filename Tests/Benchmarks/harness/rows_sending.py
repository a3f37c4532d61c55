"""Rows about sending: against curl with the same bodies."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
from functools import partial
from pathlib import Path

from harness import payloads
from harness.measuring import Line, Sample, Skipped, peak, ratio, rounds
from harness.servers import Sink
from harness.workbench import Workbench

CURL = "curl --parallel-max 16"


def submit_small(bench: Workbench) -> list[Line]:
    """Collected reports of 4 KiB to a server that reads them."""
    ours, peer = against_curl(bench, bench.scale.small, 4096)
    case = f"{bench.scale.small} of 4 KiB"
    return [ratio("submit, small", case, ours, peer, of=CURL, bound=1.5, aim=1.0)]


def submit_far(bench: Workbench) -> list[Line]:
    """Small ones to a server that is 20 ms away: the time is the round trips, and how many go at once."""
    count = bench.scale.far
    ours, peer = against_curl(bench, count, 4096, url=bench.nginx.far_url(), pairs=bench.scale.few_pairs)
    case = f"{count} of 4 KiB, 20 ms away"
    return [ratio("submit, far", case, ours, peer, of=CURL, bound=1.15, aim=1.05)]


def submit_looped(bench: Workbench) -> list[Line]:
    """Small ones beside a script that keeps most of the promise: a ledger, a commit for each, then the unlinking."""
    count = bench.scale.far
    template, bodies = bench.collected_spool(count, 4096), bench.wire_bodies(count, 4096)
    url = bench.nginx.url()
    # The standard library has the leaner client, and `requests` is what most scripts use.
    bounds = {"http.client": 0.75} | ({"requests": 0.35} if importlib.util.find_spec("requests") else {})

    def ours() -> Sample:
        return bench.submit(bench.copy(template), url, count)

    ours_samples, *loops = rounds(
        bench.scale.few_pairs, ours, *(partial(bench.sending_loop, bodies, url, library) for library in bounds)
    )
    case = f"{count} of 4 KiB"
    return [
        ratio("submit, looped", case, ours_samples, loop, of=f"Python, {library}, 16 threads", bound=bound)
        for (library, bound), loop in zip(bounds.items(), loops)
    ]


def submit_middle(bench: Workbench) -> list[Line]:
    """The same with 256 KiB."""
    ours, peer = against_curl(bench, bench.scale.middle, 256 << 10)
    case = f"{bench.scale.middle} of 256 KiB"
    return [ratio("submit, middle", case, ours, peer, of=CURL, bound=1.4, aim=1.0)]


def against_curl(
    bench: Workbench, count: int, size: int, *, url: str = "", pairs: int = 0
) -> tuple[list[Sample], list[Sample]]:
    """Both ways to send the same; to nginx on the loopback interface, and as often as the scale says, if not told."""
    url = url or bench.nginx.url()
    template, bodies = bench.collected_spool(count, size), bench.wire_bodies(count, size)

    def ours() -> Sample:
        return bench.submit(bench.copy(template), url, count)

    ours_samples, peer_samples = rounds(pairs or bench.scale.pairs, ours, lambda: bench.curl(bodies, url))
    return ours_samples, peer_samples


def submit_tls(bench: Workbench) -> list[Line]:
    """Both over TLS and HTTP/1.1, trusting an authority of the benchmark's own."""
    count = bench.scale.small
    template, bodies = bench.collected_spool(count, 4096), bench.wire_bodies(count, 4096)
    authority, url = bench.nginx.authority, bench.nginx.tls_url()
    option = authority_option(bench)
    trusting = [] if option else trusting_everywhere(bench, authority)
    options = [option, authority] if option else []

    def ours() -> Sample:
        return bench.submit(bench.copy(template), url, count, *options, inside=trusting)

    ours_samples, peer_samples = rounds(
        bench.scale.pairs, ours, lambda: bench.curl(bodies, url, "--cacert", authority)
    )
    case = f"{count} of 4 KiB over TLS"
    return [ratio("submit, TLS", case, ours_samples, peer_samples, of=CURL, bound=1.5, aim=1.0)]


def authority_option(bench: Workbench) -> str | None:
    """How the tool is told whom to trust, if it can be told."""
    told = bench.run([bench.reports, "submit", "--help"]).decode()
    found = re.search(r"(--(?:tls-)?ca(?:cert|-file|-certificates?)?)[ \n]", told)
    return found.group(1) if found else None


def trusting_everywhere(bench: Workbench, authority: Path) -> list[str | Path]:
    """A command that runs another one where the system's authorities are ours alone, and nowhere else."""
    bundle = next(
        (
            path
            for path in ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt")
            if Path(path).exists()
        ),
        None,
    )
    if bundle is None or not shutil.which("unshare"):
        raise Skipped("there is no way here to have the tool trust the benchmark's authority")
    script = bench.root / "trusting.sh"
    script.write_text(f'mount --bind "{authority}" "{bundle}" && exec "$@"\n')
    command: list[str | Path] = ["unshare", "--mount", "--map-root-user", "sh", script]
    if subprocess.run([*map(str, command), "true"], capture_output=True).returncode != 0:
        raise Skipped("this machine lets nobody mount in a namespace of their own")
    return command


def drop_and_submit(bench: Workbench) -> list[Line]:
    """Files lying in incoming/, taken, collected and delivered by one submit."""
    count = bench.scale.small
    directory, names = bench.files(count, 4096)
    template, bodies = bench.empty_spool(), bench.wire_bodies(count, 4096)

    def ours() -> Sample:
        spool = bench.copy(template)
        for name in names:
            shutil.copyfile(directory / name, spool / "incoming" / name)
        return bench.submit(spool, bench.nginx.url(), count)

    def floor_and_curl() -> Sample:
        target = bench.fresh("floor")
        target.mkdir()
        stored = bench.measurer.run([bench.peers / "floor", target, *names], cwd=directory)
        return stored + bench.curl(bodies, bench.nginx.url())

    ours_samples, peer_samples = rounds(bench.scale.pairs, ours, floor_and_curl)
    case = f"{count} of 4 KiB"
    return [ratio("drop and submit", case, ours_samples, peer_samples, of="floor + curl", bound=1.5, aim=1.2)]


def large_sent(bench: Workbench) -> list[Line]:
    """The large file's stored form to a server that reads it away."""
    size = bench.scale.large
    spool = bench.fresh("spool")
    core = bench.root / "core"
    if not core.exists():
        payloads.make_core(core, size)
    bench.run(bench.addition(spool, [core]))
    stored = next((spool / "collected").iterdir())
    body = bench.fresh("wire")
    body.write_bytes(payloads.wire_form(stored.read_bytes()))
    identifier = stored.name.split(".")[0]
    with Sink(bench.fresh("sink")) as sink:

        def ours() -> Sample:
            copy = bench.copy(spool)
            sample = bench.submit(copy, sink.url(), 1)
            bench.remove(copy)
            return sample

        ours_samples, peer_samples = rounds(
            bench.scale.pairs, ours, lambda: bench.curl([(identifier, body)], sink.url())
        )
    case = f"{body.stat().st_size >> 20} MiB on the wire"
    bench.remove(spool, body)
    return [
        ratio("large, sent", case, ours_samples, peer_samples, of="curl", bound=1.5, aim=1.1),
        peak("large, sent", ours_samples, 48),
    ]
