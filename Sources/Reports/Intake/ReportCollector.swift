import Diagnosis
package import DurableIO

/// Collects payloads: turns a payload into a stored report that is ready to be published. The payload is read once, and
/// hashed and compressed at the same time.
package struct ReportCollector {
    private let room: CollectingRoom

    package init(spool: ReportSpool) {
        self.init(in: spool.collecting)
    }

    init(in room: CollectingRoom) {
        self.room = room
    }

    /// The facts about a payload besides its bytes.
    package struct Description: Sendable {
        package var kind: ReportKind?
        package var name: [UInt8]?
        package var annotations: [String: String]
        /// The annotations of a packed drop's payload, with those in the drop's header. With `nil`, the others count. They
        /// do not count when the drop turns out not to be packed.
        var unpackedAnnotations: [String: String]?
        /// See ``ReportProperties/source``.
        package var source: String?
        /// See ``ReportProperties/request``.
        package var request: CallerRequest?
        /// When another process collected the payload, in milliseconds since 1970; `nil` when the payload is collected
        /// now.
        var collectedAt: Int64?
        /// When what the payload tells of happened, in milliseconds since 1970, where somebody said so. With `nil`, the
        /// payload's own time counts, and then the time of its file's last change.
        package var occurredAt: Int64?
        /// Whether another process has found that the payload is a snapshot.
        var isSnapshot = false
        /// The last change of the payload's file, in milliseconds since 1970.
        private var modifiedAt: Int64?
        /// The annotations that are left out first when the stored report has no space for all.
        var dispensableKeys: Set<String> = []
        /// Whether any other annotations are left out, too, when there is still no space for them.
        var leavesOutAnnotations = false

        package init(
            kind: ReportKind? = nil, name: [UInt8]? = nil, annotations: [String: String] = [:], source: String? = nil,
            request: CallerRequest? = nil
        ) {
            self.kind = kind
            self.name = name
            self.annotations = annotations
            self.source = source
            self.request = request
        }
    }

    /// A report whose bytes are complete in a temporary file. The report is not durable yet and has no name of its own.
    package struct Collected {
        package let report: StoredReport
        package let publication: Publication
    }

    /// Reads, recognises, hashes and compresses a payload.
    /// - Parameters:
    ///   - source: the source of the payload's bytes.
    ///   - description: the other facts about the payload.
    ///   - pause: called between two blocks of the payload. The default does nothing.
    /// - Returns: the report, complete in a temporary file.
    /// - Throws: ``PayloadProblem`` for a fault of the payload, and ``FileSystemError`` for a fault of the disk.
    ///   `CancellationError` when the task was cancelled; a payload of only one block is collected all the same.
    package func collect(
        _ source: consuming PayloadSource, as description: Description, betweenBlocks pause: () -> Void = {}
    ) throws -> Collected {
        switch consume source {
        case .bytes(let bytes):
            return try add(bytes, as: description, betweenBlocks: pause)
        case .file(let file, let facts):
            let description = description.noting(facts)
            var reading = PayloadReading(file, facts: facts, mayGrow: false, files: room.files)
            return try readToEnd(&reading, as: description, betweenBlocks: pause)
        case .pipe(let file):
            // From now on a read of this pipe waits for the pipe's writer.
            try room.files.makeBlocking(file)
            var reading = PayloadReading(file, facts: nil, mayGrow: false, files: room.files)
            return try readToEnd(&reading, as: description, betweenBlocks: pause)
        case .growingFile(let file, let facts):
            let description = description.noting(facts)
            var reading = PayloadReading(file, facts: facts, mayGrow: true, files: room.files)
            return try readToEnd(&reading, as: description, betweenBlocks: pause)
        case .packed(let file, let facts, let header):
            return try unpack(file, facts, header, as: description, betweenBlocks: pause)
        }
    }

    /// Collects the payload of a packed drop. If the drop is damaged, or has bytes besides its gzip member, the drop
    /// itself is the payload.
    private func unpack(
        _ file: consuming OwnedDescriptor, _ facts: FileMetadata, _ header: DropHeader, as description: Description,
        betweenBlocks pause: () -> Void
    ) throws -> Collected {
        var reading = try UnpackedReading(file, facts: facts, header: header, files: room.files)
        do {
            return try readToEnd(&reading, as: description.taking(header).noting(facts), betweenBlocks: pause)
        } catch let error as ZlibError where error.code != .outOfMemory {
            return try collect(.file(reading.giveBack(), facts: facts), as: description, betweenBlocks: pause)
        }
    }

    /// The size of a block of bytes in memory: 1 MiB.
    private static let blockByteCount = 1 << 20

    private func add(
        _ bytes: [UInt8], as description: Description, betweenBlocks pause: () -> Void
    ) throws -> Collected {
        let isLong = bytes.count > Self.blockByteCount
        let diagnosis = PayloadExcerpt.diagnosis(of: bytes, name: description.name ?? [])
        let properties = properties(description, diagnosis)
        var pass = try CollectingPass(
            properties: properties, byteCount: properties.byteCount, publication: room.newPublication())
        try bytes.withUnsafeBytes { bytes in
            for start in stride(from: 0, to: bytes.count, by: Self.blockByteCount) {
                if start > 0 { pause() }
                if isLong { try Task.checkCancellation() }
                try pass.add(UnsafeRawBufferPointer(rebasing: bytes[start...].prefix(Self.blockByteCount)))
            }
        }
        if isLong { try Task.checkCancellation() }
        return try finish(pass, properties)
    }

    private func readToEnd(
        _ reading: inout some PayloadPieces & ~Copyable, as description: Description, betweenBlocks pause: () -> Void
    ) throws -> Collected {
        var guardian = SpaceGuard(room, expecting: reading.expected, isUnpacking: reading.isUnpacking)
        var excerpt = PayloadExcerpt()
        try reading.fill()
        excerpt.add(reading.bytes)
        // A payload of one block is known before anything is written. It is stored even when the task was cancelled:
        // this takes milliseconds, and the payload may say why the task was cancelled.
        let isLong = !reading.isAtEnd
        let name = description.name ?? []
        let early = isLong ? nil : excerpt.diagnosis(name: name)
        let known = properties(description, early)
        var pass = try CollectingPass(
            properties: known,
            byteCount: isLong ? known.widestByteCount : reading.mayGrow ? known.snapshotByteCount : known.byteCount,
            publication: room.newPublication())
        while true {
            if isLong { try Task.checkCancellation() }
            try pass.add(reading.bytes)
            try guardian.check(read: pass.byteCount, stored: pass.storedByteCount)
            if reading.isAtEnd { break }
            pause()
            try reading.fill()
            excerpt.add(reading.bytes)
        }
        if isLong { try Task.checkCancellation() }
        var properties = isLong ? properties(description, excerpt.diagnosis(name: name)) : known
        if try reading.end(isText: properties.isText) { properties.isSnapshot = true }
        return try finish(pass, properties)
    }

    private func finish(_ pass: consuming CollectingPass, _ properties: ReportProperties) throws -> Collected {
        let collected = try pass.finish(properties)
        try SpaceGuard.checkTotal(collected.report.wireSize, room)
        return collected
    }

    /// The description of a report, as far as it is known.
    private func properties(_ description: Description, _ diagnosis: Diagnosis?) -> ReportProperties {
        var properties = ReportProperties(
            kind: description.kind ?? .other, from: description.kind == nil ? .default : .given, format: "binary",
            contentType: "application/octet-stream", name: description.name,
            collectedAt: min(description.collectedAt ?? .max, room.clock.wallMilliseconds),
            annotations: description.annotations, summary: "", source: description.source,
            request: description.request)
        properties.isSnapshot = description.isSnapshot
        if let diagnosis { properties.describe(diagnosis, keepingKind: description.kind != nil) }
        properties.occurredAt = description.occurredAt(in: diagnosis).map { min($0, properties.collectedAt) }
        let limit = GzipMemberHeader.maximumPropertiesByteCount
        properties.leaveOutAnnotations(description.dispensableKeys, beyond: limit)
        if description.leavesOutAnnotations {
            properties.leaveOutAnnotations(Set(properties.annotations.keys), beyond: limit)
        }
        return properties
    }

    /// Refuses a file that would not fit, before the file is read. `facts` are `nil` when nothing is known of the file.
    package func checkSpace(for facts: FileMetadata?) throws {
        if let facts, let problem = room.limits.refusal(of: facts) { throw problem }
        try checkSpace(for: facts?.countedByteCount ?? 0)
    }

    /// Refuses a number of bytes that would not fit, before the bytes are read.
    package func checkSpace(for size: UInt64) throws {
        let limit = room.limits.maximumReportByteCount
        guard size <= limit else { throw PayloadProblem.tooLarge(size: size, limit: limit) }
        try SpaceGuard.checkFloor(for: size, room)
    }
}

extension ReportCollector.Description {
    /// The description with the time of the last change of the payload's file.
    fileprivate func noting(_ facts: FileMetadata?) -> Self {
        var description = self
        description.modifiedAt = facts.map { $0.modified / 1_000_000 }
        return description
    }

    /// When what the payload tells of happened. A time before 1970 says nothing.
    fileprivate func occurredAt(in diagnosis: Diagnosis?) -> Int64? {
        [occurredAt, diagnosis?.crash?.occurredAt, modifiedAt].compactMap(\.self).first { $0 > 0 }
    }
}
