import Background
import Synchronization

/// The access key of a destination, gotten once for all attempts, and again before it ends.
///
/// While one attempt gets the key, the others wait for it: at the start, up to 16 attempts need one at a time, and the
/// services that give keys answer only a few questions a second. A key is renewed from 15 minutes before its end on. If
/// that fails, it is used until 10 minutes before its end.
final class AccessKeyCache: Sendable {
    private typealias Result = Swift.Result<S3AccessKey, AccessKeyProblem>

    private struct State {
        var key: S3AccessKey?
        /// The key may be wrong: it is gotten anew before it is used.
        var isDoubtful = false
        /// When a renewal that failed is tried again, in milliseconds since 1970.
        var nextRenewal: Int64 = .min
        var isFetching = false
        var waiting: [CheckedContinuation<Result?, Never>] = []
    }

    private enum Step {
        case use(S3AccessKey)
        /// With the key that will do if this fails.
        case fetch(S3AccessKey?)
        case wait
    }

    private static let renewal: Int64 = 15 * 60_000
    private static let lastUse: Int64 = 10 * 60_000
    private static let pause: Int64 = 60_000

    private let source: any AccessKeySource
    private let state = Mutex(State())

    init(_ source: any AccessKeySource) {
        self.source = source
    }

    /// The server did not accept the key.
    func doubt() {
        state.withLock { $0.isDoubtful = true }
    }

    /// Gives the key, which has to be valid at `now`, in milliseconds since 1970. Services of this machine are asked
    /// over `side`.
    func key(at now: Int64, over side: any Transport) async throws(AccessKeyProblem) -> S3AccessKey {
        guard source.keepsKeys else { return try await source.accessKey(over: side) }
        while true {
            switch state.withLock({ Self.step(&$0, at: now) }) {
            case .use(let key): return key
            case .fetch(let spare): return try await fetch(spare, at: now, over: side).get()
            case .wait:
                let result = await withCheckedContinuation { continuation in
                    let isOver = state.withLock { state in
                        guard state.isFetching else { return true }
                        state.waiting.append(continuation)
                        return false
                    }
                    if isOver { continuation.resume(returning: nil) }
                }
                if let result { return try result.get() }
            }
        }
    }

    private static func step(_ state: inout State, at now: Int64) -> Step {
        guard !state.isFetching else { return .wait }
        guard let key = state.key, !state.isDoubtful else {
            state.isFetching = true
            return .fetch(nil)
        }
        guard let end = key.expiresAt, now > end - renewal else { return .use(key) }
        let isGood = now <= end - lastUse
        guard !isGood || now >= state.nextRenewal else { return .use(key) }
        state.isFetching = true
        return .fetch(isGood ? key : nil)
    }

    private func fetch(_ spare: S3AccessKey?, at now: Int64, over side: any Transport) async -> Result {
        let fetched: Result
        do throws(AccessKeyProblem) {
            fetched = .success(try await source.accessKey(over: side))
        } catch {
            fetched = .failure(error)
        }
        let (result, waiting) = state.withLock { state in
            state.isFetching = false
            var result = fetched
            switch fetched {
            case .success(let key):
                state.key = key
                state.isDoubtful = false
                state.nextRenewal = .min
            case .failure:
                state.nextRenewal = now + Self.pause
                if let spare { result = .success(spare) }
            }
            defer { state.waiting = [] }
            return (result, state.waiting)
        }
        for continuation in waiting { continuation.resume(returning: result) }
        return result
    }
}
