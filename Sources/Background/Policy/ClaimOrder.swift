/// The order in which the due rows of a lane are claimed: the first rank before the others, and the newest first of
/// that; but every fourth claim takes the row that has been due longest, so that none is passed over for ever.
package enum ClaimOrder {
    /// So many claims have one among them that takes the row due longest.
    package static let period = 4

    /// Which rows a lane claims next.
    /// - Parameters:
    ///   - newest: due rows of the first rank, the newest first.
    ///   - dueLongest: due rows of any rank, the one due longest first; some may be among the newest, too.
    ///   - count: how many rows the lane has claimed before.
    ///   - limit: how many it claims at most. Each list has so many, or all there are.
    /// - Returns: the rows in the order in which they are to be sent.
    package static func merged<Row: Identifiable>(
        newest: [Row], dueLongest: [Row], after count: Int, limit: Int
    ) -> [Row] {
        var (newest, dueLongest) = (newest[...], dueLongest[...])
        var taken: Set<Row.ID> = []
        var merged: [Row] = []
        func next(of rows: inout ArraySlice<Row>) -> Row? {
            while let row = rows.popFirst() {
                if taken.insert(row.id).inserted { return row }
            }
            return nil
        }
        while merged.count < limit {
            let isForOldest = (count + merged.count) % period == period - 1
            let row = isForOldest ? next(of: &dueLongest) : next(of: &newest) ?? next(of: &dueLongest)
            guard let row = row ?? next(of: &newest) else { break }
            merged.append(row)
        }
        return merged
    }
}
