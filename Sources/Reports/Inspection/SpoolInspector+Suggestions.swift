import Background

/// The completions that a shell offers where a command line names a report.
extension SpoolInspector {
    /// The ids that begin with the given digits; without digits, the ids of the newest reports.
    ///
    /// The call takes milliseconds, however many reports there are: it looks the digits up in the ledger's index, and
    /// reads at most 1,000 of the rows found. If the ledger is missing or damaged, the result has only the ids that the
    /// files show, or none.
    /// - Parameters:
    ///   - prefix: the text that the person has typed.
    ///   - states: the states of the reports to be named.
    ///   - limit: the largest number of ids.
    /// - Returns: whole ids.
    /// - Throws: the errors of reading the spool.
    package func suggestions(beginning prefix: String, in states: Set<String>, limit: Int) throws -> [String] {
        guard !prefix.isEmpty else { return try newest(in: states, limit: limit) }
        guard Self.isHexadecimal(prefix) else { return [] }
        let known = try reader?.queries.identifiers(prefix: prefix, limit: Self.lookedAtCount) ?? []
        let admitted = try known.filter { id in
            try record(id).map { states.contains($0.state.rawValue) } ?? false
        }
        let published = states.contains(TransferState.queued.rawValue) ? try publishedIdentifiers() : []
        return Array(Set(admitted).union(published.filter { $0.hasPrefix(prefix) }).sorted().prefix(limit))
    }

    /// The names of drops that wait for a person's order, as `retry` and `remove` take them.
    package func poisonousDropNames(beginning prefix: String) throws -> [String] {
        let begun = try reader?.queries.begunDrops() ?? [:]
        guard !begun.isEmpty else { return [] }
        let names = try DropZone(spool: spool).poisonousDrops(begun).map(\.name.dropped.description)
        return Set(names.filter { $0.hasPrefix(prefix) }).sorted()
    }

    private func newest(in states: Set<String>, limit: Int) throws -> [String] {
        var identifiers: [String] = []
        try forEachReport(Selection(states: states, limit: limit)) { view in
            if let id = view.id { identifiers.append(id) }
        }
        return identifiers
    }

    /// The largest number of ids that are looked at. If more reports of a very full spool begin with the same digit, a
    /// further digit finds them.
    private static let lookedAtCount = 1_000
}
