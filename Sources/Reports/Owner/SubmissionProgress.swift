import Background

/// The counts of what a run has done so far.
package struct SubmissionProgress: Hashable, Sendable {
    package var delivered = 0
    package var rejected = 0
    package var exhausted = 0
    package var evicted = 0
    /// Of these, the reports that the limit of a signature evicted.
    package var braked = 0
    /// The reports whose stored bytes were missing.
    package var lost = 0
    package var attempts = 0

    static func += (left: inout SubmissionProgress, right: SubmissionProgress) {
        left.delivered += right.delivered
        left.rejected += right.rejected
        left.exhausted += right.exhausted
        left.evicted += right.evicted
        left.braked += right.braked
        left.lost += right.lost
        left.attempts += right.attempts
    }

    mutating func count(_ settlement: Settlement) {
        attempts += 1
        switch settlement.verdict.state {
        case .removed where settlement.verdict.reason == .ended(.bytesMissing): lost += 1
        case .delivered: delivered += 1
        case .rejected: rejected += 1
        case .exhausted: exhausted += 1
        default: break
        }
    }
}
