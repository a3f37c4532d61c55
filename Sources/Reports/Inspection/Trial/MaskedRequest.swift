package import Background
import HTTPTypes

/// A request as a person may see it: without the query of its URL, and with the values of those header fields only that
/// are known to hold no secret.
package struct MaskedRequest: Hashable, Sendable {
    /// A line of the header.
    package struct Field: Hashable, Sendable {
        package let name: String
        /// `***` where it may be a secret.
        package let value: String
    }

    package let method: String
    package let url: String
    package let fields: [Field]
    package let bodyByteCount: UInt64
    /// The form of the body in a word: `gzip`, `file` or `identity`.
    package let form: ReportEncoding
    /// The values that were masked. They are never shown.
    let secrets: [String]

    /// - Parameters:
    ///   - request: as it would be sent.
    ///   - ownNames: the names of the header fields that the user has set. Their values are not shown.
    ///   - hidesTokens: whether a long part of the path may be a token. The default is `false`.
    ///   - id: the report's, which is no token. The default is none.
    package init(
        _ request: TransferRequest, ownNames: Set<String>, hidesTokens: Bool = false, besides id: String = ""
    ) {
        let own = Set(ownNames.map { $0.lowercased() })
        method = request.method.rawValue
        url = Self.masked(request.endpoint, hidesTokens: hidesTokens, besides: id)
        bodyByteCount = request.bodyByteCount
        var secrets: [String] = []
        fields = request.fields.map { field in
            let isOpen = Self.isOpen(field.name.canonicalName) && !own.contains(field.name.canonicalName)
            // The words of a value count, too: `Bearer TOKEN`, `key=TOKEN`.
            if !isOpen {
                secrets += [field.value] + field.value.split { [" ", ",", "="].contains($0) }.map(String.init)
            }
            return Field(name: field.name.rawName, value: isOpen ? field.value : "***")
        }
        let query = request.endpoint.path.split(separator: "?", maxSplits: 1).dropFirst().first.map(String.init)
        if hidesTokens { secrets += TokenMask.tokens(in: request.endpoint.path.prefix { $0 != "?" }, besides: id) }
        // What is shorter stands in many a text, and is no secret.
        self.secrets = (secrets + [query].compactMap(\.self)).filter { $0.utf8.count >= 8 }
            .sorted { $0.utf8.count > $1.utf8.count }
        let isFile = request.fields[.contentType] == "application/gzip" && request.fields[.contentEncoding] == nil
        form = request.fields[.contentEncoding] == "gzip" ? .gzip : isFile ? .file : .identity
    }

    static func masked(_ endpoint: Endpoint, hidesTokens: Bool = false, besides id: String = "") -> String {
        let path = endpoint.path.prefix { $0 != "?" }
        let shown = hidesTokens ? TokenMask.path(path, besides: id) : String(path)
        return "\(endpoint.scheme)://\(endpoint.authority)\(shown)" + (endpoint.path.contains("?") ? "?***" : "")
    }

    /// A text of the server's, in which it may repeat what it was sent.
    func masking(_ text: String) -> String {
        secrets.reduce(text) { $0.replacing($1, with: "***") }
    }

    private static func isOpen(_ name: String) -> Bool {
        openNames.contains(name) || openPrefixes.contains { name.hasPrefix($0) }
    }

    private static let openNames: Set<String> = [
        "accept", "content-encoding", "content-length", "content-type", "date", "host", "idempotency-key",
        "if-none-match", "repr-digest", "unencoded-digest", "user-agent", "x-amz-content-sha256", "x-amz-date",
    ]
    private static let openPrefixes = ["report-", "x-amz-meta-"]
}
