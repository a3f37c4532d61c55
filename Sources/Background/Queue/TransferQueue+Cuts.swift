/// Bodies that need longer than the deadlines that cut them.
extension TransferQueue {
    // MARK: - Claiming

    /// The lane's next transfer whose body is known to be slow, if one goes out in what is left until the drive's end,
    /// or has rested for ``CutAttempts/pause``.
    ///
    /// One at a time: two at a time would need twice as long. In a drive without an end they go beside the others, as
    /// soon as they are due.
    func slowTransfer(for route: Route, in plan: Plan) throws -> TransferRecord? {
        guard let driveEnd else { return nil }
        let left = driveEnd - clock.bootMilliseconds
        let found = try store.slowTransfers(lane: route.lane, within: left).first { record in
            guard let due = record.due, due > store.now else { return true }
            return record.cuts.rate.map { $0.need(for: record.byteCountLeft) <= left } ?? false
        }
        return found.flatMap { isSlowUnderWay(to: route.origin, in: plan) ? nil : $0 }
    }

    /// Which slow bodies go beside the others.
    func slowRows(at origin: String, in plan: Plan) -> TransferStore.SlowRows {
        guard driveEnd != nil else { return .all }
        return isSlowUnderWay(to: origin, in: plan) ? .none : .rested
    }

    private func isSlowUnderWay(to origin: String, in plan: Plan) -> Bool {
        plan.transfers.values.contains {
            $0.origin == origin && $0.claim.record.cuts.count >= CutAttempts.limit
        }
    }

    /// The drive has no end: what was put off may go.
    func wakePutOff() async throws {
        let lanes = try routes().map(\.lane).filter { try store.hasPutOff(lane: $0) }
        guard !lanes.isEmpty else { return }
        try await committing { store in
            for lane in lanes { try store.wakePutOff(lane: lane) }
        }
    }

    // MARK: - Judging

    /// What the ledger is to know of cuts after an attempt. A row that is put off gets its reason, note and time.
    func noteCut(of attempt: FinishedAttempt, in verdict: inout Verdict) throws -> CutAttempts {
        guard verdict.isInterruption else { return CutAttempts() }
        // Progress that was written down meanwhile has taken earlier cuts back.
        guard let record = try store.queries.record(row: attempt.claim.id) else { return CutAttempts() }
        guard let trace = attempt.report.trace else { return record.cuts }
        let isTriedAsSlow = driveEnd != nil && attempt.claim.record.cuts.count >= CutAttempts.limit
        let run = CutAttempts.Run(
            deadline: driveEnd.map { $0 - runBegun }, lasted: clock.bootMilliseconds - runBegun,
            now: configuration.stopwatch(), isAlone: attempt.wasAlone || isTriedAsSlow,
            wasPutOff: attempt.claim.putOff != nil)
        let consequence = record.cuts.followed(by: trace, of: attempt.claim.record.byteCountLeft, in: run)
        verdict.note = consequence.note
        // Whoever owns the retries also says when a transfer goes.
        if consequence.isPutOff, configuration.retryOwner == .engine {
            verdict.reason = .waiting(.deadline)
            verdict.due = store.now + CutAttempts.pause
        }
        return consequence.cuts
    }
}

extension TransferRecord {
    /// How much of the body the server is not known to have, in bytes.
    var byteCountLeft: Int64 {
        max(0, byteCount - Int64(clamping: uploaded?.offset ?? 0))
    }
}
