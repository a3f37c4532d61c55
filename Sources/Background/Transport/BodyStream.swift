import DurableIO
import NIOCore

/// A body in pieces, none handed over before the connection has taken the one before.
///
/// The client's stop signal is given on the event loop while pieces are queued from elsewhere, so a fast disk would
/// overrun it by hundreds of megabytes; a turn of the loop before each piece makes it exact. The next piece is read
/// while the connection takes this one.
struct BodyStream: AsyncSequence, Sendable {
    typealias Element = ByteBuffer

    let body: TransferBody
    let files: any FileSystem
    let loop: any EventLoop
    let progress: BodyProgress
    /// Whether pieces are small from the beginning, and stay so.
    private let isWatchedClosely: Bool
    /// Where the pieces are read: the client asks for them in a task of its own.
    private let threads = OwnThreads.current

    init(
        body: TransferBody, files: any FileSystem, loop: any EventLoop, progress: BodyProgress,
        isWatchedClosely: Bool = false
    ) {
        self.body = body
        self.files = files
        self.loop = loop
        self.progress = progress
        self.isWatchedClosely = isWatchedClosely
    }

    /// Of the first piece. They double while one takes less than 50 ms, up to 1 MiB.
    static let chunkByteCount = 128 << 10
    static let largestChunkByteCount = 1 << 20
    /// On a line so slow that a piece takes seconds, small ones show that it moves.
    static let slowChunkByteCount = 4 << 10
    /// Of a body that is watched closely, unless the line is so slow. With smaller ones a line whose receiver has a
    /// small window would be slower than it is.
    static let closeChunkByteCount = 64 << 10

    func makeAsyncIterator() -> Iterator { Iterator(stream: self) }

    struct Iterator: AsyncIteratorProtocol {
        private let stream: BodyStream
        private var position: UInt64 = 0
        /// What comes next; `nil` before the first read.
        private var ahead: Task<ByteBuffer, any Error>?
        private var size: Int
        private var lastTaken: ContinuousClock.Instant?

        init(stream: BodyStream) {
            self.stream = stream
            size = stream.isWatchedClosely ? BodyStream.closeChunkByteCount : BodyStream.chunkByteCount
        }

        mutating func next() async throws -> ByteBuffer? {
            adaptSize()
            guard let piece = ahead ?? readAhead() else { return nil }
            let chunk = try await value(of: piece)
            try await stream.loop.submit {}.get()
            ahead = readAhead()
            stream.progress.took(chunk.readableBytes)
            return chunk
        }

        private mutating func readAhead() -> Task<ByteBuffer, any Error>? {
            let end = Swift.min(stream.body.byteCount, position + UInt64(size))
            guard position < end else { return nil }
            let piece = position..<end
            position = end
            return Task(executorPreference: stream.threads) { [stream] in
                try stream.body[piece].read(through: stream.files)
            }
        }

        private func value(of piece: Task<ByteBuffer, any Error>) async throws -> ByteBuffer {
            do {
                return try await withTaskCancellationHandler {
                    try await piece.value
                } onCancel: {
                    // A task of its own: to check a body of gigabytes takes seconds.
                    piece.cancel()
                }
            } catch {
                if let error = error as? FileSystemError { stream.progress.failed(error) }
                throw error
            }
        }

        private mutating func adaptSize() {
            let now = ContinuousClock.now
            defer { lastTaken = now }
            guard let lastTaken else { return }
            switch now - lastTaken {
            case ..<Duration.milliseconds(50): size = Swift.min(2 * size, BodyStream.largestChunkByteCount)
            case Duration.seconds(2)...: size = BodyStream.slowChunkByteCount
            default: size = BodyStream.chunkByteCount
            }
            if stream.isWatchedClosely { size = Swift.min(size, BodyStream.closeChunkByteCount) }
        }
    }
}
