/// A file of the systemd journal: a header, then objects one behind the other.
///
/// An entry is an object that refers to those of its fields, `NAME=VALUE`, which entries share. Fields that the journal
/// has compressed are not read; those are long messages, not the fields that name a process and a signal. Source:
/// systemd's `journal-def.h` and its article "Journal File Format".
struct JournalFile {
    /// The kinds of objects that are read.
    private enum Kind { static let data: UInt8 = 1, entry: UInt8 = 3 }

    /// An incompatible flag of the header: references take four bytes, and data begin eight bytes later.
    private static let compactFlag: UInt32 = 16
    /// The flags of data that are compressed.
    private static let compressions: UInt64 = 7
    /// How many fields of an entry are looked at.
    private static let maximumFieldCount = 256

    private let window: PayloadWindow
    private let reader: ByteReader
    private let isCompact: Bool

    init(_ window: PayloadWindow) {
        self.window = window
        self.reader = ByteReader(window)
        self.isCompact = (self.reader.integer(UInt32.self, at: 12) ?? 0) & Self.compactFlag != 0
    }

    var diagnosis: Diagnosis {
        let entries = self.entries()
        let count = self.reader.integer(UInt64.self, at: 152)
        var diagnosis = entries.diagnosis(format: "journal", contentType: ContentType.bytes, of: self.window)
        if diagnosis.crash == nil {
            diagnosis.summary =
                count.map { "journal file, \($0) \($0 == 1 ? "entry" : "entries")" } ?? "journal file"
        }
        return diagnosis
    }

    private func entries() -> JournalEntries {
        var entries = JournalEntries()
        guard let arena = self.reader.offset(UInt64.self, at: 88), arena >= 64 else { return entries }
        self.read(from: arena, into: &entries)
        if !self.window.tail.isEmpty, let start = self.firstObjectOfTail { self.read(from: start, into: &entries) }
        return entries
    }

    /// Reads objects as far as they follow each other in the window.
    private func read(from start: Int, into entries: inout JournalEntries) {
        var offset = start
        while let next = self.object(behind: offset) {
            if self.reader.integer(UInt8.self, at: offset) == Kind.entry {
                entries.add(self.entry(at: offset, size: next - offset))
            }
            offset = next
        }
    }

    /// Where the object behind another one begins: at a multiple of eight.
    private func object(behind offset: Int) -> Int? {
        guard let size = self.reader.offset(UInt64.self, at: offset + 8), size >= 16 else { return nil }
        return offset + ((size + 7) & ~7)
    }

    /// The first object of the window's tail, which is found by trying all places: four objects that follow each other
    /// are no accident.
    private var firstObjectOfTail: Int? {
        let start = self.window.byteCount - self.window.tail.count
        return stride(from: (start + 7) & ~7, to: self.window.byteCount, by: 8).first { place in
            var offset = place
            for _ in 0..<4 {
                // A kind, flags of a compression, and six bytes that are not used.
                guard let head = self.reader.integer(UInt64.self, at: offset), (1...7).contains(head & 0xff),
                    head >> 8 <= Self.compressions, let next = self.object(behind: offset)
                else { return false }
                offset = next
            }
            return true
        }
    }

    private func entry(at offset: Int, size: Int) -> JournalEntry {
        var entry = JournalEntry()
        if let time = self.reader.integer(UInt64.self, at: offset + 24) {
            entry.add(Array("__REALTIME_TIMESTAMP".utf8)[...], Array(String(time).utf8)[...])
        }
        let stride = self.isCompact ? 4 : 16
        let count = min((size - min(size, 64)) / stride, Self.maximumFieldCount)
        for index in 0..<count {
            let place = offset + 64 + index * stride
            let data =
                self.isCompact
                ? self.reader.offset(UInt32.self, at: place) : self.reader.offset(UInt64.self, at: place)
            guard let data, let field = self.field(at: data),
                let equals = field.prefix(32).firstIndex(of: UInt8(ascii: "="))
            else { continue }
            entry.add(field[..<equals], field[(equals + 1)...])
        }
        return entry
    }

    private func field(at offset: Int) -> ArraySlice<UInt8>? {
        let start = self.isCompact ? 72 : 64
        guard self.reader.integer(UInt8.self, at: offset) == Kind.data,
            let flags = self.reader.integer(UInt8.self, at: offset + 1), UInt64(flags) & Self.compressions == 0,
            let size = self.reader.offset(UInt64.self, at: offset + 8), size >= start
        else { return nil }
        return self.reader.bytes(at: offset + start, count: size - start)
    }
}
