"""Writes a small minidump of a Linux program that crashed on x86-64, with one thread, its stack, and one module.

    minidump.py [--signal N] [--time SECONDS] [--program PATH] [--build-id HEX] [--padding BYTES] FILE

The same options give the same bytes. `--padding` adds bytes that no compressor makes smaller.
"""

import argparse
import random
import struct

MODULE, MODULE_SIZE, STACK, THREAD = 0x555555554000, 0x20000, 0x7FFFFFFDE000, 2740
HEADER_SIZE, ENTRY_SIZE = 32, 12
SYSTEM_INFO, EXCEPTION, THREADS, MODULES, PADDING = 7, 6, 3, 4, 0x7FFF0001
INSTRUCTION, STACK_POINTER = MODULE + 0x1234, STACK + 0x100


class Writer:
    """The blocks of a dump behind its directory, each at a multiple of 8."""

    def __init__(self, entry_count):
        self.blocks, self.end = [], HEADER_SIZE + ENTRY_SIZE * entry_count

    def put(self, block):
        """Appends a block; returns its size and its place."""
        padding = -self.end % 8
        self.blocks.append(bytes(padding) + block)
        self.end += padding + len(block)
        return len(block), self.end - len(block)

    def put_text(self, text):
        encoded = text.encode("utf-16-le")
        return self.put(struct.pack("<I", len(encoded)) + encoded + b"\0\0")[1]


def context():
    """CONTEXT_AMD64 with control, integer, segment and floating-point registers."""
    registers = bytearray(1232)
    struct.pack_into("<I", registers, 48, 0x0010000F)
    struct.pack_into("<HHHHHHI", registers, 56, 0x33, 0, 0, 0, 0, 0x2B, 0x10246)
    for offset, register in ((152, STACK_POINTER), (160, STACK_POINTER + 0x40), (248, INSTRUCTION)):
        struct.pack_into("<Q", registers, offset, register)
    return bytes(registers)


def stack():
    """A saved frame pointer and a return address, for those who walk the stack."""
    memory = bytearray(4096)
    struct.pack_into("<QQ", memory, 0x140, STACK + 0x200, MODULE + 0x2345)
    return bytes(memory)


def streams(chosen, writer):
    """The directory's entries: what kind of stream, its size and its place."""
    context_place, stack_place = writer.put(context()), writer.put(stack())
    build_id = writer.put(b"LEpB" + bytes.fromhex(chosen.build_id))
    name, version = writer.put_text(chosen.program), writer.put_text("6.1.0 #1 SMP x86_64")
    yield SYSTEM_INFO, writer.put(struct.pack(
        "<HHHBBIIIIIHH24s", 9, 6, 0x0101, 2, 1, 6, 1, 0, 0x8201, version, 0, 0, b"GenuineJudge".ljust(24, b"\0")))
    address = 0x10 if chosen.signal == 11 else INSTRUCTION
    yield EXCEPTION, writer.put(
        struct.pack("<IIIIQQII15Q", THREAD, 0, chosen.signal, 0, 0, address, 0, 0, *[0] * 15)
        + struct.pack("<II", *context_place))
    yield THREADS, writer.put(
        struct.pack("<IIIIIQQIIII", 1, THREAD, 0, 0, 0, 0, STACK, *stack_place, *context_place))
    file_version = struct.pack("<I", 0xFEEF04BD).ljust(52, b"\0")
    yield MODULES, writer.put(struct.pack(
        "<IQIIII52sIIII16s", 1, MODULE, MODULE_SIZE, 0, 0, name, file_version, *build_id, 0, 0, bytes(16)))
    yield PADDING, writer.put(random.Random(1).randbytes(chosen.padding))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--signal", type=int, default=11)
    parser.add_argument("--time", type=int, default=1795346000)
    parser.add_argument("--program", default="/srv/shop/bin/shopd")
    parser.add_argument("--build-id", default="f1c3bcc0279865fe3058404b2831d9e64135386c")
    parser.add_argument("--padding", type=int, default=0)
    parser.add_argument("file")
    chosen = parser.parse_args()
    writer = Writer(5)
    directory = b"".join(struct.pack("<III", kind, *place) for kind, place in streams(chosen, writer))
    header = struct.pack("<IIIIIIQ", 0x504D444D, 0xA793, 5, HEADER_SIZE, 0, chosen.time, 0)
    with open(chosen.file, "wb") as file:
        file.write(header + directory + b"".join(writer.blocks))


if __name__ == "__main__":
    main()
