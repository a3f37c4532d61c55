/// A transfer that is not finished, or whose outcome nobody has asked for: one row of the session's ledger, as it was
/// when it was read.
///
/// ## Topics
///
/// ### Which one
/// - ``identifier``
/// - ``url``
/// - ``byteCount``
///
/// ### Where it stands
/// - ``state-swift.property``
/// - ``State-swift.struct``
/// - ``reason-swift.property``
/// - ``Reason-swift.struct``
/// - ``timeUntilDue``
/// - ``attemptCount``
/// - ``lastError``
public struct PendingTransfer: Hashable, Sendable {
    /// Where a transfer stands. New words may come; treat those you do not know as ``waiting``.
    public struct State: Hashable, Sendable, CustomStringConvertible {
        private enum Word: String {
            case waiting
            case underWay = "under way"
            case resting
            case ended
        }
        private let word: Word

        /// Will be tried by itself while somebody waits or runs, after ``PendingTransfer/timeUntilDue``.
        public static let waiting = State(word: .waiting)
        /// An attempt is being made.
        public static let underWay = State(word: .underWay)
        /// Stays as it is until somebody asks with its identifier: the server said not now, or its request is known to
        /// nobody in this launch.
        public static let resting = State(word: .resting)
        /// Has an outcome, which waits for whoever asks with its identifier.
        public static let ended = State(word: .ended)

        /// A word or two.
        public var description: String { word.rawValue }
    }

    /// Why a transfer waits or rests. New words may come.
    public struct Reason: Hashable, Sendable, CustomStringConvertible {
        private enum Word: String {
            case failing = "it failed while its server accepted others"
            case interrupted = "its program ended while it was under way"
            case local = "this machine could not send it"
            case notAsked = "nobody has asked for it in this launch"
            case putOff = "the server said not now"
            case retryAfter = "the server asked to wait"
            case suspected = "its program died each time it alone was under way"
            case unreachable = "the server could not be reached, or had trouble of its own"
        }
        private let word: Word

        /// It failed while its server accepted others.
        public static let failing = Reason(word: .failing)
        /// Its program ended while it was under way.
        public static let interrupted = Reason(word: .interrupted)
        /// This machine could not send it, as with too many open files.
        public static let local = Reason(word: .local)
        /// Nobody has asked for it in this launch, and its request is known to nobody else.
        public static let notAsked = Reason(word: .notAsked)
        /// The server said not now, and asking again is the caller's.
        public static let putOff = Reason(word: .putOff)
        /// The server asked to wait.
        public static let retryAfter = Reason(word: .retryAfter)
        /// Its program died three times while it alone was under way, so that it may be the cause. By itself it is
        /// tried after an hour, doubling to a day; somebody who asks with its identifier gets it tried at once, alone.
        public static let suspected = Reason(word: .suspected)
        /// The server could not be reached, or had trouble of its own.
        public static let unreachable = Reason(word: .unreachable)

        /// Half a sentence.
        public var description: String { word.rawValue }
    }

    /// The caller's name for it.
    public let identifier: String
    /// Where it stands.
    public let state: State
    /// Why it waits or rests; `nil` when it has never been tried, is under way, or has ended.
    public let reason: Reason?
    /// The URL of its request, query included.
    public let url: String
    /// The file's size in bytes; `nil` for a download whose size is not known, or that is empty.
    public let byteCount: UInt64?
    /// How often it was tried, over all launches. It goes on counting when the identifier is used again.
    public let attemptCount: Int
    /// The time until the next attempt may be made, never negative, that of its server included where it is known;
    /// `nil` unless it is ``State/waiting``.
    public let timeUntilDue: Duration?
    /// What went wrong last, for people; `nil` when nothing has.
    public let lastError: String?
}

extension PendingTransfer {
    /// `gateOpens` is when its server may be sent to again, on the ledger's axis; `nil` when it may be now.
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
        case .waiting(.unreachable): self = .unreachable
        default: return nil
        }
    }
}
