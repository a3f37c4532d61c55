/// A request as it came over the wire, field order and letter case included.
package struct ReceivedRequest: Sendable {
    /// For instance `PUT`.
    package var method: String
    /// The request target as sent, for instance `/reports/1?x=y`.
    package var target: String
    /// For instance `HTTP/1.1`.
    package var version: String
    package var headers: HeaderFields
    /// The body without its framing; empty if the server does not keep bodies.
    package var body: [UInt8] = []
    /// Bytes of the body that were read, kept or not.
    package var bodyByteCount = 0
    /// Whether the body was read to its end.
    package var isComplete = false
    /// TCP segments with data that the connection had brought when this request was read.
    package var segmentCount = 0
    /// The number of its connection: 0 for the first the server accepted.
    package var connection: Int
    /// The number of this request on the server, in the order in which the heads arrived: 0 for the first.
    package var index: Int

    /// The body as UTF-8, with replacement characters for what is not.
    package var text: String { String(decoding: body, as: UTF8.self) }
}

/// The header fields of a message, in their order.
package struct HeaderFields: Sendable {
    package var all: [(name: String, value: String)]

    package init(_ all: [(name: String, value: String)] = []) {
        self.all = all
    }

    /// The first value of a field, whatever the case of its name.
    package subscript(name: String) -> String? { values(name).first }

    /// All values of a field, in their order.
    package func values(_ name: String) -> [String] {
        let wanted = name.lowercased()
        return all.filter { $0.name.lowercased() == wanted }.map(\.value)
    }

    /// Whether a comma-separated field contains a token, whatever its case.
    package func has(_ token: String, in name: String) -> Bool {
        values(name).joined(separator: ",").lowercased().split(separator: ",").contains {
            trimmed($0) == token.lowercased()
        }
    }
}

/// The text without spaces and tabs around it.
func trimmed(_ text: some StringProtocol) -> String {
    let isBlank = { (character: Character) in character == " " || character == "\t" }
    var rest = Substring(text).drop(while: isBlank)
    while let last = rest.last, isBlank(last) { rest.removeLast() }
    return String(rest)
}
