/// A core dump of Apple's systems: a Mach-O file of the type `MH_CORE`, with the state of each thread in its commands.
///
/// Neither the process nor its libraries are named outside of the memory itself, so only the threads' addresses are
/// read.
enum MachOCoreFormat: BinaryFormat {
    private static let threadCommand: UInt32 = 4
    /// The most commands that are looked at.
    private static let commandCount: UInt32 = 65_536

    static func read(_ window: PayloadWindow) -> Diagnosis? {
        let isWide = window.head.starts(with: [0xcf, 0xfa, 0xed, 0xfe])
        let reader = ByteReader(window)
        guard isWide || window.head.starts(with: [0xce, 0xfa, 0xed, 0xfe]), reader.integer(UInt32.self, at: 12) == 4,
            let type = reader.integer(UInt32.self, at: 4), let subtype = reader.integer(UInt32.self, at: 8)
        else { return nil }
        var crash = Crash(cause: Crash.Cause(type: "core dump"))
        crash.system.name = "Darwin"
        crash.system.architecture = AppleNames.architecture(type: UInt64(type), subtype: UInt64(subtype))
        crash.threads = self.threads(in: reader, from: isWide ? 32 : 28)
        return Diagnosis(
            format: "macho-core", contentType: "application/x-coredump", kind: .crash,
            summary: Words.join(crash.summary(), crash.system.architecture.map { "(\($0))" }, separator: " "),
            crash: crash)
    }

    private static func threads(in reader: ByteReader, from start: Int) -> [Crash.Thread] {
        var threads: [Crash.Thread] = []
        var offset = start
        let count = min(reader.integer(UInt32.self, at: 16) ?? 0, self.commandCount)
        for _ in 0..<count {
            guard let command = reader.integer(UInt32.self, at: offset),
                let length = reader.offset(UInt32.self, at: offset + 4), length >= 8,
                threads.count < Crash.Bounds.threadCount
            else { break }
            if command == self.threadCommand {
                let address = self.instruction(in: offset + 8..<offset + length, of: reader)
                threads.append(
                    Crash.Thread(
                        number: Int64(threads.count), isCrashed: false,
                        frames: address.map { [Crash.Frame(address: $0, isOwn: false)] } ?? []))
            }
            offset += length
        }
        return threads
    }

    /// The instruction pointer in the states of a thread, each of which is a kind, a count of words, and the words.
    private static func instruction(in range: Range<Int>, of reader: ByteReader) -> UInt64? {
        let processor = reader.integer(UInt32.self, at: 4)
        var offset = range.lowerBound
        while offset < range.upperBound, let kind = reader.integer(UInt32.self, at: offset),
            let count = reader.offset(UInt32.self, at: offset + 4)
        {
            let state = offset + 8
            switch (processor, kind) {
            case (0x0100_0007, 4): return reader.integer(UInt64.self, at: state + 16 * 8)
            case (0x0100_000c, 6): return reader.integer(UInt64.self, at: state + 32 * 8)
            default: offset = state + count * 4
            }
        }
        return nil
    }
}
