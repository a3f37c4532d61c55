package import Diagnosis
package import DurableIO

/// The result of a submission: the counts of its own work, and the state of the spool at its end.
///
/// ## Topics
///
/// ### The work of this run
/// - ``delivered``
/// - ``rejected``
/// - ``exhausted``
/// - ``evicted``
/// - ``braked``
/// - ``lost``
/// - ``duplicates``
/// - ``repairs``
///
/// ### The state of the spool
/// - ``waiting``
/// - ``held``
/// - ``heldByRoute``
/// - ``skipped``
/// - ``nextAttemptMilliseconds``
/// - ``isOwnedElsewhere``
public struct SubmissionSummary: Hashable, Sendable {
    /// The reports that were delivered in this run.
    public internal(set) var delivered = 0
    /// All reports of the spool that are not delivered yet, and that the owner sends by itself when they are due.
    public internal(set) var waiting = 0
    /// All reports of the spool in the state `held`: they wait until something changes, for example the credentials, a
    /// certificate or the endpoint.
    public internal(set) var held = 0
    /// The reports among ``held`` that no route sends: a route holds them, or their destination does not take them.
    public internal(set) var heldByRoute = 0
    /// The reports that the server rejected in this run. Their files are in `parked/`.
    public internal(set) var rejected = 0
    /// The reports that were given up in this run, after too many failures or too long a time. Their files are in
    /// `parked/`.
    public internal(set) var exhausted = 0
    /// The reports whose bytes were deleted in this run to keep a limit of the spool.
    public internal(set) var evicted = 0
    /// The reports among ``evicted`` that exceeded the limit of their signature
    /// (``SpoolLimits/maximumPerSignature``). Other reports of the same fault were kept.
    public internal(set) var braked = 0
    /// The reports whose stored bytes were missing, because another program deleted the files. The state of these
    /// reports is now `removed`.
    public internal(set) var lost = 0
    /// The payloads of this run whose reports the spool already knew. The owner stored no second report, but increased
    /// the count of the known report.
    public internal(set) var duplicates = 0
    /// The drops and entries that this run found and left where they are, because it could not take them in or could
    /// not unlink them. Drops that another program is still writing count, too. A directory that could not be listed
    /// counts as one.
    public internal(set) var skipped = 0
    /// The time at which the next attempt may be made, by the wall clock in milliseconds since 1970; `nil` when no
    /// report waits for a time.
    public internal(set) var nextAttemptMilliseconds: Int64?
    /// Whether another process was the owner of the spool and had not finished when this run ended.
    public internal(set) var isOwnedElsewhere = false
    /// The process that owns the spool and has done the work of this run, or has not finished it; `nil` if this run was
    /// the owner, and if the lock file does not name the other one.
    package internal(set) var owner: LockHolder?
    /// The repairs that this run made first, and the destinations that it could not reach for a setting, as sentences
    /// for people; empty after an orderly end of the previous run.
    public internal(set) var repairs: [String] = []

    /// Makes a summary in which all counts are zero.
    package init() {}
}

extension SubmissionSummary {
    mutating func add(_ progress: SubmissionProgress) {
        delivered += progress.delivered
        rejected += progress.rejected
        exhausted += progress.exhausted
        evicted += progress.evicted
        braked += progress.braked
        lost += progress.lost
    }

    /// Makes a summary of this run's work with the counts of a look at the whole spool.
    func counting(_ found: SubmissionSummary) -> SubmissionSummary {
        var summary = self
        summary.waiting = found.waiting
        summary.held = found.held
        summary.heldByRoute = found.heldByRoute
        summary.nextAttemptMilliseconds = found.nextAttemptMilliseconds
        return summary
    }

    /// The members of the JSON form, in the order that the contract gives them.
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
        object["braked"] = JSONValue(braked)
        object["held_by_route"] = JSONValue(heldByRoute)
        return object
    }
}

extension SpoolInspector {
    /// The counts of the spool's state as a reader sees them.
    func summary() throws -> SubmissionSummary {
        var summary = SubmissionSummary()
        if let tally = try reader?.queries.tally() {
            summary.waiting = tally.waiting.count
            summary.held = tally.held.count
            summary.heldByRoute = try reader?.queries.heldCount(for: .route) ?? 0
        }
        summary.waiting += try unrecordedCount()
        summary.nextAttemptMilliseconds = try nextAttempt()
        summary.isOwnedElsewhere = false
        return summary
    }
}
