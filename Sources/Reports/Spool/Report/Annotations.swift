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
            guard !key.isEmpty, key.utf8.count <= maximumKeyByteCount, key.utf8.allSatisfy(isKeyByte) else {
                throw ReportsError(
                    .badArgument,
                    "\"\(QuotedText(key, limit: 80))\" is no annotation key: use 1 to \(maximumKeyByteCount) of "
                        + "A-Z a-z 0-9 . _ -")
            }
            guard value.utf8.count <= maximumValueByteCount else {
                throw ReportsError(
                    .badArgument,
                    "the annotation \(key) has \(value.utf8.count) bytes: at most \(maximumValueByteCount) are kept")
            }
        }
    }

    private static func isKeyByte(_ byte: UInt8) -> Bool {
        byte.isASCIIAlphanumeric || "._-".utf8.contains(byte)
    }
}
