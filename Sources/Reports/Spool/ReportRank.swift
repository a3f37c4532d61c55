/// Where a report's kind comes from. The raw value is the member `kind_from` of a stored report's description.
package enum KindSource: String, Hashable, Sendable {
    /// Whoever handed the report in named it.
    case given
    /// The payload's format tells.
    case recognised
    /// Nothing tells: the kind is the one assumed of any text, JSON or binary.
    case `default`
}

/// What is sent first and evicted last: a number, the lower the more a report matters.
enum ReportRank {
    /// A crash, given or recognised.
    static let crash = 0
    /// A kind that nothing tells: it may be a crash.
    static let unknown = 1
    /// Known to be no crash.
    static let other = 2

    static func of(_ kind: ReportKind, from source: KindSource) -> Int {
        if kind == .crash { return crash }
        return source == .default ? unknown : other
    }
}
