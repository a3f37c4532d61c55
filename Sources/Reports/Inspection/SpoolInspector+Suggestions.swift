import Background

/// What a shell offers where a command line names a report.
extension SpoolInspector {
    /// Ids that begin with some digits; without digits the newest reports.
    ///
    /// It takes milliseconds, however many reports there are: digits are looked up in the ledger's index, and only so many
    /// rows are read. A ledger that is missing or damaged gives what the files tell, or nothing.
    /// - Parameters:
    ///   - prefix: what has been typed.
    ///   - states: of the reports to name.
    ///   - limit: how many to name at most.
    /// - Returns: whole ids.
    /// - Throws: what reading the spool throws.
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

    /// The names of drops that wait for a person's word, as `retry` and `remove` take them.
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

    /// With one digit of a very full spool there are more, which the next digit brings.
    private static let lookedAtCount = 1_000
}
