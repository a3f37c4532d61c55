import Background

/// A transport for owners that never send, so that a `retry` or `remove` starts no event loop.
struct IdleTransport: Transport {
    func send(_ request: TransferRequest) async -> TransportResult { .noAnswer(.interrupted) }
    func shutdown() async {}
}
