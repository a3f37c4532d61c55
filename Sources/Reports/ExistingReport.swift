/// A report that an earlier life of the program submitted with a request of its own.
public struct ExistingReport: Hashable, Sendable {
    /// The report's id, the SHA-256 of its payload in hexadecimal.
    public let id: String
    /// What the caller named it when it was submitted; `nil` for bytes without a name.
    public let identifier: String?
    /// The request's method.
    public let method: String
    /// The request's URL.
    public let url: String
    /// The names of its header fields. Their values were never written down.
    public let headerNames: [String]
    /// When it was submitted, in milliseconds since the epoch.
    public let submittedMilliseconds: Int64
    /// How often it was tried, this time included.
    public let attempts: Int
}
