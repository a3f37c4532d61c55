/// What went wrong, on what, and what lies behind it.
public struct ReportsError: Error, Sendable, CustomStringConvertible {
    /// The kind of failure. New codes may come; match those you handle and treat the rest alike.
    ///
    /// ## Topics
    ///
    /// ### The spool
    /// - ``spoolNotUsable``
    /// - ``cannotWrite``
    ///
    /// ### What was handed in
    /// - ``badPayload``
    /// - ``noSuchFile``
    /// - ``badArgument``
    /// - ``badConfiguration``
    ///
    /// ### Which report
    /// - ``noSuchReport``
    /// - ``badIdentifier``
    public struct Code: RawRepresentable, Hashable, Sendable {
        /// The code's stable name.
        public let rawValue: String

        /// A code by its name, which need not be one of those below.
        public init(rawValue: String) { self.rawValue = rawValue }

        /// The spool cannot be used: no directory, no permission, of a newer version, or on a network file system.
        public static let spoolNotUsable = Code(rawValue: "spool-not-usable")
        /// The disk is full, the report is above a limit, or writing failed.
        public static let cannotWrite = Code(rawValue: "cannot-write")
        /// The payload is not a file that can be taken, or changed while it was read.
        public static let badPayload = Code(rawValue: "bad-payload")
        /// There is no such file.
        public static let noSuchFile = Code(rawValue: "no-such-file")
        /// There is no such report.
        public static let noSuchReport = Code(rawValue: "no-such-report")
        /// Something is not an id, or a prefix that fits several.
        public static let badIdentifier = Code(rawValue: "bad-identifier")
        /// An argument breaks a documented bound.
        public static let badArgument = Code(rawValue: "bad-argument")
        /// The destination or another setting is not usable.
        public static let badConfiguration = Code(rawValue: "bad-configuration")
    }

    /// What kind of failure it is.
    public let code: Code
    /// What happened and what to do, in one line for people.
    public let message: String
    /// The failure below, if there is one.
    public let underlyingError: (any Error)?

    /// Makes an error; the default is that there is none below it.
    package init(_ code: Code, _ message: String, underlyingError: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.underlyingError = underlyingError
    }

    /// The message.
    public var description: String { message }
}
