import Synchronization

/// A transport for one attempt that records the pace of the attempt's bodies, in case a deadline cuts the attempt.
final class MeteredTransport: Transport {
    private let transport: any Transport
    private let stopwatch: @Sendable () -> Int64
    /// Whether the body is watched more closely, because an earlier attempt was cut and the attempt of this transport
    /// may be cut, too.
    private let watchesClosely: Bool
    private let state: Mutex<BodyTrace>

    /// The zero of the default stopwatch.
    static let beginning = ContinuousClock.now

    init(_ transport: any Transport, stopwatch: @escaping @Sendable () -> Int64, watchesClosely: Bool) {
        self.transport = transport
        self.stopwatch = stopwatch
        self.watchesClosely = watchesClosely
        state = Mutex(BodyTrace())
    }

    var trace: BodyTrace { state.withLock { $0 } }

    func send(_ request: TransferRequest) async -> TransportResult {
        var request = request
        if watchesClosely { request.isWatchedClosely = true }
        state.withLock { $0.requestBegan(byteCount: request.bodyByteCount) }
        request.onProgress = { [onProgress = request.onProgress] byteCount in
            self.note(byteCount)
            onProgress?(byteCount)
        }
        let result = await transport.send(request)
        if case .answer = result { state.withLock { $0.answered() } }
        return result
    }

    /// Does nothing: the queue owns the wrapped transport, and uses it after this attempt.
    func shutdown() async {}

    private func note(_ byteCount: UInt64) {
        let time = stopwatch()
        state.withLock { $0.sent(byteCount, at: time) }
    }
}
