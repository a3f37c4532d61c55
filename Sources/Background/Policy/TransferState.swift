/// Where a transfer stands. The raw value is what the ledger stores and what users read.
package enum TransferState: String, CaseIterable, Hashable, Sendable {
    /// Never tried.
    case queued
    /// Claimed by the owner's running engine.
    case sending
    /// Tried, or given back; due at a known time.
    case waiting
    /// Stopped for a reason that time alone does not mend; see ``HoldReason``.
    case held
    /// The server has it. The row stays as a tombstone, so that the same bytes are not sent again.
    case delivered
    /// The server does not want it. The bytes are kept until a person decides.
    case rejected
    /// Given up after too many charges or too long a time. The bytes are kept until a person decides.
    case exhausted
    /// Its bytes went to keep a limit.
    case evicted
    /// Its bytes went because a person said so, or are missing.
    case removed

    /// Whether the engine will send it without anybody's help.
    package var isLive: Bool {
        switch self {
        case .queued, .sending, .waiting, .held: true
        case .delivered, .rejected, .exhausted, .evicted, .removed: false
        }
    }

    /// Whether the bytes wait for a person.
    package var isParked: Bool { self == .rejected || self == .exhausted }
}
