import Background
import DurableIO

/// What a person may ask of the owner: to send again, to delete, or to try now.
struct OrderActions {
    let spool: ReportSpool
    let queue: TransferQueue
    let sender: ReportSender
    /// Decides again where a report goes that is retried; `nil` leaves it where it is.
    let router: Router?

    // MARK: - At once

    /// Makes a report due now, its charges and strikes cleared.
    /// - Returns: whether its bytes are there to be sent, and no route holds it.
    func retry(_ identifier: String, remembering nonce: String? = nil) async throws -> Bool {
        try await retry(all: [identifier], remembering: nonce) == [identifier]
    }

    /// All of them in one commit, together with the nonce.
    /// - Returns: those whose bytes are there to be sent, without those that a route holds.
    @discardableResult
    private func retry(all identifiers: [String], remembering nonce: String?) async throws -> [String] {
        let present = try identifiers.filter { identifier in
            guard let id = ContentHash(hex: identifier) else { return false }
            let name = StoredReport.name(of: id)
            return try spool.files.metadata(of: name, in: spool.queued) != nil
                || spool.files.metadata(of: name, in: spool.parked) != nil
        }
        if let nonce, try await queue.look({ try $0.isConsumed(token: nonce) }) { return present }
        let held = try await sender.locks.alone(with: Set(present)) {
            try await restart(present, remembering: nonce)
        }
        return present.filter { !held.contains($0) }
    }

    /// - Returns: those that a route holds.
    private func restart(_ present: [String], remembering nonce: String?) async throws -> Set<String> {
        // The files first: from the commit on a drive may claim the rows, and wants the bytes where they belong. A
        // crash in between parks them again, and the order is still there.
        try await queue.begin()
        for identifier in present { try await moveBack(identifier) }
        return try await queue.change { store in
            var held: Set<String> = []
            if let nonce, try !store.consume(token: nonce) { return held }
            for identifier in present {
                guard let record = try store.queries.record(identifier) else { continue }
                switch record.state {
                case .rejected, .exhausted, .held, .waiting, .queued:
                    let isHeld = try restart(record, in: store)
                    if isHeld { held.insert(identifier) }
                case .sending, .delivered, .evicted, .removed: break
                }
            }
            return held
        }
    }

    /// - Returns: whether a route holds it.
    private func restart(_ record: TransferRecord, in store: TransferStore) throws -> Bool {
        try store.restart(record.identifier)
        guard let router, record.request == nil else { return false }
        let decision = router.decision(for: ReportOutline(record))
        try store.follow(decision, on: record)
        return if case .hold = decision { true } else { false }
    }

    private func moveBack(_ identifier: String) async throws {
        guard let id = ContentHash(hex: identifier),
            let record = try await queue.look({ try $0.record(identifier) }), record.state.isParked
        else { return }
        let name = StoredReport.name(of: id)
        guard try spool.files.metadata(of: name, in: spool.parked) != nil else { return }
        try spool.files.renameReplacing(name, in: spool.parked, to: name, in: spool.queued)
        sender.noteMovedFiles()
    }

    /// Deletes a report's bytes and keeps its record; void for a report that came again since the order was filed, in
    /// milliseconds since the epoch.
    /// - Returns: whether the order is done with; `false` while the report is being sent, or is yet to be taken in.
    @discardableResult
    func remove(_ identifier: String, filedAt: Int64, remembering nonce: String? = nil) async throws -> Bool {
        try await sender.locks.alone(with: [identifier]) {
            let isPublished = try isPublished(identifier)
            let removal = try await queue.change { store -> Removal in
                let record = try store.queries.record(identifier)
                if record?.state == .sending || record == nil && isPublished { return .later }
                if let nonce, try !store.consume(token: nonce) { return .void }
                guard let record, record.state.isLive || record.state.isParked, record.lastSeenWall <= filedAt
                else { return .void }
                try store.end(identifier, as: .removed, reason: .removedByPerson)
                return .done
            }
            if removal == .done { sender.moveFiles(of: [(identifier, .removed)]) }
            return removal != .later
        }
    }

    private enum Removal: Sendable { case done, void, later }

    /// Whether an entry of the report lies in `collected/`, as one does that could not be taken in.
    private func isPublished(_ identifier: String) throws -> Bool {
        var isFound = false
        try spool.files.forEachEntry(in: spool.collected) { name in
            isFound = StoredReport.id(in: name)?.hex == identifier
            return !isFound
        }
        return isFound
    }

    /// The reports that a `retry --all` means: what is parked, held or waiting.
    func retryable() async throws -> [String] {
        try await queue.look { queries in
            var identifiers: [String] = []
            for state in [TransferState.rejected, .exhausted, .held, .waiting] {
                var cursor: LedgerQueries.Cursor?
                while true {
                    let page = try queries.page(of: .state(state), after: cursor, limit: 500)
                    guard let last = page.last else { break }
                    cursor = LedgerQueries.Cursor(after: last)
                    identifiers += page.map(\.identifier)
                }
            }
            return identifiers
        }
    }

    // MARK: - From a file

    /// Carries out an order that another process filed. What is in flight is left for the next look.
    /// - Returns: whether the order is done with.
    /// - Throws: ``Order/Problem`` for a file that is no order to this program, and stays.
    func carryOut(_ name: EntryName) async throws -> Bool {
        guard let order = try Order.read(name, in: spool) else { return false }
        let nonce = name.description
        switch (order.action, order.target) {
        case (.retry, .report(let id)):
            if try await isSending(id) { return false }
            _ = try await retry(id, remembering: nonce)
            try await probeGates(of: [id])
        case (.retry, .drop(let place)):
            _ = try await retry(place, remembering: nonce)
        case (.retry, .all):
            try await retryAll(remembering: nonce)
        case (.remove, .report(let id)):
            guard try await remove(id, filedAt: order.filedAt, remembering: nonce) else { return false }
        case (.remove, .drop(let place)):
            _ = try await remove(place, remembering: nonce)
        case (.submit, _):
            try await queue.probe()
        case (.remove, .all):
            break
        }
        try spool.files.remove(name, in: spool.collected)
        return true
    }

    private func retryAll(remembering nonce: String) async throws {
        // The drops first: the commit about the reports remembers that the order is carried out.
        guard try await !queue.look({ try $0.isConsumed(token: nonce) }) else { return }
        for place in try await poisonousDrops() { _ = try await retry(place) }
        let identifiers = try await retryable()
        try await retry(all: identifiers, remembering: nonce)
        try await probeGates(of: identifiers)
    }

    /// Has the closed gates probed that the reports of a retry go through. Without an owner the next submit does so, but
    /// this owner may live for months.
    private func probeGates(of identifiers: [String]) async throws {
        let lanes = try await queue.look { queries in
            try Set(identifiers.compactMap { try queries.record($0)?.lane })
        }
        try await queue.probeClosedGates(of: lanes)
    }

    private func isSending(_ identifier: String) async throws -> Bool {
        try await queue.look { try $0.record(identifier)?.state == .sending }
    }
}
