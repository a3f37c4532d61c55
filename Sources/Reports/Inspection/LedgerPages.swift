import Background

/// The ledger's rows in listing order, a page at a time, each page a transaction of its own.
struct LedgerPages: Sequence, IteratorProtocol {
    private let reader: LedgerReader?
    private let states: [TransferState]
    private let kind: String?
    private var heads: [[TransferRecord]]
    private var cursors: [LedgerQueries.Cursor?]
    private var isExhausted: [Bool]
    private let pageSize: Int

    init(reader: LedgerReader?, selection: SpoolInspector.Selection) {
        self.reader = reader
        // One state is an index walk; several, or all, are merged from a walk each.
        states = selection.states.map { words in words.compactMap(TransferState.init) } ?? TransferState.allCases
        kind = selection.kind
        pageSize = Swift.min(selection.limit ?? 500, 500)
        heads = Array(repeating: [], count: states.count)
        cursors = Array(repeating: nil, count: states.count)
        isExhausted = Array(repeating: reader == nil, count: states.count)
    }

    mutating func next() -> Result<TransferRecord, any Error>? {
        do {
            for walk in states.indices where heads[walk].isEmpty && !isExhausted[walk] { try fill(walk) }
        } catch {
            isExhausted = isExhausted.map { _ in true }
            return .failure(error)
        }
        let candidates = states.indices.filter { !heads[$0].isEmpty }
        let newest = candidates.max { left, right in
            let (a, b) = (heads[left][0], heads[right][0])
            return (a.firstSeenWall, a.rowID) < (b.firstSeenWall, b.rowID)
        }
        return newest.map { .success(heads[$0].removeFirst()) }
    }

    private mutating func fill(_ walk: Int) throws {
        guard let reader else { return }
        let page = try reader.queries.page(
            state: states[walk], label: kind, after: cursors[walk], limit: pageSize)
        heads[walk] = page
        cursors[walk] = page.last.map { LedgerQueries.Cursor(after: $0) }
        isExhausted[walk] = page.count < pageSize
    }
}
