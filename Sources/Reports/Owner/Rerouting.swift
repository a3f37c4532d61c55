import Background
import Digests
import DurableIO

/// The decision about where reports go that an owner with destinations makes again at the start of its run.
///
/// An owner without destinations leaves the reports that it enrols undecided; the next owner that has some decides. If
/// the routes differ from those of the last run that had routes, this owner also decides again about reports that were
/// never sent, those that the routes hold, and those of destinations that this run does not have. Reports that were
/// sent to a destination of this run stay there. Reports that their destination did not take are decided about again
/// when one takes others than before.
///
/// A crash in between leaves some reports in their new lanes and the others in their old ones. The ledger gets the
/// digest of the routes last, so the next owner decides again.
struct Rerouting {
    let queue: TransferQueue
    let router: Router

    /// The name of the digest in the ledger's memory.
    private static let digestName = "routing.digest"
    /// The name of the digest of what destinations take.
    private static let admissionsName = "routing.admissions"
    /// What the names of lanes begin with whose rows have a note.
    private static let notedPrefix = "routing.noted."
    private static let pageSize = 500

    /// - Throws: `CancellationError` when the task is cancelled; the next owner goes on.
    func run() async throws {
        try await decideUndecided()
        let digest = router.text.map { ContentHash(of: Array($0.utf8)).hex }
        let last = try await queue.look { try $0.memories(prefix: Self.digestName) }[Self.digestName]
        if let digest, digest != last {
            for state in [TransferState.queued, .waiting, .held] { try await decideAgain(about: state, isOpen) }
            try await queue.change {
                try $0.replaceMemories(prefix: Self.digestName, with: [Self.digestName: digest])
            }
        }
        try await askAgain()
        try await noteLanes()
    }

    /// Decides again about the reports that their destinations did not take, if a destination takes others now. A run
    /// in whose spool there are none writes nothing.
    private func askAgain() async throws {
        guard try await queue.look({ try $0.heldCount(for: .route) }) > 0 else { return }
        let digest = ContentHash(of: Array(router.admissionText.utf8)).hex
        let last = try await queue.look { try $0.memories(prefix: Self.admissionsName) }[Self.admissionsName]
        guard digest != last else { return }
        try await decideAgain(about: .held) { $0.reason == .held(.route) && router.kinds[$0.lane] != nil }
        try await queue.change {
            try $0.replaceMemories(prefix: Self.admissionsName, with: [Self.admissionsName: digest])
        }
    }

    private func decideUndecided() async throws {
        while true {
            let page = try await queue.look { try $0.unsent(in: .undecided, limit: Self.pageSize) }
            guard !page.isEmpty else { return }
            try await decide(about: page)
        }
    }

    private func decideAgain(about state: TransferState, _ isConcerned: (TransferRecord) -> Bool) async throws {
        var cursor: LedgerQueries.Cursor?
        while true {
            let page = try await queue.look { [cursor] queries in
                try queries.page(of: .state(state), after: cursor, limit: Self.pageSize)
            }
            guard let last = page.last else { return }
            cursor = LedgerQueries.Cursor(after: last)
            try await decide(about: page.filter(isConcerned))
        }
    }

    /// Whether changed routes concern a report.
    private func isOpen(_ record: TransferRecord) -> Bool {
        guard record.request == nil else { return false }
        return record.attempts == 0 || record.reason == .held(.route) || router.kinds[record.lane] == nil
    }

    private func decide(about records: [TransferRecord]) async throws {
        try Task.checkCancellation()
        let changes = records.filter { $0.request == nil }.map { ($0, router.decision(for: ReportOutline($0))) }
        guard !changes.isEmpty else { return }
        try await queue.change { store in
            for (record, decision) in changes { try store.follow(decision, on: record) }
        }
    }

    // MARK: - Lanes of other runs

    /// Tells people, in the rows themselves, which reports this run leaves to others.
    private func noteLanes() async throws {
        let noted = try await queue.look { try $0.memories(prefix: Self.notedPrefix) }
        let notedLanes = Set(noted.keys.map { Lane(String($0.dropFirst(Self.notedPrefix.count))) })
        let foreign = try await queue.look { try $0.liveLanes() }.filter { lane in
            lane.ownOrigin == nil && lane != .undecided && router.kinds[lane] == nil
        }
        guard !foreign.isEmpty || !notedLanes.isEmpty else { return }
        try await queue.change { store in
            for lane in notedLanes where router.kinds[lane] != nil {
                try store.removeNote(Self.note(lane), fromLane: lane)
            }
            for lane in foreign { try store.note(Self.note(lane), onLane: lane) }
            let names = foreign.map { (Self.notedPrefix + $0.name, "") }
            try store.replaceMemories(prefix: Self.notedPrefix, with: Dictionary(names) { $1 })
        }
    }

    /// What a row says whose destination a run does not have.
    static func note(_ lane: Lane) -> String { "no destination \(lane.name) in this run" }
}

extension TransferStore {
    /// Puts an unfinished report where a router has decided that it goes. Nothing changes for a report that is there.
    func follow(_ decision: Router.Decision, on record: TransferRecord) throws {
        switch decision {
        case .send(let lane):
            guard lane != record.lane || record.reason == .held(.route) else { return }
            try move(record.identifier, to: lane)
        case .hold(let lane, let note):
            try hold(record.identifier, in: lane, note: note)
        }
    }
}
