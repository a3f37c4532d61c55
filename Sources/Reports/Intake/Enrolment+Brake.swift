import Background
import DurableIO

/// The brake on crash loops: the limit of how many reports of one signature come in within a time
/// (``SpoolLimits/maximumPerSignature``).
///
/// The brake decides before any file of the group is placed, so a braked report never has a file in `queued/`. It is
/// evicted in the transaction that inserts its row, and its source is unlinked after that commit. A crash before the
/// commit leaves the source, and the next owner decides anew. No other enrolment has reports of these signatures at the
/// same time, so the room that the brake has found is there until the commit.
extension Enrolment {
    /// The signatures in the group that the limit counts; empty without the limit.
    func brakedSignatures(of group: [Candidate]) -> Set<String> {
        guard spool.options.limits.maximumPerSignature != nil else { return [] }
        return Set(group.compactMap(\.countedSignature))
    }

    /// Brakes the candidates beyond the limit. The candidates of one signature are counted one by one, in the order in
    /// which they come.
    func braked(_ steps: [Step]) async throws -> [Step] {
        guard let limit = spool.options.limits.maximumPerSignature else { return steps }
        let coming = steps.filter(\.fate.bringsBytes).compactMap { step in
            step.candidate.countedSignature.map { (id: step.candidate.report.id.hex, $0, fate: step.fate) }
        }
        guard !coming.isEmpty else { return steps }
        let fates = try await queue.look(back: limit.periodMilliseconds) { queries, time in
            var brake = Brake(limit: max(1, limit.count), queries: queries, time: time)
            var fates: [String: Fate] = [:]
            for (id, signature, fate) in coming { fates[id] = try brake.fate(of: id, signature, fate) }
            return fates
        }
        return steps.map { step in
            guard step.fate.bringsBytes, let fate = fates[step.candidate.report.id.hex] else { return step }
            return Step(candidate: step.candidate, fate: fate)
        }
    }

    /// Leaves braked candidates where they are when a report of their signature that had room could not be stored. The
    /// next look decides anew which of them come in.
    func spareBraked(_ steps: inout [Step], _ result: inout Result) {
        var errors: [String: FileSystemError] = [:]
        for (candidate, error) in result.failures { candidate.countedSignature.map { errors[$0] = error } }
        guard !errors.isEmpty else { return }
        var spared: [ContentHash: FileSystemError] = [:]
        for step in steps where step.fate.isBraked {
            spared[step.candidate.report.id] = step.candidate.countedSignature.flatMap { errors[$0] }
        }
        // Other candidates with the same bytes have no row to be counted in.
        for step in steps { spared[step.candidate.report.id].map { result.failures.append((step.candidate, $0)) } }
        steps.removeAll { spared[$0.candidate.report.id] != nil }
    }

    /// How many more reports of each signature may come in.
    private struct Brake {
        let limit: Int
        let queries: LedgerQueries
        /// The time on the ledger's axis from which on reports count.
        let time: Int64
        private var rooms: [String: Int] = [:]

        init(limit: Int, queries: LedgerQueries, time: Int64) {
            (self.limit, self.queries, self.time) = (limit, queries, time)
        }

        mutating func fate(of id: String, _ signature: String, _ fate: Fate) throws -> Fate {
            if fate == .new { return try takeRoom(for: signature) ? .new : .brake }
            guard let record = try queries.record(id) else { return fate }
            // A report that is counted already takes no more room. A report that has only lost its bytes was let in
            // before, so it is let in again.
            if try queries.isAdmitted(id, of: signature, after: time) { return fate }
            let hasRoom = try takeRoom(for: signature)
            guard !hasRoom, record.state == .evicted || record.state == .removed else { return fate }
            return record.reason == .ended(.signatureLimit) ? .count : .brakeAgain
        }

        private mutating func takeRoom(for signature: String) throws -> Bool {
            let room =
                try rooms[signature] ?? limit - queries.admittedCount(of: signature, after: time, atMost: limit)
            rooms[signature] = max(0, room - 1)
            return room > 0
        }
    }
}

extension Enrolment.Candidate {
    /// The signature under which the limit counts this report; `nil` where the limit does not concern the report. A
    /// caller who gives a request for a report wants that report sent.
    var countedSignature: String? { report.properties.request == nil ? report.properties.signature : nil }
}
