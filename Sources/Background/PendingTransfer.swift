/// A transfer that is unfinished, or whose result no caller has asked for: a snapshot of one row of the session's
/// ledger.
///
/// ## Topics
///
/// ### Which transfer
/// - ``identifier``
/// - ``url``
/// - ``byteCount``
///
/// ### Its state
/// - ``state-swift.property``
/// - ``State-swift.struct``
/// - ``reason-swift.property``
/// - ``Reason-swift.struct``
/// - ``timeUntilDue``
/// - ``attemptCount``
/// - ``lastError``
public struct PendingTransfer: Hashable, Sendable {
    /// The state of a transfer. Later versions may add states: treat a state that you do not know as ``waiting``.
    public struct State: Hashable, Sendable, CustomStringConvertible {
        private enum Word: String {
            case waiting
            case underWay = "under way"
            case resting
            case ended
        }
        private let word: Word

        /// The engine will try the transfer by itself after ``PendingTransfer/timeUntilDue``, while a caller waits or
        /// ``Uploader/run()`` runs.
        public static let waiting = State(word: .waiting)
        /// The engine is making an attempt.
        public static let underWay = State(word: .underWay)
        /// The transfer rests until a caller asks for it with its identifier. Either the server asked to try later, or
        /// nobody has given the transfer's request in this launch.
        public static let resting = State(word: .resting)
        /// The transfer has a result, which is stored until a caller asks for it with the identifier.
        public static let ended = State(word: .ended)

        /// The state as one or two words.
        public var description: String { word.rawValue }
    }

    /// The reason why a transfer waits or rests. Later versions may add reasons.
    public struct Reason: Hashable, Sendable, CustomStringConvertible {
        private enum Word: String {
            case failing = "it failed while its server accepted others"
            case interrupted = "the program ended while it was being sent"
            case local = "this machine could not send it"
            case notAsked = "no caller has asked for it since this program started"
            case putOff = "the server said not now"
            case retryAfter = "the server asked to wait"
            case suspected = "the program died each time while it alone was being sent"
            case unreachable = "the server could not be reached, or reported an error of its own"
        }
        private let word: Word

        /// The transfer failed while its server accepted others.
        public static let failing = Reason(word: .failing)
        /// The program ended while the transfer was under way.
        public static let interrupted = Reason(word: .interrupted)
        /// This machine could not send the transfer, for example because too many files were open.
        public static let local = Reason(word: .local)
        /// No caller has asked for the transfer in this launch, and no request provider has given the transfer's
        /// request.
        public static let notAsked = Reason(word: .notAsked)
        /// The server answered that the caller should try later. The engine tries the transfer only when a caller asks
        /// for it.
        public static let putOff = Reason(word: .putOff)
        /// The server asked to wait between two requests of the transfer. The engine itself makes the next request
        /// after that wait.
        public static let retryAfter = Reason(word: .retryAfter)
        /// The program died three times while this transfer alone was under way, so the transfer may be the cause.
        ///
        /// The engine tries the transfer by itself after an hour, then after waits that double up to a day. When a
        /// caller asks for the transfer with its identifier, the engine tries the transfer next, while no other
        /// transfer is under way.
        public static let suspected = Reason(word: .suspected)
        /// The server could not be reached, or had trouble of its own.
        public static let unreachable = Reason(word: .unreachable)

        /// The reason as half a sentence.
        public var description: String { word.rawValue }
    }

    /// The caller's name for the transfer.
    public let identifier: String
    /// The state of the transfer.
    public let state: State
    /// The reason why the transfer waits or rests. `nil` before the first attempt of a new transfer, when the transfer
    /// was made due again, when it is under way, and when it has ended.
    public let reason: Reason?
    /// The URL of the transfer's request, including the query.
    public let url: String
    /// The file's size in bytes; `nil` for a download whose size is not known, or that is empty.
    public let byteCount: UInt64?
    /// How many times the transfer was tried, over all launches. The count continues when the identifier is used again.
    public let attemptCount: Int
    /// The time until the next attempt may be made, never negative; `nil` unless the state is ``State/waiting``. If the
    /// engine knows a time before which it sends nothing to the transfer's server, the next attempt is made after that
    /// time.
    public let timeUntilDue: Duration?
    /// The last error, as text for people; `nil` when there was none.
    public let lastError: String?
}

extension PendingTransfer {
    /// Makes the snapshot of a row. `gateOpens` is the time at which the gate of the row's server opens, on the
    /// ledger's axis (``LedgerClock``); `nil` when the gate is open.
    init(_ record: TransferRecord, kind: TransferKind, gateOpens: Int64?, now: Int64) {
        identifier = kind.identifier(ofRow: record.identifier)
        switch record.state {
        case .sending: state = .underWay
        case .held where record.reason == .held(.caller): state = .resting
        case .queued, .waiting, .held: state = .waiting
        case .delivered, .rejected, .exhausted, .evicted, .removed: state = .ended
        }
        reason = state == .waiting || state == .resting ? Reason(record) : nil
        url = record.request?.url ?? ""
        byteCount = kind == .download && record.byteCount == 0 ? nil : UInt64(clamping: record.byteCount)
        attemptCount = record.attempts
        timeUntilDue = record.due.map { .milliseconds(max(0, max($0, gateOpens ?? $0) - now)) }
        lastError = record.lastError
    }
}

extension PendingTransfer.Reason {
    fileprivate init?(_ record: TransferRecord) {
        switch record.reason {
        case .held(.poison): self = .suspected
        case .held(.caller): self = record.answer == nil ? .notAsked : .putOff
        case .waiting(.failing): self = .failing
        case .waiting(.interrupted), .waiting(.deadline): self = .interrupted
        case .waiting(.local), .waiting(.headers): self = .local
        case .waiting(.retryAfter): self = .retryAfter
        case .waiting(.unreachable), .waiting(.unanswered): self = .unreachable
        default: return nil
        }
    }
}
