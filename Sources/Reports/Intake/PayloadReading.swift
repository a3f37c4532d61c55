import DurableIO

/// A reading of a payload that yields the payload's bytes in pieces.
protocol PayloadPieces: ~Copyable {
    /// The facts of a file that has as many bytes as the payload; `nil` when there is no such file.
    var expected: FileMetadata? { get }
    /// Whether the payload's file may grow while it is read.
    var mayGrow: Bool { get }
    /// Whether the pieces are unpacked from a packed drop.
    var isUnpacking: Bool { get }
    /// The piece that was read last. It may be empty.
    var bytes: UnsafeRawBufferPointer { get }
    /// Whether the piece that was read last is the last piece of the payload.
    var isAtEnd: Bool { get }

    /// Reads the next piece.
    mutating func fill() throws
    /// Ends the reading.
    /// - Parameter isText: whether the payload is text or journal lines. The beginning of such a payload is useful
    ///   without its end.
    /// - Returns: whether the bytes that were read are a snapshot.
    /// - Throws: an error when the bytes that were read are not the payload.
    mutating func end(isText: Bool) throws -> Bool
}

extension PayloadPieces where Self: ~Copyable {
    /// The first bytes of the piece that was read last, at most `limit`.
    func head(_ limit: Int) -> [UInt8] { Array(UnsafeRawBufferPointer(rebasing: bytes.prefix(limit))) }
}

/// One reading of a payload's file from beginning to end, in a fixed amount of memory.
///
/// At its end the reading tells what it has read: the whole of an unchanged file, or a snapshot, which is the content
/// of a growing log at the time when it was opened. Otherwise it throws an error. Files of the kernel, such as those in
/// `/proc`, may have more or fewer bytes than their size says. Such a file is whole when `read(2)` reports its end.
struct PayloadReading: PayloadPieces, ~Copyable {
    private let file: OwnedDescriptor
    private let files: any FileSystem
    /// The facts of the file before its first byte was read; `nil` when they cannot be compared.
    private let facts: FileMetadata?
    let mayGrow: Bool
    private let buffer: UnsafeMutableRawBufferPointer
    /// The number of the payload's bytes in the buffer.
    private var count = 0
    private(set) var isAtEnd = false
    /// The number of bytes that were read in all.
    private var offset: UInt64 = 0
    /// Whether the file has grown, so that bytes beyond its first size were left out.
    private var isCut = false
    /// The first and the latest bytes of a file that may grow.
    private var first: [UInt8] = []
    private var latest: [UInt8] = []

    private static let bufferByteCount = 256 << 10
    private static let firstByteCount = 64 << 10
    private static let latestByteCount = 4 << 10

    init(_ file: consuming OwnedDescriptor, facts: FileMetadata?, mayGrow: Bool, files: any FileSystem) {
        // With one byte more than expected, a read shows whether the file has more bytes. Where the size says nothing,
        // a larger buffer does no harm.
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

    /// Reads until the buffer is full or the file ends. A pipe may need several reads for that.
    mutating func fill() throws {
        count = 0
        while count < buffer.count {
            let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[count...])
            let got = try files.read(file, into: rest, at: nil)
            if got == 0 { break }
            count += got
        }
        // If the buffer is not full, the file has ended.
        isAtEnd = count < buffer.count
        if let facts, mayGrow { try cut(facts) }
        offset += UInt64(count)
    }

    /// Leaves out the bytes that a growing file got after it was opened.
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
    /// - Throws: ``PayloadProblem/changed`` when the file never had the bytes that were read as its content.
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

    /// Whether `read(2)` contradicts the file's size, although the size has not changed.
    private func saysNothing(_ size: UInt64) throws -> Bool {
        guard !isCut else { return false }
        do throws(FileSystemError) {
            // If there are bytes beyond the size, or if the end comes before it, the size says nothing.
            guard try files.read(file, limit: 1, at: offset).isEmpty else { return false }
            if offset < size { return true }
            return try !files.read(file, limit: 1, at: size).isEmpty
        } catch {
            // Some files of the kernel cannot be read twice.
            guard error.errno == .illegalSeek else { throw error }
            return true
        }
    }

    /// Whether the file still begins and ends with the bytes that were read. The result is `false` if a program has
    /// rewritten the file from its beginning.
    private func holdsWhatWasRead() throws -> Bool {
        guard try files.read(file, limit: first.count, at: 0) == first else { return false }
        return try files.read(file, limit: latest.count, at: offset - UInt64(latest.count)) == latest
    }
}
