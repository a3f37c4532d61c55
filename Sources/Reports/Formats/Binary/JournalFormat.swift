/// What the systemd journal gives out: its own files, and its export format, which may hold any bytes in a field.
enum JournalFormat {
    static func recognize(_ head: PayloadHead) -> Recognition? {
        if head.hasPrefix("LPKSHHRH") {
            let count = ByteReader(bytes: head.bytes).integer(UInt64.self, at: 152)
            return Recognition(
                format: "journal", contentType: ContentType.bytes, kind: .log,
                summary: count.map { "journal file, \($0) \($0 == 1 ? "entry" : "entries")" } ?? "journal file")
        }
        guard head.hasPrefix("__CURSOR=") else { return nil }
        let entries = self.entries(in: head)
        return Recognition(
            format: "journal-export", contentType: "application/vnd.fdo.journal", kind: entries.kind,
            summary: entries.summary(of: head))
    }

    private static func entries(in head: PayloadHead) -> JournalEntries {
        var entries = JournalEntries()
        let reader = ByteReader(bytes: head.bytes)
        var position = 0
        while position < head.bytes.count {
            let rest = head.bytes[position...]
            let end = rest.firstIndex(of: UInt8(ascii: "\n")) ?? head.bytes.count
            let line = rest[..<end]
            position = end + 1
            guard !line.isEmpty else { continue }
            if let equals = line.firstIndex(of: UInt8(ascii: "=")) {
                entries.add(field: line[..<equals], value: line[(equals + 1)...])
            } else {
                // A field with control characters: its length in eight bytes, its bytes, a line feed.
                guard let length = reader.offset(UInt64.self, at: position) else { break }
                let value = head.bytes.dropFirst(position + 8).prefix(length)
                entries.add(field: line, value: value)
                position += 8 + length + 1
            }
        }
        return entries
    }
}

/// What a listing wants to know of journal entries: how many, and the first core dump among them.
struct JournalEntries {
    private var count = 0
    private var holdsCoreDump = false
    private var command: String?
    private var process: String?
    private var signal: String?

    var kind: ReportKind { self.holdsCoreDump ? .crash : .log }

    mutating func add(field: ArraySlice<UInt8>, value: ArraySlice<UInt8>) {
        // Every entry has this field once, in both forms.
        if field.elementsEqual("__REALTIME_TIMESTAMP".utf8) { self.count += 1 }
        guard let name = field.dropping("COREDUMP_") else { return }
        self.holdsCoreDump = true
        switch name.text {
        case "COMM": self.command = self.command ?? value.text
        case "PID": self.process = self.process ?? value.text
        case "SIGNAL_NAME": self.signal = self.signal ?? value.text
        default: break
        }
    }

    func summary(of head: PayloadHead) -> String {
        let count = head.counted(self.count, "journal entry", "journal entries")
        guard self.holdsCoreDump else { return count }
        let process = (self.command ?? "?") + (self.process.map { "[\($0)]" } ?? "")
        return "\(count); coredump of \(process) \(self.signal ?? "")"
    }
}
