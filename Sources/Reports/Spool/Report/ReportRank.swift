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
