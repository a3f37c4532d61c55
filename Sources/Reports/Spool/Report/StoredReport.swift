import Background
import Diagnosis
import Digests
package import DurableIO

/// A report's file, as far as its header tells.
package struct StoredReport: Sendable {
    package let id: ContentHash
    package let properties: ReportProperties
    /// Of the payload, in bytes.
    package let size: UInt64
    /// What is sent, in bytes.
    package let wireSize: UInt64
    package let wireHash: ContentHash
    /// Where in the file the deflate stream begins.
    package let headerByteCount: Int

    package init(
        id: ContentHash, properties: ReportProperties, size: UInt64, wireSize: UInt64, wireHash: ContentHash,
        headerByteCount: Int
    ) {
        self.id = id
        self.properties = properties
        self.size = size
        self.wireSize = wireSize
        self.wireHash = wireHash
        self.headerByteCount = headerByteCount
    }

    /// The name in `queued/` and `parked/`.
    package static func name(of id: ContentHash) -> EntryName {
        EntryName(id.hex + suffix) ?? "unnamed"
    }

    /// The end of all names of reports' files.
    static let suffix = ".gz"

    /// The id that a name of `queued/`, `parked/` or `collected/` begins with.
    package static func id(in name: EntryName) -> ContentHash? {
        guard name.hasSuffix(suffix) else { return nil }
        return ContentHash(hexDigits: name.bytes.prefix { $0 != UInt8(ascii: ".") })
    }
}

extension StoredReport {
    /// The deflate stream and its trailer, as they lie in the report's file.
    fileprivate func deflated(in file: any BodySource) -> TransferBody.Segment {
        .range(
            of: file, offset: UInt64(headerByteCount), length: wireSize - UInt64(WireForm.prefix.count))
    }
}

/// Why a stored file is not the report its name says.
package struct DamagedReport: Error, Sendable, CustomStringConvertible {
    package let description: String
}

extension ReportSpool {
    /// Reads the header of a stored report.
    /// - Returns: `nil` when there is no such file.
    /// - Throws: ``DamagedReport`` when it is not what its name says, ``FileSystemError`` when it cannot be read.
    package func stored(_ name: EntryName, in room: Directory) throws -> StoredReport? {
        guard let id = StoredReport.id(in: name) else { throw DamagedReport(description: "not named by an id") }
        guard let file = try files.openFileIfPresent(name, in: room) else { return nil }
        return try stored(id, file)
    }

    private func stored(_ id: ContentHash, _ file: borrowing OwnedDescriptor) throws -> StoredReport {
        let facts = try files.metadata(of: file)
        guard facts.kind == .regular else { throw DamagedReport(description: "not a file") }
        return try stored(id, facts, try header(of: file))
    }

    private func stored(_ id: ContentHash, _ facts: FileMetadata, _ header: GzipMemberHeader) throws -> StoredReport {
        guard let json = header.properties, let record = header.record,
            let wireHash = ContentHash(bytes: record.wireDigest),
            let wire = WireForm(headerByteCount: header.byteCount, fileByteCount: facts.size)
        else { throw DamagedReport(description: "its header is incomplete") }
        let value: JSONValue
        do {
            value = try JSONValue.parse(json)
        } catch {
            throw DamagedReport(description: "its description is unreadable")
        }
        return StoredReport(
            id: id, properties: ReportProperties(json: value), size: record.payloadByteCount,
            wireSize: wire.byteCount, wireHash: wireHash, headerByteCount: header.byteCount)
    }

    /// Files up to this size are read once: what was checked is what is sent.
    private static let smallByteCount: UInt64 = 256 << 10

