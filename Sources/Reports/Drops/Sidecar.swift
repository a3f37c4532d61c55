import DurableIO

/// A sidecar: a file `NAME.annotations` beside the drop `NAME`, with one annotation `key=value` in each line.
///
/// A program writes it before it drops the payload, or renames it into the drop zone first. The annotations survive
/// whatever the payload survives. Empty lines and lines that begin with `#` say nothing. A line that is no annotation,
/// a key that comes a second time, and keys beyond 64 are left out and counted. A sidecar is never a payload, and never
/// keeps its payload back.
struct Sidecar: Hashable, Sendable {
    let annotations: [String: String]
    /// How many lines were left out.
    let ignoredCount: Int

    /// The end of the names of sidecars.
    static let suffix = ".annotations"
    /// The largest size of a sidecar in bytes: 64 KiB.
    static let maximumByteCount = 64 << 10

    /// Reads the lines of a sidecar.
    /// - Parameter bytes: the contents; `nil` when they cannot be read, which counts as one line that is left out.
    init(_ bytes: [UInt8]?) {
        let lines = bytes.flatMap { try? WrittenText($0, limit: Self.maximumByteCount).lines }
        var (annotations, keys, ignored) = ([String: String](), Set<String>(), lines == nil ? 1 : 0)
        for line in lines ?? [] {
            guard let (key, value) = line.text.flatMap(Self.annotation), annotations.count < Annotations.maximumCount,
                keys.insert(key.lowercased()).inserted
            else {
                ignored += 1
                continue
            }
            annotations[key] = value
        }
        (self.annotations, ignoredCount) = (annotations, ignored)
    }

    private static func annotation(_ line: Substring) -> (key: String, value: String)? {
        guard let mark = line.firstIndex(of: "=") else { return nil }
        let (key, value) = (String(line[..<mark]), String(line[line.index(after: mark)...]))
        // Only the owner counts what it has left out.
        guard Annotations.isLawful(key, value), key.lowercased() != AnnotationKey.ignoredLines else { return nil }
        return (key, value)
    }

    /// Whether a file of this name is a sidecar.
    static func isName(_ name: EntryName) -> Bool { name.hasSuffix(suffix) }

    /// The name of the sidecar of a drop; `nil` if the name would be too long for a file system.
    static func name(of drop: EntryName) -> EntryName? {
        guard drop.bytes.count + suffix.utf8.count <= TakenName.maximumByteCount else { return nil }
        return EntryName(bytes: drop.bytes + suffix.utf8)
    }

    /// A name for a sidecar that its drop has left behind: `NAME.<nonce>.annotations`, of no drop that there ever is.
    static func nameAside(of drop: EntryName) -> EntryName? {
        let nonce = Array(".".utf8) + EntryName.unique().bytes.prefix(16)
        let limit = TakenName.maximumByteCount - suffix.utf8.count - nonce.count
        return EntryName(bytes: drop.bytes.prefix(limit) + nonce + suffix.utf8)
    }

    /// The name of the drop that a sidecar belongs to; `nil` for a file that is no sidecar, or has no other name than
    /// the suffix.
    static func drop(of sidecar: EntryName) -> EntryName? {
        isName(sidecar) ? EntryName(bytes: Array(sidecar.bytes.dropLast(suffix.utf8.count))) : nil
    }
}
