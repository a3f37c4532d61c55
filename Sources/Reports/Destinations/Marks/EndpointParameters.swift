import DurableIO

/// The parameters in the query of an endpoint whose query is not the server's, but says how to send.
///
/// A name that is unknown, or stands there twice, is refused, and so is a parameter without a usable value: a setting
/// that is spelt wrong must not be ignored. No message holds a value, where somebody may have written a secret.
struct EndpointParameters: Sendable {
    private var values: [String: String] = [:]

    /// - Parameters:
    ///   - query: what stands behind the question mark.
    ///   - known: the names of the parameters that there are.
    /// - Throws: ``ReportsError`` with ``ReportsError/Code/badConfiguration``.
    init(_ query: Substring, known: [String]) throws(ReportsError) {
        for item in query.split(separator: "&") {
            guard let equals = item.firstIndex(of: "=") else {
                throw Self.problem("has a parameter without a value: \(Self.list(known))")
            }
            let name = item[..<equals]
            guard known.contains(String(name)) else { throw Self.unknown(name, known) }
            guard let value = PercentEncoding.decode(item[item.index(after: equals)...]), !value.isEmpty,
                value.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f })
            else { throw Self.problem("has no usable value for \(name)") }
            guard values.updateValue(value, forKey: String(name)) == nil else {
                throw Self.problem("has the parameter \(name) twice")
            }
        }
    }

    /// The value of a parameter; `nil` where it is not there.
    subscript(name: String) -> String? { values[name] }

    /// The value of a parameter that has one word of several.
    /// - Returns: `nil` where it is not there.
    func word<Word: RawRepresentable<String> & CaseIterable>(
        _ name: String, of type: Word.Type
    ) throws(ReportsError) -> Word? {
        guard let text = values[name] else { return nil }
        guard let word = Word(rawValue: text) else {
            let words = Word.allCases.map(\.rawValue).joined(separator: " or ")
            throw Self.problem("has an unknown value for \(name): write \(words)")
        }
        return word
    }

    private static func list(_ known: [String]) -> String {
        known.count == 1 ? "the only parameter is \(known[0])" : "the parameters are " + known.joined(separator: ", ")
    }

    private static func unknown(_ name: Substring, _ known: [String]) -> ReportsError {
        let plain = name.lowercased()
        if ["key", "secret", "token", "signature", "password"].contains(where: plain.contains) {
            return problem("has a parameter for credentials, which do not stand there: \(list(known))")
        }
        let meant = NearestName.of(name, among: known)
        let hint = meant.map { "did you mean \($0)?" } ?? list(known)
        // What is no word may be a key that got to the wrong place.
        let isWord = name.utf8.count <= 16 && name.utf8.allSatisfy { $0.isASCIILetter || "-_".utf8.contains($0) }
        let shown = isWord || meant != nil ? "\(QuotedText(name, limit: 40))" : "***"
        return problem("has the unknown parameter \"\(shown)\": \(hint)")
    }

    private static func problem(_ text: String) -> ReportsError {
        ReportsError(.badConfiguration, "the endpoint \(text)")
    }
}
