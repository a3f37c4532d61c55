package import DurableIO

/// A drop room: a directory directly in `incoming/` whose name says which program its drops are from.
///
/// Its name is `SERVICE` or `SERVICE@VERSION`, for example `shop@2.1`. Each of the two parts is 1 to 64 bytes of
/// `A-Z a-z 0-9 . _ : -`. The last `@` separates them, so a service may be an instance such as `worker@eu`. The room
/// has to belong to the spool's user or to root, because it speaks for its drops. The owner of the spool never makes or
/// removes a drop room.
package struct DropRoom: Hashable, Sendable {
    package let name: EntryName

    private static let longestPart = 64
    private static let separator = UInt8(ascii: "@")

    /// - Returns: `nil` for a name that is no `SERVICE[@VERSION]`, begins with a dot, or ends like a file.
    package init?(_ name: EntryName) {
        guard !name.isHidden, !Self.endsLikeFile(name) else { return nil }
        self.name = name
        let (service, version) = parts
        // A service may hold `@` only if a version follows.
        guard Self.isPart(service, mayHoldSeparator: version != nil), version.map({ Self.isPart($0) }) ?? true else {
            return nil
        }
    }

    /// The annotations that each drop in the room gets, and that nothing the drop says can change.
    package var annotations: [String: String] {
        let (service, version) = parts
        var annotations = [AnnotationKey.service: String(decoding: service, as: UTF8.self)]
        annotations[AnnotationKey.version] = version.map { String(decoding: $0, as: UTF8.self) }
        return annotations
    }

    private var parts: (service: ArraySlice<UInt8>, version: ArraySlice<UInt8>?) {
        guard let mark = name.bytes.lastIndex(of: Self.separator) else { return (name.bytes[...], nil) }
        return (name.bytes[..<mark], name.bytes[(mark + 1)...])
    }

    private static func isPart(_ bytes: ArraySlice<UInt8>, mayHoldSeparator: Bool = false) -> Bool {
        (1...longestPart).contains(bytes.count)
            && bytes.allSatisfy { byte in
                byte.isASCIIAlphanumeric || "._:-".utf8.contains(byte) || mayHoldSeparator && byte == separator
            }
    }

    /// The ends of names that files have which programs drop. A directory of such a name was most likely made or moved
    /// here by mistake.
    private static let fileSuffixes = [
        ".annotations", ".bz2", ".crash", ".csv", ".dmp", ".dump", ".err", ".gz", ".html", ".ips", ".json", ".jsonl",
        ".log", ".lz4", ".md", ".mdmp", ".mxdiagnostic", ".out", ".partial", ".tar", ".tgz", ".tmp", ".trace", ".txt",
        ".xml", ".xz", ".zip", ".zst",
    ]

    static func endsLikeFile(_ name: EntryName) -> Bool {
        guard let dot = name.bytes.lastIndex(of: UInt8(ascii: ".")) else { return false }
        let suffix = String(decoding: name.bytes[dot...], as: UTF8.self).lowercased()
        return fileSuffixes.contains(suffix)
    }
}
