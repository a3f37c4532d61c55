import Diagnosis
import DurableIO

/// The description of the payload in a packed drop: the header of a drop that is one gzip member with this project's
/// own sub-field `RP`.
///
/// Any program may write such a drop, and `reports add` of another user does. So the owner takes only these facts from
/// the header: the kind, the name, the annotations, the time of collection, and whether the payload is a snapshot. The
/// owner itself finds out the id, the sizes and the format, and decides where the report goes. A fact that breaks the
/// bounds of a report's description is left out, and the payload is collected all the same.
package struct DropHeader: Sendable {
    /// The kind that the header gives; `nil` when the payload has to show the kind.
    package let kind: ReportKind?
    /// The payload's name, in which `_` stands for each `/` and each control character.
    package let name: [UInt8]?
    package let annotations: [String: String]
    /// When the payload was collected, in milliseconds since the epoch; `nil` when the header gives no time, or a time
    /// before 1970.
    let collectedAt: Int64?
    /// When what the payload tells of happened, in milliseconds since the epoch; `nil` when the header does not say it.
    let occurredAt: Int64?
    let isSnapshot: Bool
    /// Where the deflate stream begins.
    let byteCount: Int
    /// How many bytes the payload has, as the member's trailer says; `UInt64.max` where the trailer cannot tell.
    let payloadByteCount: UInt64

    /// The number of bytes of a file that are looked at first.
    private static let glimpseByteCount = CrashLikeness.glimpseByteCount
    /// The trailer gives the size modulo 4 GiB, and one byte of a deflate stream makes at most 1,032 bytes. So a file
    /// with fewer bytes than this number cannot hold as much as 4 GiB.
    private static let longestTellingByteCount: UInt64 = (1 << 32) / 1_032

    /// Reads the header of a drop.
    /// - Parameters:
    ///   - file: the drop.
    ///   - beginning: the first KiB of the drop, or the whole of a shorter drop. With `nil`, the default, this function
    ///     reads it.
    ///   - size: the size of the drop, in bytes.
    ///   - files: the disk.
    /// - Returns: the header; `nil` for a file that is no packed drop.
    /// - Throws: an error when the file cannot be read.
    static func read(
        of file: borrowing OwnedDescriptor, beginning: [UInt8]? = nil, size: UInt64, files: any FileSystem
    ) throws(FileSystemError) -> DropHeader? {
        var bytes = if let beginning { beginning } else { try files.read(file, limit: glimpseByteCount) }
        // For most drops, the first bytes show that they are not packed.
        guard bytes.starts(with: WireForm.prefix.prefix(3)), size > UInt64(WireForm.minimumBodyByteCount) else {
            return nil
        }
        var header = parsed(bytes)
        if header == nil, bytes.count == glimpseByteCount {
            bytes = try files.read(file, limit: GzipMemberHeader.maximumByteCount)
            header = parsed(bytes)
        }
        guard let header, let json = description(in: header) else { return nil }
        let length = try files.read(file, limit: 4, at: size - 4)
        return DropHeader(json, byteCount: header.byteCount, fileByteCount: size, length: length)
    }

    private static func parsed(_ bytes: [UInt8]) -> GzipMemberHeader? { try? GzipMemberHeader(parsing: bytes) }

    private static func description(in header: GzipMemberHeader) -> JSONValue? {
        guard let properties = header.properties, properties.count <= GzipMemberHeader.maximumPropertiesByteCount,
            let json = try? JSONValue.parse(properties), json.objectValue != nil
        else { return nil }
        return json
    }

    private init(_ json: JSONValue, byteCount: Int, fileByteCount: UInt64, length: [UInt8]) {
        let said = ReportProperties(json: json)
        // If a producer has recognised the kind from the content, the owner recognises it again.
        let isGiven = json["kind_from"] == nil || said.kindSource == .given
        kind = isGiven ? json["kind"]?.stringValue.flatMap(ReportKind.init(rawValue:)) : nil
        name = said.name.flatMap(ReportName.safe)
        annotations = Annotations.lawful(json["annotations"]?.objectValue?.members ?? [])
        collectedAt = said.collectedAt > 0 ? said.collectedAt : nil
        occurredAt = said.occurredAt
        isSnapshot = said.isSnapshot
        self.byteCount = byteCount
        payloadByteCount =
            fileByteCount < Self.longestTellingByteCount
            ? length.reversed().reduce(0) { $0 << 8 | UInt64($1) } : .max
    }

    /// How much the payload looks like a crash.
    /// - Parameters:
    ///   - file: the drop.
    ///   - files: the disk.
    /// - Returns: the likeness of the given kind. Without a given kind, the likeness that the payload's first KiB and
    ///   its name show.
    /// - Throws: an error when the file cannot be read.
    func likeness(
        of file: borrowing OwnedDescriptor, files: any FileSystem
    ) throws(FileSystemError) -> CrashLikeness {
        if let kind { return kind == .crash ? .begun : .none }
        let bytes = try files.read(file, limit: byteCount + Self.glimpseByteCount)
        let head = Inflater.gzipPrefix(bytes[...], limit: Self.glimpseByteCount) ?? []
        return CrashLikeness(
            head: head[...], isWhole: UInt64(head.count) >= payloadByteCount, name: name ?? [],
            inflate: { Inflater.gzipPrefix($0, limit: $1) })
    }
}
