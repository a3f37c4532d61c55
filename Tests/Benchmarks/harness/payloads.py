"""What is reported: made from a seed, so that every run has the same bytes."""

from __future__ import annotations

import json
import random
import struct
from pathlib import Path

WORDS = (
    "order basket payment retry socket closed while reading header session token cache miss worker pool queue drained "
    "timeout after connect resolve shutdown signal handler memory page fault index range buffer frame thread actor task"
).split()


def report(generator: random.Random, size: int) -> bytes:
    """A JSON crash report of exactly so many bytes, unlike any other."""
    document = {
        "incident": f"{generator.getrandbits(128):032x}",
        "process": generator.choice(WORDS),
        "pid": generator.randrange(100, 4_000_000),
        "signal": generator.choice(["SIGSEGV", "SIGILL", "SIGABRT", "SIGBUS"]),
        "frames": [],
        "log": "",
    }
    frames = []
    text = json.dumps(document)
    # Two thirds backtrace, one third log, as such reports are.
    while len(text) + 120 * len(frames) < size * 2 // 3:
        frames.append(
            {
                "address": f"0x{generator.randrange(1 << 47):012x}",
                "symbol": "_".join(generator.choices(WORDS, k=3)),
                "image": f"lib{generator.choice(WORDS)}.so.{generator.randrange(9)}",
                "offset": generator.randrange(4096),
            }
        )
    document["frames"] = frames
    rest = size - len(json.dumps(document))
    while rest < 0:
        rest += len(json.dumps(frames.pop())) + 2
        rest = size - len(json.dumps(document))
    words: list[str] = []
    length = 0
    while length < rest:
        word = generator.choice(WORDS) if generator.random() < 0.8 else f"{generator.getrandbits(32):08x}"
        words.append(word)
        length += len(word) + 1
    document["log"] = " ".join(words)[:rest].ljust(rest)
    return json.dumps(document).encode()


def make_reports(directory: Path, count: int, size: int, seed: int = 1) -> list[str]:
    """Files with short names, so that a hundred thousand of them fit one command line."""
    directory.mkdir(parents=True)
    generator = random.Random(seed)
    names = [f"{number:x}" for number in range(count)]
    # The frames and the log of large numbers of reports are drawn from a few; the incident makes each unlike the others.
    patterns = [report(generator, size) for _ in range(min(count, 1000))]
    for number, name in enumerate(names):
        bytes_ = patterns[number % len(patterns)]
        if number >= len(patterns):
            bytes_ = bytes_.replace(bytes_[14:46], f"{generator.getrandbits(128):032x}".encode(), 1)
        (directory / name).write_bytes(bytes_)
    return names


def make_core(path: Path, size: int, seed: int = 2) -> None:
    """A file like a core: an ELF header, then stretches of zeros (half of it), of text and of noise."""
    generator = random.Random(seed)
    pool = report(generator, min(2 << 20, max(size, 1 << 16)))
    identification = b"\x7fELF" + bytes([2, 1, 1, 0]) + bytes(8)
    # A core (4) for x86-64 (62), without segments.
    header = identification + struct.pack("<HHIQQQIHHHHHH", 4, 62, 1, 0, 64, 0, 0, 64, 56, 0, 0, 0, 0)
    with path.open("wb") as file:
        file.write(header)
        left = size - len(header)
        while left > 0:
            length = min(left, generator.randrange(64 << 10, 4 << 20))
            kind = generator.choices(["zeros", "text", "noise"], weights=[50, 30, 20])[0]
            if kind == "zeros":
                file.write(bytes(length))
            elif kind == "noise":
                file.write(generator.randbytes(length))
            else:
                start = generator.randrange(len(pool))
                stretch = (pool[start:] + pool[:start]) * (length // len(pool) + 1)
                file.write(stretch[:length])
            left -= length


WIRE_HEADER = bytes.fromhex("1f8b08000000000000ff")


def wire_form(stored: bytes) -> bytes:
    """What is sent of a stored report: its local header gone, the deflate stream and the trailer as they are."""
    flags = stored[3]
    offset = 10
    if flags & 4:
        offset += 2 + int.from_bytes(stored[offset : offset + 2], "little")
    if flags & 8:
        offset = stored.index(0, offset) + 1
    return WIRE_HEADER + stored[offset:]
