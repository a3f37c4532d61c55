import Dispatch
import Glibc

/// SIGINT and SIGTERM as a cancellation, so that what is under way is given back before the process ends.
enum Signals {
    static func ignorePipe() {
        signal(SIGPIPE, SIG_IGN)
    }

    /// For commands whose half-done work is swept up by the next owner: the first signal ends the process at once.
    static func endOnInterrupt() {
        for number in [SIGINT, SIGTERM] {
            signal(number) { number in _exit(128 + number) }
        }
    }

    /// Runs work that the first signal cancels; one that comes 2 s later or more ends the process at once.
    ///
    /// Not one that comes sooner: timeout(1) and service managers signal a process and then its group.
    /// - Returns: the work's result, and the signal that came, if one did.
    static func cancelling<Result: Sendable>(
        _ work: @escaping @Sendable () async throws -> Result
    ) async throws -> (result: Result, signal: Int32?) {
        let task = Task { try await work() }
        let received = Received()
        // Of its own: the threads of the shared queues are those that the work may keep busy, all of them.
        let queue = DispatchQueue(label: "signals")
        let sources = [SIGINT, SIGTERM].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
            source.setEventHandler {
                guard let earlier = received.time else {
                    received.first = number
                    return task.cancel()
                }
                if ContinuousClock.now - earlier >= .seconds(2) { _exit(128 + number) }
            }
            source.resume()
            return source
        }
        defer { for source in sources { source.cancel() } }
        do {
            return (try await task.value, received.first)
        } catch {
            guard let number = received.first else { throw error }
            throw InterruptedBySignal(number: number)
        }
    }

    static func status(of signal: Int32) -> Int32 { 128 + signal }

    private final class Received: @unchecked Sendable {
        /// - Safety: guarded by `lock`.
        private var value: Int32?
        private var came: ContinuousClock.Instant?
        private let lock = DispatchSemaphore(value: 1)

        var first: Int32? {
            get { locked { value } }
            set {
                locked {
                    value = newValue
                    came = .now
                }
            }
        }

        /// When the first one came.
        var time: ContinuousClock.Instant? { locked { came } }

        private func locked<Value>(_ body: () -> Value) -> Value {
            lock.wait()
            defer { lock.signal() }
            return body()
        }
    }
}

/// The work ended because of a signal.
struct InterruptedBySignal: Error {
    let number: Int32
}
