/// The journal as JSON, one object an entry: on a line each, or spread over lines as `json-pretty` does.
enum JournalLinesFormat: DocumentFormat {
    static let marks = ["__REALTIME_TIMESTAMP"]

    static func read(_ document: JSONDocument) -> Diagnosis? {
        guard document.root["__REALTIME_TIMESTAMP"] != nil else { return nil }
        var entries = JournalEntries()
        let window = document.window
        self.read(window.head, into: &entries)
        if !window.tail.isEmpty {
            // An entry that the window's edge cuts is left out.
            let start = window.tail.range(of: "\n{")
            self.read(start.map { window.tail[($0.lowerBound + 1)...] } ?? [], into: &entries)
        }
        return entries.diagnosis(format: "journal-json", contentType: ContentType.jsonLines, of: window)
    }

    /// How deeply an entry is nested: a field may be an array of arrays of numbers. With this bound the lines behind a
    /// damaged entry are read a few times at most.
    private static let maximumDepth = 4

    private static func read(_ bytes: ArraySlice<UInt8>, into entries: inout JournalEntries) {
        var rest = bytes
        while !rest.isEmpty {
            let prefix = JSONValue.parsePrefix(rest, maximumDepth: self.maximumDepth)
            if let members = prefix.value?.objectValue?.members, !members.isEmpty { entries.add(self.entry(members)) }
            if prefix.isComplete, prefix.byteCount > 0 {
                rest = rest.dropFirst(prefix.byteCount)
            } else {
                // What is damaged is left out, up to the next line that may be an entry.
                rest = rest.range(of: "\n{").map { rest[($0.lowerBound + 1)...] } ?? []
            }
        }
    }

    private static func entry(_ members: [JSONObject.Member]) -> JournalEntry {
        var entry = JournalEntry()
        for member in members {
            let name = Array(member.key.utf8)[...]
            if JournalEntry.keeps(name), let value = self.bytes(member.value) { entry.add(name, value) }
        }
        return entry
    }

    /// A field is text, or its bytes as numbers where it has control characters, or an array of these where an entry has
    /// it several times; the first one counts then.
    private static func bytes(_ value: JSONValue) -> ArraySlice<UInt8>? {
        if let text = value.fieldText { return Array(text.utf8)[...] }
        guard let elements = value.arrayValue, let first = elements.first else { return nil }
        guard first.integerValue != nil else { return first.stringValue.map { Array($0.utf8)[...] } }
        return elements.map { UInt8(truncatingIfNeeded: $0.integerValue ?? 0) }[...]
    }
}
