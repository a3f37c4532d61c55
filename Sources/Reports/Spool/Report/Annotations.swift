import Diagnosis
import DurableIO

/// The bounds of what a report may be annotated with.
package enum Annotations {
    package static let maximumCount = 64
    /// In bytes.
    package static let maximumKeyByteCount = 64
    package static let maximumValueByteCount = 1 << 10

    /// - Throws: ``ReportsError`` with `badArgument`, naming the bound.
    package static func validate(_ annotations: [String: String]) throws(ReportsError) {
        guard annotations.count <= maximumCount else {
            throw ReportsError(
                .badArgument, "\(annotations.count) annotations are too many: at most \(maximumCount) are kept")
        }
        // On their way they are keys of a structured field, which are lower case.
        guard Set(annotations.keys.map { $0.lowercased() }).count == annotations.count else {
            throw ReportsError(.badArgument, "two annotation keys differ in case only: servers would see one of them")
        }
        for (key, value) in annotations {
            guard isKey(key) else { throw ReportsError(.badArgument, keyProblem(key)) }
            guard value.utf8.count <= maximumValueByteCount else {
                throw ReportsError(
                    .badArgument,
                    "the annotation \(key) has \(value.utf8.count) bytes: at most \(maximumValueByteCount) are kept")
            }
        }
    }

    /// Those of the annotations that keep to the bounds, the first ones where there are too many.
    static func lawful(_ members: [JSONObject.Member]) -> [String: String] {
        var annotations: [String: String] = [:]
        var lowerCased: Set<String> = []
        for member in members where annotations.count < maximumCount {
            guard let value = member.value.stringValue, isLawful(member.key, value),
                lowerCased.insert(member.key.lowercased()).inserted
            else { continue }
            annotations[member.key] = value
        }
        return annotations
    }

    /// Whether key and value keep to the bounds.
    static func isLawful(_ key: String, _ value: String) -> Bool {
        isKey(key) && value.utf8.count <= maximumValueByteCount
    }

    static func isKey(_ key: String) -> Bool {
        !key.isEmpty && key.utf8.count <= maximumKeyByteCount && key.utf8.allSatisfy(isKeyByte)
    }

    /// What to say of a key that is none.
    static func keyProblem(_ key: String) -> String {
        "\"\(QuotedText(key, limit: 80))\" is no annotation key: use 1 to \(maximumKeyByteCount) of A-Z a-z 0-9 . _ -"
    }

    private static func isKeyByte(_ byte: UInt8) -> Bool {
        byte.isASCIIAlphanumeric || "._-".utf8.contains(byte)
    }
}
