import Digests
import DurableIO

/// The collecting of one payload: hashes and compresses its bytes into the file of a stored report.
struct CollectingPass: ~Copyable {
    private let header: GzipMemberHeader
    private let descriptionByteCount: Int
    private var hasher = ContentHash.Hasher()
    private var writer: MemberWriter
    private var sink: PublicationSink
    private(set) var byteCount: UInt64 = 0

    /// Begins a stored report.
    /// - Parameters:
    ///   - properties: the report's description, as far as it is known.
    ///   - byteCount: the room for the description in the file's header, for what only the end of the payload tells. At
    ///     most 48 KiB are used: where annotations leave less than the description needs, its summary gets shorter.
    ///   - publication: the file.
    /// - Throws: ``ReportsError`` when the annotations are too long together, an error of the disk, or zlib's for want of
    ///   memory.
    init(properties: ReportProperties, byteCount: Int, publication: Publication) throws {
        let json = properties.json(paddedTo: min(byteCount, GzipMemberHeader.maximumPropertiesByteCount))
        let header = try Self.header(of: properties, json)
        var sink = PublicationSink(publication)
        let writer = try Self.writer(header, to: &sink)
        self.header = header
        self.descriptionByteCount = json.count
        self.writer = writer
        self.sink = sink
    }

    private static func header(
        of properties: ReportProperties, _ json: [UInt8]
    ) throws(ReportsError) -> GzipMemberHeader {
        do {
            return try GzipMemberHeader(
                name: properties.name, properties: json,
                modificationTime: UInt32(clamping: properties.collectedAt / 1_000))
        } catch {
            throw ReportsError(
                .badArgument,
                "the annotations are too long together: at most \(GzipMemberHeader.maximumPropertiesByteCount) bytes")
        }
    }

    private static func writer(_ header: GzipMemberHeader, to sink: inout PublicationSink) throws -> MemberWriter {
        do {
            return try MemberWriter(header: header, to: &sink)
        } catch {
            throw CompressionErrors.cause(of: error)
        }
    }

    mutating func add(_ bytes: UnsafeRawBufferPointer) throws {
        hasher.update(bytes)
        byteCount += UInt64(bytes.count)
        do {
            try writer.write(bytes, to: &sink)
        } catch {
            throw CompressionErrors.cause(of: error)
        }
    }

    /// The number of bytes that were written to the file so far. Only whole blocks are written.
    var storedByteCount: UInt64 { sink.byteCount }

    /// Ends the gzip member. Then writes the parts of the member's header that are known only at the end: the record,
    /// and the description.
    /// - Parameter properties: the report's description, all of it.
    /// - Returns: the report, complete in its file.
    /// - Throws: an error of the disk or of zlib.
    consuming func finish(_ properties: ReportProperties) throws -> ReportCollector.Collected {
        var sink = self.sink
        let summary: MemberWriter.Summary
        do {
            summary = try writer.finish(to: &sink)
        } catch {
            throw CompressionErrors.cause(of: error)
        }
        let wireHash = sink.wireHash
        let record = GzipMemberHeader.Record(payloadByteCount: summary.payloadByteCount, wireDigest: wireHash.bytes)
        let json = properties.json(paddedTo: descriptionByteCount)
        try sink.finish(record: record.encoded(), properties: json == header.properties ? nil : json)
        let report = StoredReport(
            id: hasher.finish(), properties: properties, size: summary.payloadByteCount,
            wireSize: summary.wireByteCount, wireHash: wireHash, headerByteCount: header.byteCount)
        return ReportCollector.Collected(report: report, publication: sink.publication)
    }
}

/// Writes a gzip member to its file in large pieces, and hashes the bytes that are sent.
struct PublicationSink: MemberSink {
    typealias Failure = FileSystemError

    let publication: Publication
    private var wireHasher = ContentHash.Hasher()
    private var pending: [UInt8] = []
    private var isFlushed = false
    private var pace = WriteBackPace()
    /// The number of bytes of the member so far.
    private(set) var byteCount: UInt64 = 0

    private static let pieceByteCount = 128 << 10

    init(_ publication: Publication) {
        self.publication = publication
    }

    var wireHash: ContentHash { wireHasher.finish() }

    mutating func writeMember(_ bytes: UnsafeRawBufferPointer) throws(FileSystemError) {
        byteCount += UInt64(bytes.count)
        if pending.isEmpty, bytes.count >= Self.pieceByteCount {
            isFlushed = true
            try publication.write(bytes)
            return try pace.go(on: publication, written: byteCount)
        }
        pending.append(contentsOf: bytes)
        guard pending.count >= Self.pieceByteCount else { return }
        try flush()
        try pace.go(on: publication, written: byteCount)
    }

    mutating func writeWire(_ bytes: UnsafeRawBufferPointer) {
        wireHasher.update(bytes)
    }

    /// Writes the rest of the member, and writes the record and the properties into the member's header. A small report
    /// is written to the disk in one piece.
    ///
    /// The new properties are as long as the properties that the header has; `nil` leaves the header's properties as
    /// they are.
    mutating func finish(record: [UInt8], properties: [UInt8]?) throws(FileSystemError) {
        let pieces = [(GzipMemberHeader.recordOffset, record), (GzipMemberHeader.propertiesOffset, properties ?? [])]
        if !isFlushed {
            for (offset, piece) in pieces { pending.replaceSubrange(offset..<offset + piece.count, with: piece) }
            return try flush()
        }
        try flush()
        for (offset, piece) in pieces where !piece.isEmpty { try publication.write(piece, at: UInt64(offset)) }
    }

    private mutating func flush() throws(FileSystemError) {
        isFlushed = true
        try publication.write(pending)
        pending.removeAll(keepingCapacity: true)
    }
}

/// Returns the error that caused an error of compression.
enum CompressionErrors {
    static func cause<Output: Error>(of failure: CompressionFailure<Output>) -> any Error {
        switch failure {
        case .zlib(let error): error
        case .output(let error): error
        }
    }
}
