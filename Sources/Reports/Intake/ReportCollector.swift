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
        /// See ``ReportProperties/source``.
        package var source: String?
        /// See ``ReportProperties/request``.
        package var request: CallerRequest?
        /// When another process collected the payload, in milliseconds since 1970; `nil` when the payload is collected
        /// now.
        var collectedAt: Int64?
        /// Whether another process has found that the payload is a snapshot.
        var isSnapshot = false
        /// Whether annotations are left out when the stored report has no space for them.
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
            var reading = PayloadReading(file, facts: facts, mayGrow: false, files: room.files)
            return try readToEnd(&reading, as: description, betweenBlocks: pause)
        case .pipe(let file):
            // From now on a read of this pipe waits for the pipe's writer.
            try room.files.makeBlocking(file)
            var reading = PayloadReading(file, facts: nil, mayGrow: false, files: room.files)
            return try readToEnd(&reading, as: description, betweenBlocks: pause)
        case .growingFile(let file, let facts):
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
            return try readToEnd(&reading, as: description.taking(header), betweenBlocks: pause)
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
        var pass = try begin(head: bytes[...], isWhole: true, description, maySnap: false)
        try bytes.withUnsafeBytes { bytes in
            for start in stride(from: 0, to: bytes.count, by: Self.blockByteCount) {
                if start > 0 { pause() }
                if isLong { try Task.checkCancellation() }
                try pass.add(UnsafeRawBufferPointer(rebasing: bytes[start...].prefix(Self.blockByteCount)))
            }
        }
        if isLong { try Task.checkCancellation() }
        return try finish(pass, isSnapshot: false)
    }

    private func readToEnd(
        _ reading: inout some PayloadPieces & ~Copyable, as description: Description, betweenBlocks pause: () -> Void
    ) throws -> Collected {
        var guardian = SpaceGuard(room, expecting: reading.expected, isUnpacking: reading.isUnpacking)
        try reading.fill()
        let head = reading.head(PayloadSniffer.windowByteCount)
        let isWhole = reading.isAtEnd && head.count == reading.bytes.count
        var pass = try begin(head: head[...], isWhole: isWhole, description, maySnap: reading.mayGrow)
        // A payload of one block is stored even when the task was cancelled: this takes milliseconds, and the payload
        // may say why the task was cancelled.
        let isLong = !reading.isAtEnd
        while true {
            if isLong { try Task.checkCancellation() }
            try pass.add(reading.bytes)
            try guardian.check(read: pass.byteCount, stored: pass.storedByteCount)
            if reading.isAtEnd { break }
            pause()
            try reading.fill()
        }
        if isLong { try Task.checkCancellation() }
        let isSnapshot = try reading.end(isText: pass.isText)
        return try finish(pass, isSnapshot: isSnapshot)
    }

    private func finish(_ pass: consuming CollectingPass, isSnapshot: Bool) throws -> Collected {
        let collected = try pass.finish(isSnapshot: isSnapshot)
        try SpaceGuard.checkTotal(collected.report.wireSize, room)
        return collected
    }

    private func begin(
        head: ArraySlice<UInt8>, isWhole: Bool, _ description: Description, maySnap: Bool
    ) throws -> CollectingPass {
        let recognition = PayloadSniffer.recognize(
            head: head, isWhole: isWhole, name: description.name ?? [],
            inflate: { Inflater.gzipPrefix($0, limit: $1) })
        var properties = ReportProperties(
            kind: description.kind ?? recognition.kind,
            from: description.kind == nil ? recognition.kindSource : .given,
            format: recognition.format, contentType: recognition.contentType, name: description.name,
            collectedAt: min(description.collectedAt ?? .max, room.clock.wallMilliseconds),
            annotations: description.annotations, summary: recognition.summary, source: description.source,
            request: description.request)
        properties.isSnapshot = description.isSnapshot
        if description.leavesOutAnnotations {
            properties.leaveOutAnnotations(beyond: GzipMemberHeader.maximumPropertiesByteCount)
        }
        return try CollectingPass(properties: properties, publication: room.newPublication(), maySnap: maySnap)
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