    /// A report with the segment that follows ``WireForm/prefix`` in what is sent. The segment gives out only bytes
    /// that were stored: a small one is checked here, a large one while it is read, as ``CheckedBody`` tells, or here
    /// as well.
    /// - Returns: `nil` when there is no such file.
    /// - Throws: ``DamagedReport`` when its bytes are not those that were stored, ``FileSystemError`` when they cannot
    ///   be read.
    func checked(
        _ name: EntryName, in room: Directory, isReadInOrder: Bool
    ) throws -> (report: StoredReport, deflated: TransferBody.Segment)? {
        guard let id = StoredReport.id(in: name) else { throw DamagedReport(description: "not named by an id") }
        guard let file = try files.openFileIfPresent(name, in: room) else { return nil }
        let facts = try files.metadata(of: file)
        guard facts.kind == .regular else { throw DamagedReport(description: "not a file") }
        guard facts.size <= Self.smallByteCount else {
            let report = try stored(id, facts, try header(of: file))
            if isReadInOrder {
                return (report, report.deflated(in: CheckedBody(directory: room, name: name, report: report)))
            }
            guard try isWhole(report, file) else { throw DamagedReport(description: Self.otherBytes) }
            return (report, report.deflated(in: FileBody(directory: room, name: name)))
        }
        let bytes = try files.read(file, limit: Int(facts.size))
        let header: GzipMemberHeader
        do {
            header = try GzipMemberHeader(parsing: bytes)
        } catch {
            throw DamagedReport(description: "its header is damaged")
        }
        let report = try stored(id, facts, header)
        var hasher = ContentHash.Hasher()
        hasher.update(WireForm.prefix)
        bytes.withUnsafeBytes { hasher.update(UnsafeRawBufferPointer(rebasing: $0.dropFirst(header.byteCount))) }
        guard bytes.count == Int(facts.size), hasher.finish() == report.wireHash else {
            throw DamagedReport(description: Self.otherBytes)
        }
        return (report, .bytes(Array(bytes.dropFirst(header.byteCount))))
    }

    private static let otherBytes = "its bytes are not those that were stored"

    private func header(of file: borrowing OwnedDescriptor) throws -> GzipMemberHeader {
        // Most headers fit the first page; annotations may make them as large as their bound.
        for limit in [4 << 10, GzipMemberHeader.maximumByteCount] {
            let bytes = try files.read(file, limit: limit)
            do {
                return try GzipMemberHeader(parsing: bytes)
            } catch .truncated where bytes.count == limit {
                continue
            } catch {
                throw DamagedReport(description: "its header is damaged")
            }
        }
        throw DamagedReport(description: "its header is too long")
    }

    /// Whether the bytes that would be sent are those that were stored.
    /// - Throws: ``FileSystemError`` when they cannot be read, `CancellationError` when the task was cancelled between
    ///   two blocks of them.
    package func isWhole(_ report: StoredReport, named name: EntryName, in room: Directory) throws -> Bool {
        try isWhole(report, files.openFile(name, in: room))
    }

    private func isWhole(_ report: StoredReport, _ file: borrowing OwnedDescriptor) throws -> Bool {
        var hasher = ContentHash.Hasher()
        hasher.update(WireForm.prefix)
        var offset = UInt64(report.headerByteCount)
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 16)
        defer { buffer.deallocate() }
        while true {
            let count = try files.read(file, into: buffer, at: offset)
            if count == 0 { break }
            hasher.update(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            offset += UInt64(count)
            if count == buffer.count { try Task.checkCancellation() }
        }
        return hasher.finish() == report.wireHash
    }

    /// Whether a sound file of the report lies in the room.
    package func hasWhole(_ id: ContentHash, in room: Directory) throws -> Bool {
        let name = StoredReport.name(of: id)
        do {
            guard let report = try stored(name, in: room) else { return false }
            return try isWhole(report, named: name, in: room)
        } catch is DamagedReport {
            return false
        } catch let error as FileSystemError where error.operation == .read {
            return false
        } catch let error as FileSystemError where error.errno == .noSuchFileOrDirectory {
            // Moved away while it was read.
            return false
        }
    }
}
