/// What the systemd journal gives out: its own files, and its export format, which may hold any bytes in a field.
enum JournalFormat: BinaryFormat {
    static func read(_ window: PayloadWindow) -> Diagnosis? {
        // Text about the format may begin with these words as well; the header of a file has zeros.
        if window.hasPrefix("LPKSHHRH"), window.byteCount == 8 || window.head.prefix(240).contains(0) {
            return JournalFile(window).diagnosis
        }
        guard window.hasPrefix("__CURSOR=s=") else { return nil }
        var entries = JournalEntries()
        self.read(window.head, into: &entries)
        if let start = self.firstEntry(in: window) { self.read(start, into: &entries) }
        return entries.diagnosis(
            format: "journal-export", contentType: "application/vnd.fdo.journal", of: window)
    }

    /// The window's tail from the first entry on that begins in it.
    private static func firstEntry(in window: PayloadWindow) -> ArraySlice<UInt8>? {
        window.tail.range(of: "\n__CURSOR=").map { window.tail[($0.lowerBound + 1)...] }
    }

    /// Reads entries: fields line by line, an empty line behind each entry.
    private static func read(_ bytes: ArraySlice<UInt8>, into entries: inout JournalEntries) {
        var entry = JournalEntry()
        var rest = bytes
        while !rest.isEmpty {
            let end = rest.firstIndex(of: UInt8(ascii: "\n")) ?? rest.endIndex
            let line = rest[..<end]
            rest = rest[end...].dropFirst()
            if line.isEmpty {
                entries.add(entry)
                entry = JournalEntry()
            } else if let equals = line.firstIndex(of: UInt8(ascii: "=")) {
                entry.add(line[..<equals], line[(equals + 1)...])
            } else {
                // A field with control characters: its length in eight bytes, its bytes, a line feed.
                guard let length = ByteReader(rest.prefix(8)).integer(UInt64.self, at: 0) else { break }
                let value = rest.dropFirst(8).prefix(Int(clamping: length))
                entry.add(line, value)
                rest = rest[value.endIndex...].dropFirst()
            }
        }
        entries.add(entry)
    }
}
