package import DurableIO
import NIOCore

extension TransferBody {
    /// All of the body's bytes in one buffer: for a small body, or a piece of a large one.
    ///
    /// - Throws: ``FileSystemError`` when a source cannot be read. A source that ends before a range of it does is such
    ///   an error, because the file was cut meanwhile.
    func read(through files: any FileSystem) throws(FileSystemError) -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.reserveCapacity(Int(byteCount))
        for segment in segments {
            switch segment {
            case .bytes(let bytes): buffer.writeBytes(bytes)
            case .range(let source, let offset, let length):
                try buffer.write(Int(length), of: source, at: offset, through: files)
            }
        }
        return buffer
    }

    /// Hands out all of the body's bytes in pieces of at most 64 KiB, in fixed memory.
    ///
    /// - Parameters:
    ///   - files: the file system that its sources are read through.
    ///   - give: takes a piece, whose bytes are valid during the call only.
    /// - Throws: ``FileSystemError`` when a source cannot be read, or ends before a range of it does.
    package func readInPieces(
        through files: any FileSystem, _ give: (UnsafeRawBufferPointer) -> Void
    ) throws(FileSystemError) {
        var position: UInt64 = 0
        while position < byteCount {
            let end = min(byteCount, position + 64 << 10)
            try self[position..<end].read(through: files).withUnsafeReadableBytes(give)
            position = end
        }
    }
}

extension ByteBuffer {
    fileprivate mutating func write(
        _ count: Int, of source: any BodySource, at offset: UInt64, through files: any FileSystem
    ) throws(FileSystemError) {
        var done = 0
        while done < count {
            let got = try writeOnce(count - done, of: source, at: offset + UInt64(done), through: files)
            guard got > 0 else { throw FileSystemError(.read, source.path, .noData) }
            done += got
        }
    }

    private mutating func writeOnce(
        _ count: Int, of source: any BodySource, at offset: UInt64, through files: any FileSystem
    ) throws(FileSystemError) -> Int {
        // The buffer's closure cannot throw typed errors, so the result is carried out by hand.
        var result: Result<Int, FileSystemError> = .success(0)
        writeWithUnsafeMutableBytes(minimumWritableBytes: count) { space in
            let target = UnsafeMutableRawBufferPointer(rebasing: space.prefix(count))
            do throws(FileSystemError) {
                let got = try source.read(into: target, at: offset, files: files)
                result = .success(got)
                return got
            } catch {
                result = .failure(error)
                return 0
            }
        }
        return try result.get()
    }
}
