import DurableIO

/// One reading of a packed drop from beginning to end, which yields its payload, in fixed memory.
///
/// A drop that is not exactly one whole gzip member ends the reading with a ``ZlibError``. The file can then be had
/// back, to be read as it is.
struct UnpackedReading: PayloadPieces, ~Copyable {
    private let file: OwnedDescriptor
    private let files: any FileSystem
    private let facts: FileMetadata
    private let header: DropHeader
    private var inflater: Inflater
    private let packed: ReadingBuffer
    /// Which bytes of `packed` have been read and not yet inflated.
    private var rest = 0..<0
    /// How many bytes of the file have been read.
    private var offset: UInt64 = 0
    private let unpacked: ReadingBuffer
    private var count = 0
    /// How many bytes have been unpacked in all.
    private var byteCount: UInt64 = 0
    /// Whether the inflater may hold bytes for which there was no space.
    private var mayHoldMore = false
    private(set) var isAtEnd = false

    private static let bufferByteCount: UInt64 = 256 << 10

    /// - Throws: ``ZlibError`` of code `outOfMemory`.
    init(
        _ file: consuming OwnedDescriptor, facts: FileMetadata, header: DropHeader, files: any FileSystem
    ) throws(ZlibError) {
        inflater = try Inflater(.gzip, windowByteCount: 1)
        packed = ReadingBuffer(byteCount: Int(min(facts.size, Self.bufferByteCount)) + 1)
        // One byte more than there should be shows that there is no more.
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

    /// The file, at its beginning.
    consuming func giveBack() -> OwnedDescriptor { file }

    /// Unpacks until the buffer is full, the member ends, or so much was read that it is time to look around: a member
    /// may hold gigabytes that yield nothing.
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

    /// Ends the reading. A snapshot that the header tells of was taken elsewhere.
    mutating func end(isText: Bool) throws -> Bool {
        guard try files.metadata(of: file).isSameContent(as: facts) else { throw PayloadProblem.changed }
        guard offset - UInt64(rest.count) == facts.size else {
            throw ZlibError(.trailingBytes, "bytes after the end of the member")
        }
        return false
    }
}

/// Memory into which a file is read.
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
    /// The same of a packed drop's payload, whose header says more of it than the drop's own name does.
    ///
    /// Where a report goes, and by which mark its drop is known again, is never a header's to say. A time that has not
    /// come yet counts as now.
    func taking(_ header: DropHeader) -> Self {
        var description = self
        description.kind = header.kind
        description.name = header.name
        description.annotations = header.annotations
        description.collectedAt = header.collectedAt
        description.isSnapshot = header.isSnapshot
        description.leavesOutAnnotations = true
        return description
    }
}
