/// A payload that cannot be taken as it is now.
package enum PayloadProblem: Error, Sendable, CustomStringConvertible {
    /// Its file changed while it was read.
    case changed
    /// It is larger than the limit; both in bytes.
    case tooLarge(size: UInt64, limit: UInt64)
    /// A drop that is packed yields more than the limit, in bytes.
    case tooLargeUnpacked(limit: UInt64)
    /// Its stored form alone exceeds what all reports together may take, in bytes.
    case tooLargeInAll(limit: UInt64)
    /// Taking it would leave less than the floor; all in bytes.
    case noSpace(free: UInt64, floor: UInt64)

    package var description: String {
        switch self {
        case .changed:
            "changed while it was read: it is still being written"
        case .tooLarge(let size, let limit):
            "has \(size) bytes, above the limit of \(limit): raise max_report_size to take it"
        case .tooLargeUnpacked(let limit):
            "unpacks to more than the limit of \(limit) bytes: raise max_report_size to take it"
        case .tooLargeInAll(let limit):
            "is larger, compressed, than the \(limit) bytes that all reports may take: raise max_total_size to take it"
        case .noSpace(_, let floor):
            // Not how many are free, which changes all the time: a reason that is new at each look would be told each
            // time.
            "less than the \(floor) bytes that must stay free are free: free some space, or lower min_free_space"
        }
    }
}
