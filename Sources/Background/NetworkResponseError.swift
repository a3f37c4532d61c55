/// Why a transfer has no answer, and why trying again by itself will not bring one.
///
/// Compare ``code``; the text is for people and may change. It never holds a header's value.
public struct NetworkResponseError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The kind of trouble. New kinds may come; handle those you know and treat the others alike.
    ///
    /// ## Topics
    ///
    /// ### What was asked for
    /// - ``invalidRequest``
    /// - ``unreadableFile``
    /// - ``identifierInUse``
    /// - ``cancelled``
    ///
    /// ### The server
    /// - ``notTrusted``
    /// - ``contentMissing``
    /// - ``refused``
    /// - ``gaveUp``
    ///
    /// ### This machine
    /// - ``invalidSettings``
    /// - ``ownedElsewhere``
    /// - ``storage``
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        private enum Kind: String {
            case cancelled
            case contentMissing = "content missing"
            case gaveUp = "gave up"
            case identifierInUse = "identifier in use"
            case invalidRequest = "invalid request"
            case invalidSettings = "invalid settings"
            case notTrusted = "not trusted"
            case ownedElsewhere = "owned elsewhere"
            case refused
            case storage
            case unreadableFile = "unreadable file"
        }
        private let kind: Kind

        /// The waiting task was cancelled, the uploader or downloader was shut down, or the transfer was cancelled.
        /// After the first two the transfer lives on: ask again with its identifier.
        public static let cancelled = Code(kind: .cancelled)
        /// The server accepted the request of a download, and its answer carries nothing to keep, as 204.
        public static let contentMissing = Code(kind: .contentMissing)
        /// The transfer failed 12 times while the same server accepted others, or was not accepted for 30 days. The
        /// same identifier begins a new one.
        public static let gaveUp = Code(kind: .gaveUp)
        /// The identifier names an unfinished transfer of other content. Wait for it, or cancel it first.
        public static let identifierInUse = Code(kind: .identifierInUse)
        /// The request has no absolute http or https URL, or one with a user name or password in it, or with a
        /// character that has to be written as `%XX`.
        public static let invalidRequest = Code(kind: .invalidRequest)
        /// A file or a proxy that ``BackgroundSessionConfiguration/connection`` names cannot be used.
        public static let invalidSettings = Code(kind: .invalidSettings)
        /// The server's certificate is signed by no authority that is trusted here, or is another host's; or the server
        /// demands a client certificate, or another one. A wrong local clock causes this, too.
        public static let notTrusted = Code(kind: .notTrusted)
        /// Another process works with the same root directory. Ask again when it has ended or shut down.
        public static let ownedElsewhere = Code(kind: .ownedElsewhere)
        /// The server answered without giving the content of a download. Only ``Downloader/download(_:with:)`` says so;
        /// the others hand the answer back.
        public static let refused = Code(kind: .refused)
        /// The root directory or the ledger in it cannot be used: full, unwritable, on a network file system, or of a
        /// later version; or there is no home directory to put it in. What is in the ledger stays; the next call opens
        /// it anew.
        public static let storage = Code(kind: .storage)
        /// The file is missing, no regular file, cannot be read, or changed after it was handed over.
        public static let unreadableFile = Code(kind: .unreadableFile)

        /// A word or two.
        public var description: String { kind.rawValue }
    }

    /// The kind of trouble.
    public let code: Code
    /// What happened to what, for people.
    public let message: String

    /// Whether the same call may succeed in a moment.
    let isPassing: Bool

    package init(_ code: Code, _ message: String, isPassing: Bool = false) {
        self.code = code
        self.message = message
        self.isPassing = isPassing
    }

    /// The kind and the text.
    public var description: String { "\(code): \(message)" }
}
