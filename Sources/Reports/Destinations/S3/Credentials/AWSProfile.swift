import DurableIO
import SystemPackage

/// A profile of the files of the AWS tools, `~/.aws/credentials` and `~/.aws/config`.
///
/// Both are lines `NAME = VALUE` in sections: `[NAME]` in the first, `[profile NAME]` and `[default]` in the second.
/// What the first says counts more. Sections within a value, which are indented, are passed over.
struct AWSProfile: Sendable {
    let name: String
    private let values: [String: String]
    /// The files that were looked for.
    let paths: [FilePath]
    /// Whether any of the files has the profile.
    let exists: Bool

    subscript(key: String) -> String? { values[key].flatMap { $0.isEmpty ? nil : $0 } }

    /// Reads a profile.
    /// - Parameters:
    ///   - name: of the profile; `nil` for the one that the environment names.
    ///   - file: the file of keys; `nil` for the usual one.
    ///   - surroundings: where the files are.
    /// - Throws: ``FileSystemError`` when a file is there and cannot be read.
    init(_ name: String?, file: FilePath?, in surroundings: S3Surroundings) throws(FileSystemError) {
        let name = name ?? surroundings.variable("AWS_PROFILE", "AWS_DEFAULT_PROFILE") ?? "default"
        self.name = name
        let config = surroundings.path(surroundings.variable("AWS_CONFIG_FILE") ?? "~/.aws/config")
        let keys =
            file ?? surroundings.path(surroundings.variable("AWS_SHARED_CREDENTIALS_FILE") ?? "~/.aws/credentials")
        var sections: [[String: String]] = []
        if let config, let bytes = try surroundings.contents(of: config) {
            // The AWS tools take the default profile under both names.
            let found = Self.sections(bytes)
            sections += [name == "default" ? found["default"] : nil, found["profile \(name)"]].compactMap(\.self)
        }
        if let keys, let bytes = try surroundings.contents(of: keys) {
            sections += [Self.sections(bytes)[name]].compactMap(\.self)
        }
        exists = !sections.isEmpty
        values = sections.reduce(into: [:]) { $0.merge($1) { _, later in later } }
        paths = [keys, config].compactMap(\.self)
    }

    private static func sections(_ bytes: [UInt8]) -> [String: [String: String]] {
        var sections: [String: [String: String]] = [:]
        var current: String?
        for line in bytes.split(separator: 0x0a) {
            guard let first = line.first, !first.isASCIIBlank else { continue }
            let text = String(decoding: line.filter { $0 != 0x0d }, as: UTF8.self)
            if first == UInt8(ascii: "[") {
                // Blanks within a name do not count: [profile  NAME].
                let name = text.dropFirst().prefix { $0 != "]" }.split(whereSeparator: { $0 == " " || $0 == "\t" })
                current = name.joined(separator: " ")
                if let current { sections[current, default: [:]] = sections[current] ?? [:] }
            } else if let current, first != UInt8(ascii: "#"), first != UInt8(ascii: ";"),
                let equals = text.firstIndex(of: "=")
            {
                let value = Array(text[text.index(after: equals)...].utf8)[...].withoutBlanks
                sections[current]?[trimmed(text[..<equals]).lowercased()] = String(decoding: value, as: UTF8.self)
            }
        }
        return sections
    }

    private static func trimmed(_ text: Substring) -> String {
        String(decoding: Array(text.utf8)[...].withoutBlanks, as: UTF8.self)
    }
}
