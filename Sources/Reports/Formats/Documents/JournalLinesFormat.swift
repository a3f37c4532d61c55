/// The journal as lines of JSON, one object an entry.
enum JournalLinesFormat {
    static let marks = ["__REALTIME_TIMESTAMP"]

    static func recognize(_ document: JSONDocument) -> Recognition? {
        guard document.root["__REALTIME_TIMESTAMP"] != nil else { return nil }
        var entries = JournalEntries()
        for line in document.head.lines {
            let entry = JSONValue.parsePrefix(line)
            guard let members = entry.value?.objectValue?.members, !members.isEmpty else { continue }
            for member in members {
                // Fields with control characters are arrays of numbers here; none of them is wanted.
                guard let value = member.value.fieldText else { continue }
                entries.add(field: Array(member.key.utf8)[...], value: Array(value.utf8)[...])
            }
        }
        return Recognition(
            format: "journal-json", contentType: "application/x-ndjson", kind: entries.kind,
            summary: entries.summary(of: document.head))
    }
}
