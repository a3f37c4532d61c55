import DurableIO
import NIOCore
import Synchronization

/// A body in pieces of 128 KiB, none read before the connection has taken the one before.
///
/// The client's stop signal is given on the event loop while pieces are queued from elsewhere, so a fast disk would
/// overrun it by hundreds of megabytes; a turn of the loop before each piece makes it exact.
struct FileBodyStream: AsyncSequence, Sendable {
    typealias Element = ByteBuffer

    let body: TransferBody
    let files: any FileSystem
    let loop: any EventLoop
    let progress: BodyProgress

    static let chunkByteCount = 128 << 10
    /// On a line so slow that a large piece takes seconds, small ones show that it moves.
    static let slowChunkByteCount = 4 << 10

    func makeAsyncIterator() -> Iterator { Iterator(stream: self) }

    struct Iterator: AsyncIteratorProtocol {
        private let stream: FileBodyStream
        private let file = OpenBody()
        private var isPrefixDue = true
        private var position: UInt64
        private var lastTaken = ContinuousClock.now

        init(stream: FileBodyStream) {
            self.stream = stream
            position = stream.body.offset
        }

        mutating func next() async throws -> ByteBuffer? {
            try await stream.loop.submit {}.get()
            let body = stream.body
            if isPrefixDue {
                isPrefixDue = false
                if !body.prefix.isEmpty {
                    stream.progress.took(body.prefix.count)
                    return ByteBuffer(bytes: body.prefix)
                }
            }
            let rest = body.offset + body.length - position
            guard rest > 0 else { return nil }
            let isSlow = ContinuousClock.now - lastTaken > .seconds(2)
            lastTaken = .now
            let size = isSlow ? FileBodyStream.slowChunkByteCount : FileBodyStream.chunkByteCount
            let chunk = try read(Swift.min(size, Int(clamping: rest)))
            position += UInt64(chunk.readableBytes)
            stream.progress.took(chunk.readableBytes)
            return chunk
        }

        private func read(_ count: Int) throws -> ByteBuffer {
            do {
                return try file.read(count, at: position, of: stream.body, files: stream.files)
            } catch {
                stream.progress.failed(error)
                throw error
            }
        }
    }
}

/// The file of a body, opened at the first read and closed with the iterator.
private final class OpenBody: Sendable {
    private let descriptor = Mutex<SharedDescriptor?>(nil)

    func read(
        _ count: Int, at offset: UInt64, of body: TransferBody, files: any FileSystem
    ) throws(FileSystemError) -> ByteBuffer {
        let open = try opened(body, files: files)
        return try BodyReader.read(count, at: offset, from: open.file, body: body, files: files)
    }

    private func opened(_ body: TransferBody, files: any FileSystem) throws(FileSystemError) -> SharedDescriptor {
        if let open = descriptor.withLock({ $0 }) { return open }
        let open = SharedDescriptor(try files.openFile(body.name, in: body.directory))
        descriptor.withLock { $0 = open }
        return open
    }
}

/// Reads of a body's file that come out short are an error: the file was cut meanwhile.
enum BodyReader {
    /// The whole of a small body in one buffer.
    static func all(of body: TransferBody, files: any FileSystem) throws(FileSystemError) -> ByteBuffer {
        let file = try files.openFile(body.name, in: body.directory)
        var buffer = ByteBuffer(bytes: body.prefix)
        var rest = try read(Int(body.length), at: body.offset, from: file, body: body, files: files)
        buffer.writeBuffer(&rest)
        return buffer
    }

    static func read(
        _ count: Int, at offset: UInt64, from file: borrowing OwnedDescriptor, body: TransferBody,
        files: any FileSystem
    ) throws(FileSystemError) -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.reserveCapacity(count)
        var done = 0
        while done < count {
            let got = try readOnce(count - done, at: offset + UInt64(done), from: file, into: &buffer, files: files)
            guard got > 0 else {
                throw FileSystemError(.read, body.directory.path(of: body.name), .noData)
            }
            done += got
        }
        return buffer
    }

    private static func readOnce(
        _ count: Int, at offset: UInt64, from file: borrowing OwnedDescriptor, into buffer: inout ByteBuffer,
        files: any FileSystem
    ) throws(FileSystemError) -> Int {
        // The buffer's closure cannot throw typed errors, so the result is carried out by hand.
        var result: Result<Int, FileSystemError> = .success(0)
        buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: count) { space in
            let target = UnsafeMutableRawBufferPointer(rebasing: space.prefix(count))
            do throws(FileSystemError) {
                let got = try files.read(file, into: target, at: offset)
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
