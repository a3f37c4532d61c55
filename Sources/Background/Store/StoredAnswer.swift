package import HTTPTypes

/// An answer's head as the ledger keeps it, so that a caller who comes later still gets it: the status on the first
/// line, then a line for each header field.
package struct StoredAnswer: Hashable, Sendable {
    package var status: Int
    package var fields: HTTPFields

    package init(_ answer: TransferAnswer) {
        status = answer.status
        // Cookies are credentials, and those do not belong in a ledger.
        fields = answer.fields.filtered { $0 != .setCookie }
    }

    /// Field values cannot hold line ends, so lines are enough.
    package var text: String {
        ([String(status)] + fields.map { "\($0.name.rawName): \($0.value)" }).joined(separator: "\n")
    }

    package init?(text: String) {
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false)[...]
        guard let status = lines.popFirst().flatMap({ Int($0) }) else { return nil }
        self.status = status
        fields = HTTPFields()
        for line in lines {
            guard let colon = line.firstIndex(of: ":"), let name = HTTPField.Name(String(line[..<colon])) else {
                continue
            }
            fields.append(HTTPField(name: name, value: String(line[line.index(after: colon)...].drop { $0 == " " })))
        }
    }
}

extension HTTPFields {
    fileprivate func filtered(_ isWanted: (HTTPField.Name) -> Bool) -> HTTPFields {
        HTTPFields(filter { isWanted($0.name) })
    }
}
