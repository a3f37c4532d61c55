/// The reason why a transfer has no answer, when a further attempt by the engine would bring none.
///
/// Compare the ``code``. The message is for people and may change. It never holds the value of a header field.
public struct NetworkResponseError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The kind of an error. Later versions may add codes: handle the codes that you know, and treat all others alike.
    ///
    /// ## Topics
    ///
    /// ### The caller's request
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

        /// The waiting task was cancelled, the uploader or downloader was shut down, or the transfer was cancelled. In
        /// the first two cases the transfer stays in the ledger: ask again with its identifier.
        public static let cancelled = Code(kind: .cancelled)
        /// The server accepted the request of a download, and its answer has no content, for example a 204.
        public static let contentMissing = Code(kind: .contentMissing)
        /// The transfer failed 12 times while the same server accepted other transfers, or was not accepted for 30
        /// days. The same identifier begins a new transfer.
        public static let gaveUp = Code(kind: .gaveUp)
        /// The identifier names an unfinished transfer with other content. Wait for that transfer, or cancel it first.
        public static let identifierInUse = Code(kind: .identifierInUse)
        /// The request has no absolute http or https URL, or its URL has a user name or password, or a character that
        /// must be written as `%XX`.
        public static let invalidRequest = Code(kind: .invalidRequest)
        /// A file or a proxy that ``BackgroundSessionConfiguration/connection`` names cannot be used.
        public static let invalidSettings = Code(kind: .invalidSettings)
        /// This machine does not trust the server: no trusted authority has signed the server's certificate, or the
        /// certificate is for another host. Or the server demands a client certificate, or does not accept the client
        /// certificate that it got. A wrong clock on this machine causes this error, too.
        public static let notTrusted = Code(kind: .notTrusted)
        /// Another process uses the same root directory. Ask again when that process has ended or shut down its
        /// session.
        public static let ownedElsewhere = Code(kind: .ownedElsewhere)
        /// The server answered without giving the content of a download. Only ``Downloader/download(_:with:)`` throws
        /// this; the other calls return the answer.
        public static let refused = Code(kind: .refused)
        /// The root directory or its ledger cannot be used: the disk is full, the directory is not writable or is on a
        /// network file system, or the ledger is of a later version. Or there is no home directory for it. The
        /// transfers in the ledger stay. The next call opens the ledger again.
        public static let storage = Code(kind: .storage)
        /// The file is missing, is no regular file, cannot be read, or changed after the upload was enqueued.
        public static let unreadableFile = Code(kind: .unreadableFile)

        /// The code as one or two words.
        public var description: String { kind.rawValue }
    }

    /// The kind of the error.
    public let code: Code
    /// The failed action and its object, as text for people.
    public let message: String

    /// Whether the same call may succeed a moment later.
    let isPassing: Bool

    package init(_ code: Code, _ message: String, isPassing: Bool = false) {
        self.code = code
        self.message = message
        self.isPassing = isPassing
    }

    /// The code and the message.
    public var description: String { "\(code): \(message)" }
}
