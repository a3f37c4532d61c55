import Background

/// What an answer of S3 asks to change in a request.
extension Change {
    static let clockSort = "server-clock"
    static let regionSort = "region"

    /// Sign with the server's time, which is this machine's plus an offset in milliseconds.
    static func serverClock(offset: Int64) -> Change { Change(clockSort, to: String(offset)) }
    /// Send to another region.
    static func region(_ name: String) -> Change { Change(regionSort, to: name) }
    /// Send without `If-None-Match`.
    static let withoutCondition = Change("without-condition")
    /// Sign with credentials that are asked for anew.
    static let freshCredentials = Change("fresh-credentials")
    /// Send only the metadata that say what the report is.
    static let withoutAnnotations = Change("without-annotations")
}
