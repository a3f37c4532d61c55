import DurableIO
import NIOCore

/// A body in pieces of 128 KiB, none read before the connection has taken the one before.
///
/// The client's stop signal is given on the event loop while pieces are queued from elsewhere, so a fast disk would
/// overrun it by hundreds of megabytes; a turn of the loop before each piece makes it exact.
struct BodyStream: AsyncSequence, Sendable {
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
        private let stream: BodyStream
        private var isPrefixDue = true
        private var position: UInt64
        private var lastTaken = ContinuousClock.now

        init(stream: BodyStream) {
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
            let size = isSlow ? BodyStream.slowChunkByteCount : BodyStream.chunkByteCount
            let chunk = try read(Swift.min(size, Int(clamping: rest)))
            position += UInt64(chunk.readableBytes)
            stream.progress.took(chunk.readableBytes)
            return chunk
        }

        private func read(_ count: Int) throws -> ByteBuffer {
            do {
                return try BodyReader.read(count, at: position, of: stream.body, files: stream.files)
            } catch {
                stream.progress.failed(error)
                throw error
            }
        }
    }
}
