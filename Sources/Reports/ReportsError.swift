/// An error of the library: the failed action, its object, and the cause.
public struct ReportsError: Error, Sendable, CustomStringConvertible {
    /// The kind of an error. Later versions may add codes: handle the codes that you know, and treat all others alike.
    ///
    /// ## Topics
    ///
    /// ### The spool
    /// - ``spoolNotUsable``
    /// - ``cannotWrite``
    ///
    /// ### The caller's input
    /// - ``badPayload``
    /// - ``noSuchFile``
    /// - ``badArgument``
    /// - ``badConfiguration``
    ///
    /// ### The choice of a report
    /// - ``noSuchReport``
    /// - ``badIdentifier``
    public struct Code: RawRepresentable, Hashable, Sendable {
        /// The code's stable name.
        public let rawValue: String

        /// Makes a code from its name. The name need not be one of the codes below.
        public init(rawValue: String) { self.rawValue = rawValue }

        /// The spool cannot be used: its path is no directory or not accessible, its version is newer, or it is on a
        /// network file system.
        public static let spoolNotUsable = Code(rawValue: "spool-not-usable")
        /// The disk is full, the report is larger than a limit, or a write failed.
        public static let cannotWrite = Code(rawValue: "cannot-write")
        /// The payload is not a file that can be collected, or the file changed while it was read.
        public static let badPayload = Code(rawValue: "bad-payload")
        /// There is no such file.
        public static let noSuchFile = Code(rawValue: "no-such-file")
        /// There is no such report.
        public static let noSuchReport = Code(rawValue: "no-such-report")
        /// The given text is not an id, or fits several reports.
        public static let badIdentifier = Code(rawValue: "bad-identifier")
        /// An argument is beyond a documented limit.
        public static let badArgument = Code(rawValue: "bad-argument")
        /// The destination or another setting cannot be used.
        public static let badConfiguration = Code(rawValue: "bad-configuration")
    }

    /// The kind of the error.
    public let code: Code
    /// The failure and the remedy, in one line for people.
    public let message: String
    /// The error that caused this one, if there is one.
    public let underlyingError: (any Error)?

    /// Makes an error. The default has no underlying error.
    package init(_ code: Code, _ message: String, underlyingError: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.underlyingError = underlyingError
    }

    /// The message.
    public var description: String { message }
}
