package import Background
package import DurableIO

/// A transport without a network: a closure answers each request, and everything is on record with its time.
package final class ScriptedTransport: Transport {
    /// A request as it was sent.
    package struct Sent: Sendable {
        /// 0 for the first.
        package var index: Int
        package var request: TransferRequest
        /// On the clock's wall, in milliseconds since 1970.
        package var wall: Int64
        /// On the boot clock, in milliseconds.
        package var boot: Int64
        /// How many were under way, this one included.
        package var inFlight: Int

        /// The last part of the path.
        package var name: String {
            request.endpoint.path.split(separator: "/").last.map(String.init) ?? ""
        }
    }

    /// Answers a request. It may wait at a ``Gate`` first; cancelled meanwhile, its answer does not count.
    package typealias Script = @Sendable (Sent) async -> TransportResult

    private struct State: Sendable {
        var sent: [Sent] = []
        var inFlight = 0
        var script: Script
        var hasShutDown = false
    }

    private let clock: any SystemClock
    private let state: Monitor<State>

    package init(clock: any SystemClock, script: @escaping Script) {
        self.clock = clock
        state = Monitor(State(script: script))
    }

    /// From now on requests are answered by another script.
    package func answer(with script: @escaping Script) {
        state.withLock { $0.script = script }
    }

    package func send(_ request: TransferRequest) async -> TransportResult {
        let (wall, boot) = (clock.wallMilliseconds, clock.bootMilliseconds)
        let (sent, script) = state.withLock { state in
            state.inFlight += 1
            let sent = Sent(
                index: state.sent.count, request: request, wall: wall, boot: boot, inFlight: state.inFlight)
            state.sent.append(sent)
            return (sent, state.script)
        }
        let outcome = await script(sent)
        state.withLock { $0.inFlight -= 1 }
        return Task.isCancelled ? .noAnswer(.interrupted) : outcome
    }

    package func shutdown() async {
        state.withLock { $0.hasShutDown = true }
    }

    // MARK: - What happened

    /// All requests so far.
    package var sent: [Sent] { state.value.sent }
    /// The most that were under way at a time.
    package var mostInFlight: Int { sent.map(\.inFlight).max() ?? 0 }
    package var hasShutDown: Bool { state.value.hasShutDown }

    /// Returns once so many requests were sent, or the task is cancelled.
    @discardableResult
    package func waitForSent(count: Int) async -> [Sent] {
        await state.wait { $0.sent.count >= count }
        return sent
    }
}
