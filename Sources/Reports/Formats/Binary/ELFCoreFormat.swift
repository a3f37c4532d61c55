/// A core dump as the Linux kernel writes it: signal, process and arguments are in its notes.
enum ELFCoreFormat {
    /// What the notes tell.
    private struct Notes {
        var signal: Int?
        var process: String?
        var arguments: String?
    }

    static func recognize(_ head: PayloadHead) -> Recognition? {
        // "Wide" is a dump of a 64-bit process.
        guard head.bytes.starts(with: [0x7f, 0x45, 0x4c, 0x46]), head.bytes.count > 16 else { return nil }
        let reader = ByteReader(bytes: head.bytes, isBigEndian: head.bytes[5] == 2)
        guard reader.integer(UInt16.self, at: 16) == 4 else { return nil }
        let notes = self.notes(in: reader, isWide: head.bytes[4] == 2)
        let summary = SummaryLine.join(
            notes.signal.map(SignalName.linux), notes.process, notes.arguments.map { "args: \($0)" }, separator: ", ")
        return Recognition(
            format: "elf-core", contentType: "application/x-coredump", kind: .crash,
            summary: summary.nonEmpty ?? "core dump")
    }

    private static func notes(in reader: ByteReader, isWide: Bool) -> Notes {
        guard let segment = self.noteSegment(in: reader, isWide: isWide) else { return Notes() }
        var notes = Notes()
        var offset = segment.lowerBound
        while offset < segment.upperBound,
            let nameLength = reader.offset(UInt32.self, at: offset),
            let length = reader.offset(UInt32.self, at: offset + 4),
            let type = reader.integer(UInt32.self, at: offset + 8)
        {
            let owner = reader.text(at: offset + 12, byteCount: nameLength)
            let content = offset + 12 + self.padded(nameLength)
            if owner == "CORE" {
                self.read(type, at: content, byteCount: length, from: reader, isWide: isWide, into: &notes)
            }
            offset = content + self.padded(length)
        }
        return notes
    }

    /// Where the notes are. Only the first segment of them counts: the kernel writes one, and a hostile file any
    /// number.
    private static func noteSegment(in reader: ByteReader, isWide: Bool) -> Range<Int>? {
        let table = isWide ? reader.offset(UInt64.self, at: 32) : reader.offset(UInt32.self, at: 28)
        guard let table,
            let entrySize = reader.integer(UInt16.self, at: isWide ? 54 : 42), entrySize >= 32,
            let count = reader.integer(UInt16.self, at: isWide ? 56 : 44)
        else { return nil }
        for index in 0..<Int(count) {
            let entry = table + index * Int(entrySize)
            guard let type = reader.integer(UInt32.self, at: entry) else { return nil }
            guard type == 4 else { continue }
            let start = isWide ? reader.offset(UInt64.self, at: entry + 8) : reader.offset(UInt32.self, at: entry + 4)
            guard let start else { return nil }
            // The notes may reach beyond the window; then as many are read as there are.
            let end = isWide ? reader.offset(UInt64.self, at: entry + 32) : reader.offset(UInt32.self, at: entry + 16)
            return start..<min(start + (end ?? reader.bytes.count), reader.bytes.count)
        }
        return nil
    }

    private static func read(
        _ type: UInt32, at offset: Int, byteCount: Int, from reader: ByteReader, isWide: Bool, into notes: inout Notes
    ) {
        // The first status is that of the thread that died.
        if type == 1, notes.signal == nil, byteCount >= 4 {
            notes.signal = reader.integer(Int32.self, at: offset).flatMap { $0 > 0 ? Int($0) : nil }
        }
        if type == 3, notes.process == nil, byteCount >= (isWide ? 136 : 124) {
            let fields = isWide ? (process: 24, name: 40, arguments: 56) : (process: 12, name: 28, arguments: 44)
            guard let process = reader.integer(Int32.self, at: offset + fields.process),
                let name = reader.text(at: offset + fields.name, byteCount: 16)
            else { return }
            notes.process = "\(name)[\(process)]"
            notes.arguments = reader.text(at: offset + fields.arguments, byteCount: 80)?.nonEmpty
        }
    }

    private static func padded(_ length: Int) -> Int {
        (length + 3) & ~3
    }
}
