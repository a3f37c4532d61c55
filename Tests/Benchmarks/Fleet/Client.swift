import Background

/// A report that a client has not got rid of yet.
struct PendingReport {
    let enrolledAt: Int64
    var due: Int64
    var isSending = false
    /// Waits only for the origin, as the ledger's reason `unreachable` says.
    var isUnreachable = false
    var charged = 0
    var failures = 0
    var acceptedMark: Int64?
    /// Was there when the server came back.
    var isBacklog: Bool
    let number: Int32
}

/// A machine of the fleet: its reports, and the gate that its engine keeps before the server.
struct Client {
    var reports: [PendingReport] = []
    var gate = OriginGate()
    var inFlight = 0
    var nextNumber: Int32 = 0
    /// One-way delay to the server, in milliseconds.
    let delay: Int64
    /// When it looks next by itself; what is in the calendar for another time is void.
    var wakesAt: Int64 = .max
    /// Whether its `submit` is at work; a process that goes on always is.
    var isDriven: Bool

    /// Somebody asks for a submit: a gate that a failure closed may be probed once, and behind an open one nothing
    /// waits.
    mutating func beginExplicitly(at now: Int64) {
        gate.allowExplicitProbe()
        if gate.closure == nil { wakeUnreachable(at: now) }
    }

    private mutating func wakeUnreachable(at now: Int64) {
        for index in reports.indices where reports[index].isUnreachable { reports[index].due = now }
    }

    /// What may be sent now, and is from here on under way: the queue's claim.
    mutating func claim(at now: Int64, policy: RetryPolicy) -> [Int] {
        let limit = gate.allowance(at: now, inFlight: inFlight, maximum: policy.maximumWindow)
        guard limit > 0 else { return [] }
        var claims = due(at: now, limit: limit)
        if claims.isEmpty, gate.mayProbeWithOthers(at: now),
            let index = reports.firstIndex(where: { $0.isUnreachable && !$0.isSending })
        {
            claims = [index]
        }
        guard !claims.isEmpty else { return [] }
        gate.started(at: now)
        for index in claims {
            reports[index].isSending = true
            reports[index].isUnreachable = false
            if reports[index].acceptedMark == nil { reports[index].acceptedMark = gate.accepted }
        }
        inFlight += claims.count
        return claims
    }

    /// The ones due longest.
    private func due(at now: Int64, limit: Int) -> [Int] {
        var indices: [Int] = []
        for index in reports.indices where !reports[index].isSending && reports[index].due <= now {
            indices.append(index)
        }
        // Mostly there are few, and all may go.
        guard indices.count > limit else { return indices }
        return Array(indices.sorted { (reports[$0].due, $0) < (reports[$1].due, $1) }.prefix(limit))
    }

    /// When something will be due that the gate lets through: the queue's next time.
    func nextTime(after now: Int64) -> Int64? {
        var due = Int64.max
        var hasUnreachable = false
        for report in reports where !report.isSending {
            due = min(due, report.due)
            hasUnreachable = hasUnreachable || report.isUnreachable
        }
        guard due < .max else { return nil }
        var time = due
        if let opens = gate.opensAt { time = max(hasUnreachable ? min(due, opens) : due, opens) }
        return time <= now && inFlight > 0 ? nil : time
    }

    /// What an attempt came to, by the policy; the queue's settling.
    /// - Returns: the report, if it was delivered.
    mutating func settle(
        _ number: Int32, outcome: AttemptOutcome, startedAt: Int64, now: Int64, policy: RetryPolicy,
        using generator: inout some RandomNumberGenerator
    ) -> PendingReport? {
        guard let index = reports.firstIndex(where: { $0.number == number }) else { return nil }
        let report = reports[index]
        let facts = AttemptFacts(
            startedAt: startedAt, now: now, enrolledAt: report.enrolledAt, charged: report.charged,
            failures: report.failures, acceptedMark: report.acceptedMark ?? 0)
        let verdict = policy.verdict(on: outcome, facts, gate: &gate, using: &generator)
        inFlight -= 1
        if verdict.reopensOrigin { wakeUnreachable(at: now) }
        guard verdict.state == .waiting else {
            reports.remove(at: index)
            return verdict.state == .delivered ? report : nil
        }
        reports[index].isSending = false
        reports[index].due = verdict.due ?? now
        reports[index].isUnreachable = verdict.reason == .waiting(.unreachable)
        reports[index].charged += verdict.isCharged ? 1 : 0
        reports[index].failures = verdict.failures
        reports[index].acceptedMark = gate.accepted
        return nil
    }
}
