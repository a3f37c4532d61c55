import Background

/// Listing groups of reports.
///
/// A spool may have a million signatures, so a group is made only when it is its turn. Before that it is known of a
/// signature only when it was seen last. This takes about 50 bytes a signature.
extension SpoolInspector {
    /// Visits the groups of all reports that a selection admits, the one that was seen last first. The selection's
    /// limit is one of groups.
    package func forEachGroup(_ selection: Selection, _ body: (ReportGroup) throws -> Void) throws {
        try tellingDamage {
            var outline = GroupOutline()
            for view in try seenDrops(selection) + publishedReports() where selection.admits(view) {
                outline.add(ReportGroup.Member(view), to: .init(signature: view.signature, kind: view.kind))
            }
            try outlineRows(selection, &outline)
            for key in outline.newestFirst.prefix(selection.limit ?? .max) {
                let group = try group(key, selection, from: outline)
                // Between the two looks at the ledger its rows may have been forgotten.
                if group.count > 0 { try body(group) }
            }
        }
    }

    private func outlineRows(_ selection: Selection, _ outline: inout GroupOutline) throws {
        guard let queries = reader?.queries else { return }
        let (walks, filter) = try selection.walks(queries)
        let needsMetadata = !selection.annotations.isEmpty
        for walk in walks {
            try forEachSketch(of: walk, filter, queries, includesMetadata: needsMetadata) { sketch in
                let key = ReportGroup.Key(signature: sketch.signature, kind: sketch.label)
                if case .signature(let digits) = key {
                    guard selection.admits(sketch, sketch.properties.annotations) else { return }
                    outline.note(digits, seen: sketch.lastSeenWall)
                } else {
                    let properties = sketch.properties
                    guard selection.admits(sketch, properties.annotations) else { return }
                    outline.add(ReportGroup.Member(sketch, properties), to: key)
                }
            }
        }
    }

    private func group(
        _ key: ReportGroup.Key, _ selection: Selection, from outline: GroupOutline
    ) throws -> ReportGroup {
        var group = outline[key]
        guard let signature = group.signature, let queries = reader?.queries else { return group }
        var selection = selection
        selection.signature = signature
        let (walks, filter) = try selection.walks(queries)
        for walk in walks {
            try forEachSketch(of: walk, filter, queries, includesMetadata: true) { sketch in
                let properties = sketch.properties
                guard selection.admits(sketch, properties.annotations) else { return }
                group.add(ReportGroup.Member(sketch, properties))
            }
        }
        return group
    }

    private func forEachSketch(
        of walk: ListingWalk, _ filter: ListingFilter, _ queries: LedgerQueries, includesMetadata: Bool,
        _ body: (TransferSketch) -> Void
    ) throws {
        var cursor: LedgerQueries.Cursor?
        while true {
            let page = try queries.sketches(
                of: walk, filter, after: cursor, limit: Self.sketchPageSize, includesMetadata: includesMetadata)
            for sketch in page { body(sketch) }
            guard page.count == Self.sketchPageSize, let last = page.last else { return }
            cursor = LedgerQueries.Cursor(after: last)
        }
    }

    private static let sketchPageSize = 500
}

extension TransferSketch {
    /// What the client's JSON says, as far as it was read.
    fileprivate var properties: ReportProperties { ReportMetadata(text: metadata ?? "{}").properties }
}

/// Which groups there are, and when each was seen last.
private struct GroupOutline {
    /// By the signature's digits.
    private var lastSeen: [UInt64: Int64] = [:]
    /// Reports outside the ledger, and those without a signature: no index of the ledger finds these again.
    private var groups: [ReportGroup.Key: ReportGroup] = [:]

    /// Adds a report that no later look at the ledger comes across.
    mutating func add(_ member: ReportGroup.Member, to key: ReportGroup.Key) {
        groups[key, default: ReportGroup(key)].add(member)
    }

    /// Notes a row of the ledger.
    mutating func note(_ signature: UInt64, seen time: Int64) {
        lastSeen[signature] = max(lastSeen[signature] ?? time, time)
    }

    /// What is known of a group without its rows in the ledger.
    subscript(key: ReportGroup.Key) -> ReportGroup { groups[key] ?? ReportGroup(key) }

    /// The groups, the one that was seen last first.
    var newestFirst: some Sequence<ReportGroup.Key> {
        var times = lastSeen
        for case (.signature(let digits), let group) in groups {
            times[digits] = max(times[digits] ?? .min, group.lastSeen ?? .min)
        }
        var signed = times.map { (time: $0.value, digits: $0.key) }
        // Groups that were seen last at the same time have an order, too, so that two listings are alike.
        signed.sort { ($1.time, $0.digits) < ($0.time, $1.digits) }
        // Where no time is known nobody has looked at the reports yet.
        let unsigned = groups.filter { $0.value.signature == nil }
            .map { (time: $0.value.lastSeen ?? .max, key: $0.key) }
            .sorted { ($1.time, $0.key.kind) < ($0.time, $1.key.kind) }
        return sequence(state: (signed: signed[...], unsigned: unsigned[...])) { left -> ReportGroup.Key? in
            guard let first = left.unsigned.first, first.time > left.signed.first?.time ?? .min else {
                return left.signed.popFirst().map { .signature($0.digits) }
            }
            return left.unsigned.removeFirst().key
        }
    }
}

extension ReportGroup.Key {
    fileprivate var kind: String { if case .kind(let kind) = self { kind ?? "" } else { "" } }
}
