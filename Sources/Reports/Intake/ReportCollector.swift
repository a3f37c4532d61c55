package import DurableIO

/// Turns a payload into a stored report that waits in `tmp/` to be published: one read, hash and deflate together.
package struct ReportCollector {
    private let spool: ReportSpool

    package init(spool: ReportSpool) {
        self.spool = spool
    }

    /// What is known of a payload besides its bytes.
    package struct Description: Sendable {
        package var kind: ReportKind?
        package var name: [UInt8]?
        package var annotations: [String: String]
        /// See ``ReportProperties/source``.
        package var source: String?
        /// See ``ReportProperties/request``.
        package var request: OwnRequest?

        package init(
            kind: ReportKind? = nil, name: [UInt8]? = nil, annotations: [String: String] = [:], source: String? = nil,
            request: OwnRequest? = nil
        ) {
            self.kind = kind
            self.name = name
            self.annotations = annotations
            self.source = source
            self.request = request
        }
    }

    /// A report whose bytes are complete in `tmp/`, not yet durable and without a name.
    package struct Collected {
        package let report: StoredReport
        package let publication: Publication
    }

    /// Reads, recognises, hashes and compresses a payload.
    /// - Throws: ``PayloadProblem`` when the payload is at fault, ``FileSystemError`` when the disk is.
    package func collect(_ source: consuming PayloadSource, as description: Description) throws -> Collected {
        switch consume source {
        case .bytes(let bytes):
            var pass = try begin(head: bytes[...], isWhole: true, description)
            try pass.take(bytes)
            return try pass.finish()
        case .file(let file, let facts):
            return try collect(file, facts: facts, as: description)
        }
    }

    private func collect(
        _ file: consuming OwnedDescriptor, facts: FileMetadata?, as description: Description
    ) throws -> Collected {
        // One byte more than there should be shows that there is no more.
        let size = min(facts.map { Int(clamping: $0.size) + 1 } ?? .max, Self.bufferByteCount)
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 16)
        defer { buffer.deallocate() }
        var count = try fill(buffer, from: file)
        // A short read of a file is its end; then the window holds all there is.
        var isAtEnd = count < buffer.count
        let head = Array(buffer[..<min(count, PayloadSniffer.windowByteCount)])
        var pass = try begin(head: head[...], isWhole: isAtEnd && head.count == count, description)
        while count > 0 {
            try pass.take(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            try checkSize(pass.byteCount)
            if isAtEnd { break }
            count = try fill(buffer, from: file)
            isAtEnd = count < buffer.count
        }
        if let facts {
            let after = try spool.files.metadata(of: file)
            guard after.isSameContent(as: facts), after.size == pass.byteCount else {
                throw PayloadProblem.changed
            }
        }
        return try pass.finish()
    }

    private static let bufferByteCount = 256 << 10

    /// Reads until the buffer is full or the file ends; pipes give less at a time.
    private func fill(_ buffer: UnsafeMutableRawBufferPointer, from file: borrowing OwnedDescriptor) throws -> Int {
        var count = 0
        while count < buffer.count {
            let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[count...])
            let got = try spool.files.read(file, into: rest, at: nil)
            if got == 0 { break }
            count += got
        }
        return count
    }

    private func checkSize(_ size: UInt64) throws(PayloadProblem) {
        let limit = spool.options.limits.maximumReportByteCount
        guard size <= limit else { throw .tooLarge(size: size, limit: limit) }
    }

    private func begin(
        head: ArraySlice<UInt8>, isWhole: Bool, _ description: Description
    ) throws -> CollectingPass {
        let recognition = PayloadSniffer.recognize(
            head: head, isWhole: isWhole, name: description.name ?? [],
            inflate: { Inflater.gzipPrefix($0, limit: $1) })
        let properties = ReportProperties(
            kind: description.kind ?? recognition.kind,
            from: description.kind == nil ? recognition.kindSource : .given,
            format: recognition.format, contentType: recognition.contentType, name: description.name,
            collectedAt: spool.clock.wallMilliseconds, annotations: description.annotations,
            summary: recognition.summary, source: description.source, request: description.request)
        return try CollectingPass(properties: properties, publication: spool.newPublication())
    }

    /// Refuses what would not fit, before reading it.
    package func checkSpace(for size: UInt64) throws {
        try checkSize(size)
        let space = try spool.files.space(on: spool.temporary)
        let floor = spool.options.limits.floor(ofTotal: space.total, forReportOf: size)
        guard space.available >= floor else {
            throw PayloadProblem.noSpace(free: space.available, floor: floor)
        }
    }
}
