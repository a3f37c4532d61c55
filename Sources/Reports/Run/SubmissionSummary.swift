package import DurableIO

/// What a submission came to: what it did itself, and how the spool stands at its end.
///
/// ## Topics
///
/// ### What this run did
/// - ``delivered``
/// - ``rejected``
/// - ``exhausted``
/// - ``evicted``
/// - ``lost``
/// - ``duplicates``
/// - ``repairs``
///
/// ### How the spool stands
/// - ``waiting``
/// - ``held``
/// - ``skipped``
/// - ``nextAttemptMilliseconds``
/// - ``isOwnedElsewhere``
public struct SubmissionSummary: Hashable, Sendable {
    /// Delivered in this run.
    public internal(set) var delivered = 0
    /// Not delivered yet, and sent by themselves when due: all such reports of the spool.
    public internal(set) var waiting = 0
    /// Stopped until something changes: credentials, certificate, endpoint. All such reports of the spool.
    public internal(set) var held = 0
    /// Rejected by the server in this run; kept in `parked/`.
    public internal(set) var rejected = 0
    /// Given up in this run; kept in `parked/`.
    public internal(set) var exhausted = 0
    /// Reports whose bytes went in this run to keep a limit of the spool.
    public internal(set) var evicted = 0
    /// Reports whose bytes were not where they had been stored: some other program took them. They end as removed.
    public internal(set) var lost = 0
    /// Payloads taken in by this run that were known already, and only counted.
    public internal(set) var duplicates = 0
    /// Files in `incoming/` that could not be taken, those among them that are still being written.
    public internal(set) var skipped = 0
    /// When the next attempt may be made by the wall clock, in milliseconds since 1970; `nil` when nothing waits for a
    /// time.
    public internal(set) var nextAttemptMilliseconds: Int64?
    /// Another process is the spool's owner and was still at it.
    public internal(set) var isOwnedElsewhere = false
    /// That process, where its lock says which it is.
    package internal(set) var owner: LockHolder?
    /// What had to be mended first, in words; empty after an orderly end of the run before.
    public internal(set) var repairs: [String] = []

    /// Nothing done, nothing waiting.
    package init() {}
}

extension SubmissionSummary {
    mutating func add(_ progress: SubmissionProgress) {
        delivered += progress.delivered
        rejected += progress.rejected
        exhausted += progress.exhausted
        evicted += progress.evicted
        lost += progress.lost
    }

    /// This run's doings with the counts that a look at the whole spool found.
    func counting(_ found: SubmissionSummary) -> SubmissionSummary {
        var summary = self
        summary.waiting = found.waiting
        summary.held = found.held
        summary.nextAttemptMilliseconds = found.nextAttemptMilliseconds
        return summary
    }

    /// The contract's members, in its order.
    package var json: JSONObject {
        var object = JSONObject()
        object["delivered"] = JSONValue(delivered)
        object["waiting"] = JSONValue(waiting)
        object["held"] = JSONValue(held)
        object["rejected"] = JSONValue(rejected)
        object["exhausted"] = JSONValue(exhausted)
        object["duplicates"] = JSONValue(duplicates)
        object["skipped"] = JSONValue(skipped)
        object["next_attempt_at"] = JSONValue(nextAttemptMilliseconds.map(RFC3339.string))
        object["evicted"] = JSONValue(evicted)
        return object
    }
}

extension SpoolInspector {
    /// The same counts as a submission's, from outside.
    func summary() throws -> SubmissionSummary {
        var summary = SubmissionSummary()
        if let tally = try reader?.queries.tally() {
            summary.waiting = tally.waiting.count
            summary.held = tally.held.count
        }
        summary.waiting += try unrecordedCount()
        summary.nextAttemptMilliseconds = try nextAttempt()
        summary.isOwnedElsewhere = false
        return summary
    }
}
