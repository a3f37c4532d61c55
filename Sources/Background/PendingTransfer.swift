/// How far a transfer has come.
public struct TransferProgress: Hashable, Sendable {
    /// In bytes: of a file sent, what the connection has taken in this attempt; of one fetched, what is on disk.
    public var completedByteCount: UInt64
    /// In bytes; `nil` while the server has not said it.
    public var totalByteCount: UInt64?

    /// Puts the two together.
    package init(completedByteCount: UInt64, totalByteCount: UInt64?) {
        self.completedByteCount = completedByteCount
        self.totalByteCount = totalByteCount
    }
}

/// A transfer that is not finished, or whose outcome nobody has asked for: one row of the session's ledger, as it was when
/// it was read.
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

        /// Will be tried by itself as soon as somebody waits or runs, not before ``PendingTransfer/timeUntilDue``.
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

    /// The caller's name for it.
    public let identifier: String
    /// Where it stands.
    public let state: State
    /// The URL of its request, query included.
    public let url: String
    /// The file's size in bytes; `nil` for a download whose size is not known, or that is empty.
    public let byteCount: UInt64?
    /// How often it was tried, over all launches. It goes on counting when the identifier is used again.
    public let attemptCount: Int
    /// The time until the next attempt may be made, never negative; `nil` unless it is ``State/waiting``. The server may
    /// have to be waited for longer.
    public let timeUntilDue: Duration?
    /// What went wrong last, for people; `nil` when nothing has.
    public let lastError: String?
}

extension PendingTransfer {
    init(_ record: TransferRecord, kind: TransferKind, now: Int64) {
        identifier = kind.identifier(ofRow: record.identifier)
        switch record.state {
        case .sending: state = .underWay
        case .held where record.reason == .held(.caller): state = .resting
        case .queued, .waiting, .held: state = .waiting
        case .delivered, .rejected, .exhausted, .evicted, .removed: state = .ended
        }
        url = record.request?.url ?? ""
        byteCount = kind == .download && record.byteCount == 0 ? nil : UInt64(clamping: record.byteCount)
        attemptCount = record.attempts
        timeUntilDue = record.due.map { .milliseconds(max(0, $0 - now)) }
        lastError = record.lastError
    }
}
