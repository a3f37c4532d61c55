/// What a payload was recognised as.
package struct Recognition: Sendable, Hashable {
    /// The format's name, for example `swift-backtrace-json`, `elf-core` or `text`.
    ///
    /// A payload that begins as its format demands and cannot be read to its end has ` (damaged)` behind the name.
    package var format: String
    /// The MIME type to send.
    package var contentType: String
    /// One printable line for a listing, at most ``SummaryLine/maximumLength`` characters long.
    package var summary: String
    /// What the report is about, as far as its content tells.
    package var kind: ReportKind
    /// Whether the content tells it, or it is assumed.
    package var kindSource: KindSource

    /// A recognition whose summary is made printable, and cut, from any text.
    package init(
        format: String, contentType: String, kind: ReportKind, from kindSource: KindSource = .recognised,
        summary: String
    ) {
        self.format = format
        self.contentType = contentType
        self.kind = kind
        self.kindSource = kindSource
        self.summary = SummaryLine.text(summary)
    }
}

/// The MIME types that several formats share.
enum ContentType {
    static let text = "text/plain; charset=utf-8"
    static let json = "application/json"
    static let bytes = "application/octet-stream"
}
