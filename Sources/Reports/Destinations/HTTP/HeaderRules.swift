import DurableIO

/// What may stand in a header line (RFC 9110 section 5).
package enum HeaderRules {
    /// Whether a text is a token.
    package static func isName(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { $0.isASCIIAlphanumeric || punctuation.contains($0) }
    }

    /// Whether a text has no control characters but tabs, so that it stays one header.
    package static func isValue(_ text: String) -> Bool {
        text.utf8.allSatisfy { $0 == 0x09 || ($0 >= 0x20 && $0 != 0x7f) }
    }

    /// Whether a header is the sender's own: it frames the request, or says what the report is.
    package static func isReserved(_ name: String) -> Bool {
        reserved.contains(name.lowercased()) || name.lowercased().hasPrefix("report-")
    }

    private static let reserved: Set<String> = [
        "connection", "content-encoding", "content-length", "content-type", "expect", "idempotency-key", "keep-alive",
        "repr-digest", "te", "trailer", "transfer-encoding", "unencoded-digest", "upgrade",
    ]

    private static let punctuation = Set("!#$%&'*+-.^_`|~".utf8)
}
