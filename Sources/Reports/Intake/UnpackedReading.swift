import DurableIO

/// One reading of a packed drop from beginning to end, in a fixed amount of memory. It yields the payload that the drop
/// holds.
///
/// If the drop is not exactly one whole gzip member, the reading throws a ``ZlibError``. Then the caller can take the
/// file back and read it as it is.
struct UnpackedReading: PayloadPieces, ~Copyable {
    private let file: OwnedDescriptor
    private let files: any FileSystem
    private let facts: FileMetadata
    private let header: DropHeader
    private var inflater: Inflater
    private let packed: ReadingBuffer
    /// The bytes of `packed` that were read and not inflated yet.
    private var rest = 0..<0
    /// The number of bytes of the file that were read in all.
    private var offset: UInt64 = 0
    private let unpacked: ReadingBuffer
    private var count = 0
    /// The number of bytes that were unpacked in all.
    private var byteCount: UInt64 = 0
    /// Whether the inflater may have more bytes, because the buffer was full.
    private var mayHoldMore = false
    private(set) var isAtEnd = false

    private static let bufferByteCount: UInt64 = 256 << 10

    /// Makes a reading of a packed drop.
    /// - Throws: ``ZlibError`` with the code `outOfMemory`.
    init(
        _ file: consuming OwnedDescriptor, facts: FileMetadata, header: DropHeader, files: any FileSystem
    ) throws(ZlibError) {
        inflater = try Inflater(.gzip, windowByteCount: 1)
        packed = ReadingBuffer(byteCount: Int(min(facts.size, Self.bufferByteCount)) + 1)
        // With one byte more than expected, the buffer shows whether the member has more bytes.
        unpacked = ReadingBuffer(byteCount: Int(min(header.payloadByteCount, Self.bufferByteCount)) + 1)
        self.file = file
        self.files = files
        self.facts = facts
        self.header = header
    }

    var expected: FileMetadata? { nil }
    var mayGrow: Bool { false }
    var isUnpacking: Bool { true }
    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: unpacked.space[..<count]) }

    /// Gives the file back, to be read from its beginning.
    consuming func giveBack() -> OwnedDescriptor { file }

    /// Unpacks until the buffer is full, the member ends, or at least 256 KiB of the file were read. After 256 KiB the
    /// caller can check for cancellation: a member may have gigabytes that unpack to nothing.
    mutating func fill() throws {
        count = 0
        let end = offset + Self.bufferByteCount
        while count < unpacked.space.count, !inflater.isAtEnd {
            if rest.isEmpty, !mayHoldMore {
                guard offset <= end else { break }
                try read()
            }
            let step = inflater.step(
                UnsafeRawBufferPointer(rebasing: packed.space[rest]),
                into: UnsafeMutableRawBufferPointer(rebasing: unpacked.space[count...]))
            rest = (rest.lowerBound + step.consumed)..<rest.upperBound
            count += step.produced
            byteCount += UInt64(step.produced)
            mayHoldMore = count == unpacked.space.count
            if let error = step.error { throw error }
        }
        isAtEnd = inflater.isAtEnd
        guard byteCount <= header.payloadByteCount else {
            throw ZlibError(.damaged, "more bytes than the trailer says")
        }
    }

    private mutating func read() throws {
        let count = try files.read(file, into: packed.space, at: offset)
        guard count > 0 else { throw ZlibError(.truncated, "the file ends before the member does") }
        offset += UInt64(count)
        rest = 0..<count
    }

    /// Ends the reading. Returns `false`, because only the header knows whether the payload is a snapshot.
    mutating func end(isText: Bool) throws -> Bool {
        guard try files.metadata(of: file).isSameContent(as: facts) else { throw PayloadProblem.changed }
        guard offset - UInt64(rest.count) == facts.size else {
            throw ZlibError(.trailingBytes, "bytes after the end of the member")
        }
        return false
    }
}

/// A buffer that frees its memory at its end.
private final class ReadingBuffer {
    let space: UnsafeMutableRawBufferPointer

    init(byteCount: Int) {
        space = .allocate(byteCount: byteCount, alignment: 16)
    }

    deinit {
        space.deallocate()
    }
}

extension ReportCollector.Description {
    /// Makes the description of a packed drop's payload, from the description of the drop and the drop's header.
    ///
    /// The header decides neither where the report goes nor by which mark the drop is recognised again. A time in the
    /// future counts as now.
    func taking(_ header: DropHeader) -> Self {
        var description = self
        description.kind = header.kind
        description.name = header.name
        description.annotations = description.unpackedAnnotations ?? description.annotations
        description.collectedAt = header.collectedAt
        description.occurredAt = header.occurredAt
        description.isSnapshot = header.isSnapshot
        return description
    }
}
