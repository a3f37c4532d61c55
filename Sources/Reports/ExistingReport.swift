/// A report that the program submitted with a request of its own before it was restarted.
public struct ExistingReport: Hashable, Sendable {
    /// The report's id, the SHA-256 of its payload in hexadecimal.
    public let id: String
    /// The caller's name for the report; `nil` for bytes without a name.
    public let identifier: String?
    /// The method of the report's request.
    public let method: String
    /// The URL of the report's request.
    public let url: String
    /// The names of the request's header fields. Their values were never written to disk.
    public let headerNames: [String]
    /// The time of the submission, in milliseconds since 1970.
    public let submittedMilliseconds: Int64
    /// The number of attempts, including this one.
    public let attempts: Int
}
