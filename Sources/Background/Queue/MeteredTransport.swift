import Synchronization

/// A transport for one attempt that notes how its bodies go out, for the case that a deadline cuts it.
final class MeteredTransport: Transport {
    private let transport: any Transport
    private let stopwatch: @Sendable () -> Int64
    /// Whether an earlier attempt was cut and said too little about how fast its body goes out.
    private let watchesClosely: Bool
    private let state: Mutex<BodyTrace>

    /// For times that have no other.
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

    /// The queue's own transport outlives the attempt.
    func shutdown() async {}

    private func note(_ byteCount: UInt64) {
        let time = stopwatch()
        state.withLock { $0.sent(byteCount, at: time) }
    }
}
