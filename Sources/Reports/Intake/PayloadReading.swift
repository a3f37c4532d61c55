import DurableIO

/// A payload's bytes, piece by piece.
protocol PayloadPieces: ~Copyable {
    /// Of the file that has as many bytes as the payload; `nil` where there is none.
    var expected: FileMetadata? { get }
    /// Whether the payload's file may grow meanwhile.
    var mayGrow: Bool { get }
    /// Whether the pieces are unpacked from the payload's file.
    var isUnpacking: Bool { get }
    /// The piece that was read last; it may be empty.
    var bytes: UnsafeRawBufferPointer { get }
    /// Whether that is the last piece.
    var isAtEnd: Bool { get }

    /// Reads the next piece.
    mutating func fill() throws
    /// Ends the reading.
    /// - Parameter isText: whether the payload is text or journal lines, of which the beginning is worth something.
    /// - Returns: whether what was read is a snapshot.
    /// - Throws: when what was read is not the payload.
    mutating func end(isText: Bool) throws -> Bool
}

extension PayloadPieces where Self: ~Copyable {
    /// The first of the piece that was read last.
    func head(_ limit: Int) -> [UInt8] { Array(UnsafeRawBufferPointer(rebasing: bytes.prefix(limit))) }
}

/// One reading of a payload's file from beginning to end, in fixed memory.
///
/// At its end the reading tells what was read: all of an unchanged file; a snapshot, which is what a growing log held
/// when it was opened; or neither. The kernel's files, as those of `/proc`, give bytes that their size does not tell:
/// they are whole where `read(2)` says that they end.
struct PayloadReading: PayloadPieces, ~Copyable {
    private let file: OwnedDescriptor
    private let files: any FileSystem
    /// From before the first byte; `nil` where nothing can be compared.
    private let facts: FileMetadata?
    let mayGrow: Bool
    private let buffer: UnsafeMutableRawBufferPointer
    /// How many bytes of the buffer are the payload's.
    private var count = 0
    private(set) var isAtEnd = false
    /// How many bytes have been read in all.
    private var offset: UInt64 = 0
    /// Whether the file grew meanwhile, and what lies beyond its size at the beginning was left out.
    private var isCut = false
    /// Of a file that may grow: its first and its latest bytes.
    private var first: [UInt8] = []
    private var latest: [UInt8] = []

    private static let bufferByteCount = 256 << 10
    private static let firstByteCount = 64 << 10
    private static let latestByteCount = 4 << 10

    init(_ file: consuming OwnedDescriptor, facts: FileMetadata?, mayGrow: Bool, files: any FileSystem) {
        // One byte more than there should be shows that there is no more. Where the size says nothing, some more do not
        // hurt.
        let expected = facts.map { Int(min($0.size, UInt64(Self.bufferByteCount))) + 1 } ?? Self.bufferByteCount
        let wanted = max(expected, mayGrow ? Self.latestByteCount : 1)
        buffer = .allocate(byteCount: min(wanted, Self.bufferByteCount), alignment: 16)
        self.file = file
        self.files = files
        self.facts = facts
        self.mayGrow = mayGrow
    }

    deinit {
        buffer.deallocate()
    }

    var expected: FileMetadata? { facts }
    var isUnpacking: Bool { false }
    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: buffer[..<count]) }

    /// Reads until the buffer is full or the file ends; pipes give less at a time.
    mutating func fill() throws {
        count = 0
        while count < buffer.count {
            let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[count...])
            let got = try files.read(file, into: rest, at: nil)
            if got == 0 { break }
            count += got
        }
        // A short read of a file is its end; then the window holds all there is.
        isAtEnd = count < buffer.count
        if let facts, mayGrow { try cut(facts) }
        offset += UInt64(count)
    }

    /// Leaves out what a growing file got since it was opened.
    private mutating func cut(_ facts: FileMetadata) throws {
        if offset + UInt64(count) > facts.size, try files.metadata(of: file).size > facts.size {
            count = facts.size > offset ? Int(facts.size - offset) : 0
            isCut = true
            isAtEnd = true
        }
        if offset == 0 { first = head(Self.firstByteCount) }
        let end = Array(UnsafeRawBufferPointer(rebasing: buffer[max(0, count - Self.latestByteCount)..<count]))
        latest = end.count < Self.latestByteCount ? Array((latest + end).suffix(Self.latestByteCount)) : end
    }

    /// Ends the reading.
    /// - Throws: ``PayloadProblem/changed`` when what was read never was the file's contents.
    mutating func end(isText: Bool) throws -> Bool {
        guard let facts else { return false }
        let after = try files.metadata(of: file)
        if after.isSameContent(as: facts) {
            if offset == facts.size { return false }
            if mayGrow, try saysNothing(facts.size) { return false }
        }
        guard mayGrow, isText, after.isSameFile(as: facts), after.size >= facts.size, offset == facts.size,
            try holdsWhatWasRead()
        else { throw PayloadProblem.changed }
        return true
    }

    /// Whether `read(2)` contradicts the file's size, which has not changed.
    private func saysNothing(_ size: UInt64) throws -> Bool {
        guard !isCut else { return false }
        do throws(FileSystemError) {
            // Bytes beyond the size, or an end before it.
            guard try files.read(file, limit: 1, at: offset).isEmpty else { return false }
            if offset < size { return true }
            return try !files.read(file, limit: 1, at: size).isEmpty
        } catch {
            // Some of the kernel's files cannot be read twice.
            guard error.errno == .illegalSeek else { throw error }
            return true
        }
    }

    /// Whether both ends of what was read read the same again: a file that was written anew does not.
    private func holdsWhatWasRead() throws -> Bool {
        guard try files.read(file, limit: first.count, at: 0) == first else { return false }
        return try files.read(file, limit: latest.count, at: offset - UInt64(latest.count)) == latest
    }
}
