import Background

/// The ledger's rows in listing order, a page at a time, each page a transaction of its own.
///
/// The rows come from several walks, such as one for each state, and are merged.
struct LedgerPages: Sequence, IteratorProtocol {
    private let queries: LedgerQueries
    private let filter: ListingFilter
    private let walks: [ListingWalk]
    private var heads: [ArraySlice<TransferRecord>]
    private var cursors: [LedgerQueries.Cursor?]
    private var isExhausted: [Bool]
    private let pageSize: Int

    init(_ queries: LedgerQueries, selection: SpoolInspector.Selection) throws {
        self.queries = queries
        (walks, filter) = try selection.walks(queries)
        pageSize = Swift.min(selection.limit ?? 500, 500)
        heads = Array(repeating: [], count: walks.count)
        cursors = Array(repeating: nil, count: walks.count)
        isExhausted = Array(repeating: false, count: walks.count)
    }

    mutating func next() -> Result<TransferRecord, any Error>? {
        do {
            for walk in walks.indices where heads[walk].isEmpty && !isExhausted[walk] { try fill(walk) }
        } catch {
            isExhausted = isExhausted.map { _ in true }
            return .failure(error)
        }
        var newest: (walk: Int, key: (Int64, Int64))?
        for walk in walks.indices {
            guard let head = heads[walk].first else { continue }
            let key = (head.firstSeenWall, head.rowID)
            if newest.map({ $0.key < key }) ?? true { newest = (walk, key) }
        }
        return newest.map { .success(heads[$0.walk].removeFirst()) }
    }

    private mutating func fill(_ walk: Int) throws {
        let page = try queries.page(of: walks[walk], filter, after: cursors[walk], limit: pageSize)
        heads[walk] = page[...]
        cursors[walk] = page.last.map { LedgerQueries.Cursor(after: $0) }
        isExhausted[walk] = page.count < pageSize
    }
}
