/// What a payload is, and the crash in it if there is one.
package struct Diagnosis: Sendable, Hashable {
    /// The format's name, for example `swift-backtrace-json`, `elf-core` or `text`.
    ///
    /// A payload that begins as its format demands and cannot be read to its end has ` (damaged)` behind the name.
    package var format: String
    /// The MIME type to send.
    package var contentType: String
    /// What the payload is about, as far as its content tells.
    package var kind: Kind
    /// Whether the kind is assumed, because nothing in the payload shows it.
    package var isAssumed: Bool
    /// One sentence for a list. It is as the payload has it: of any length, and not yet fit for a terminal.
    package var summary: String
    /// The crash; `nil` where the payload holds none, or none that can be read.
    package var crash: Crash?
    /// Whether a text tells of a fault that ends a process, and not only of an exception, which may have been caught.
    package var endsProcess = false
    /// The format that the crash is written in where it lies within another one: in a gzip file, in a journal.
    package var innerFormat: String?
    /// The signature of the crash where it lies within another report, as that of the same crash by itself.
    package var innerSignature: Signature?

    package init(
        format: String, contentType: String, kind: Kind, isAssumed: Bool = false, summary: String, crash: Crash? = nil
    ) {
        self.format = format
        self.contentType = contentType
        self.kind = kind
        self.isAssumed = isAssumed
        self.summary = summary
        self.crash = crash
    }

    /// What a payload is about. The raw values are the words of the tool's `--kind`.
    package enum Kind: String, Sendable, Hashable {
        /// A fault has ended a process.
        case crash
        /// A process does not answer.
        case hang
        /// A finding about a process that goes on.
        case diagnostic
        /// Lines that a program or a journal has written.
        case log
        case other
    }

    /// What the signature of the crash is made from; `nil` where there is nothing to group by.
    package var signature: Signature? {
        self.innerSignature ?? self.crash.flatMap { Signature(of: $0, family: self.family) }
    }

    /// The format's name up to what only tells in which form the same crash is written.
    private var family: String {
        let format = self.innerFormat ?? self.format
        let first = format.split(separator: " ").first.map(String.init) ?? format
        return first.split(separator: "-").first.map(String.init) ?? first
    }
}

/// The MIME types that several formats share.
enum ContentType {
    static let text = "text/plain; charset=utf-8"
    /// Text in an encoding that nothing tells.
    static let textOfUnknownEncoding = "text/plain"
    static let json = "application/json"
    static let jsonLines = "application/x-ndjson"
    static let bytes = "application/octet-stream"
}
