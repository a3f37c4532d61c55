import DurableIO
import Synchronization

/// How far a request and its answer have got: written by who moves the bytes, read by the watchdog and by the one who
/// judges the answer.
final class BodyProgress: Sendable {
    private struct State {
        var bytesTaken: UInt64 = 0
        var bytesReceived: UInt64 = 0
        var failure: FileSystemError?
        var isAnswered = false
        var isReceiving = false
    }
    private let state = Mutex(State())
    private let onSent: (@Sendable (UInt64) -> Void)?

    /// - Parameter onSent: called with the bytes sent so far.
    init(onSent: (@Sendable (UInt64) -> Void)? = nil) {
        self.onSent = onSent
    }

    /// Of the request's body.
    var bytesTaken: UInt64 { state.withLock(\.bytesTaken) }
    /// Of both bodies: it stands still when nothing moves.
    var bytesMoved: UInt64 { state.withLock { $0.bytesTaken + $0.bytesReceived } }
    /// Why reading the request's body failed, if it did.
    var failure: FileSystemError? { state.withLock(\.failure) }
    /// The answer's head is there.
    var isAnswered: Bool { state.withLock(\.isAnswered) }
    /// The head is there and the answer's body is wanted. Otherwise what it may still take is bounded elsewhere.
    var isReceiving: Bool { state.withLock(\.isReceiving) }

    func answered() { state.withLock { $0.isAnswered = true } }
    func receives() { state.withLock { $0.isReceiving = true } }
    func received(_ count: Int) { state.withLock { $0.bytesReceived += UInt64(count) } }
    func failed(_ error: FileSystemError) { state.withLock { $0.failure = error } }

    func took(_ count: Int) {
        let taken = state.withLock { state in
            state.bytesTaken += UInt64(count)
            return state.bytesTaken
        }
        onSent?(taken)
    }
}
