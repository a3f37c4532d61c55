/// An access key for an S3 server: its name, its secret, and the token of a session.
///
/// An access key stays in memory. It is never written to disk or logged, and its description shows only the last four
/// characters of its name.
public struct S3AccessKey: Hashable, Sendable, CustomStringConvertible, CustomReflectable {
    /// The name of the key, as in `AWS_ACCESS_KEY_ID`.
    public let id: String
    /// The secret, as in `AWS_SECRET_ACCESS_KEY`.
    public let secret: String
    /// The token that belongs to temporary credentials, as in `AWS_SESSION_TOKEN`; `nil` for keys that last.
    public let sessionToken: String?
    /// When the key ends to be valid, in milliseconds since 1970; `nil` where nothing says it.
    var expiresAt: Int64?

    /// Makes a key. It is checked when it is used.
    public init(id: String, secret: String, sessionToken: String? = nil) {
        self.id = id
        self.secret = secret
        self.sessionToken = sessionToken
    }

    /// The last four characters of the key's name, for people who have several keys.
    public var description: String { "…\(id.count > 8 ? String(id.suffix(4)) : "")" }

    /// Shows nothing but the description.
    public var customMirror: Mirror { Mirror(self, children: ["id": description]) }

    /// Whether all of it can stand in a request: printable ASCII without blanks. The name also ends at a slash there.
    var isUsable: Bool {
        let isPlain = { (text: String) in !text.isEmpty && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f } }
        return isPlain(id) && !id.contains("/") && !id.contains(",") && isPlain(secret)
            && sessionToken.map(isPlain) ?? true
    }
}
