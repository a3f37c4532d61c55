/// The scheduling of slow bodies: deadlines or signals have cut their attempts, because the bodies need more time than
/// the runs had (``CutAttempts``).
extension TransferQueue {
    // MARK: - Claiming

    /// The lane's next transfer with a slow body that this drive should send.
    ///
    /// The transfer is due, or it is put off for ``CutAttempts/pause`` and its body fits into the time that is left
    /// until the drive's end. Slow bodies are sent one at a time, because two at a time would need twice as long. In a
    /// drive without an end this is `nil`: slow bodies are claimed with the other rows as soon as they are due.
    func slowTransfer(for route: Route, in plan: Plan) throws -> TransferRecord? {
        guard let driveEnd else { return nil }
        let left = driveEnd - clock.bootMilliseconds
        let found = try store.slowTransfers(lane: route.lane, within: left).first { record in
            guard let due = record.due, due > store.now else { return true }
            return record.cuts.rate.map { $0.need(for: record.byteCountLeft) <= left } ?? false
        }
        return found.flatMap { isSlowUnderWay(to: route.origin, in: plan) ? nil : $0 }
    }

    /// Which rows with slow bodies the queue may claim together with the other rows.
    func slowRows(at origin: String, in plan: Plan) -> TransferStore.SlowRows {
        guard driveEnd != nil else { return .all }
        return isSlowUnderWay(to: origin, in: plan) ? .none : .rested
    }

    private func isSlowUnderWay(to origin: String, in plan: Plan) -> Bool {
        plan.transfers.values.contains {
            $0.origin == origin && $0.claim.record.cuts.count >= CutAttempts.limit
        }
    }

    /// Makes the rows due that were put off for their slow bodies. A drive without an end calls this.
    func wakePutOff() async throws {
        let lanes = try routes().map(\.lane).filter { try store.hasPutOff(lane: $0) }
        guard !lanes.isEmpty else { return }
        try await committing { store in
            for lane in lanes { try store.wakePutOff(lane: lane) }
        }
    }

    // MARK: - Judging

    /// Decides what the ledger stores about cuts after an attempt. For a row that is put off, sets the verdict's
    /// reason, note and time.
    func noteCut(of attempt: FinishedAttempt, in verdict: inout Verdict) throws -> CutAttempts {
        guard verdict.isInterruption else { return CutAttempts() }
        // The row is read again: if the attempt stored progress, this has set the row's earlier cuts to zero.
        guard let record = try store.queries.record(row: attempt.claim.id) else { return CutAttempts() }
        guard let trace = attempt.report.trace else { return record.cuts }
        let isTriedAsSlow = driveEnd != nil && attempt.claim.record.cuts.count >= CutAttempts.limit
        let run = CutAttempts.Run(
            deadline: driveEnd.map { $0 - runBegun }, lasted: clock.bootMilliseconds - runBegun,
            now: configuration.stopwatch(), isAlone: attempt.wasAlone || isTriedAsSlow,
            wasPutOff: attempt.claim.putOff != nil)
        let consequence = record.cuts.followed(by: trace, of: attempt.claim.record.byteCountLeft, in: run)
        verdict.note = consequence.note
        // A caller that decides about retries also decides when its transfer is sent.
        if consequence.isPutOff, configuration.retryOwner == .engine {
            verdict.reason = .waiting(.deadline)
            verdict.due = store.now + CutAttempts.pause
        }
        return consequence.cuts
    }
}

extension TransferRecord {
    /// The number of the body's bytes that the server is not known to have.
    var byteCountLeft: Int64 {
        max(0, byteCount - Int64(clamping: uploaded?.offset ?? 0))
    }
}
