import Background
import DurableIO

/// What a person may ask of the owner: to send again, or to delete.
struct OwnerActions {
    let spool: ReportSpool
    let queue: TransferQueue
    let sender: ReportSender

    // MARK: - At once

    /// Makes a report due now, its charges and strikes cleared.
    /// - Returns: whether its bytes are there to be sent.
    func retry(_ identifier: String, remembering nonce: String? = nil) async throws -> Bool {
        guard let id = ContentHash(hex: identifier) else { return false }
        let name = StoredReport.name(of: id)
        let isThere =
            try spool.files.metadata(of: name, in: spool.queued) != nil
            || spool.files.metadata(of: name, in: spool.parked) != nil
        try await queue.change { store in
            if let nonce, try !store.remember(request: nonce) { return }
            guard isThere, let record = try store.queries.record(identifier) else { return }
            switch record.state {
            case .rejected, .exhausted, .held, .waiting, .queued: try store.restart(identifier)
            case .sending, .delivered, .evicted, .removed: break
            }
        }
        // The row first: it is the row that reconciliation believes.
        if try spool.files.metadata(of: name, in: spool.parked) != nil,
            let record = try await queue.look({ try $0.record(identifier) }), record.state.isLive
        {
            try spool.files.renameReplacing(name, in: spool.parked, to: name, in: spool.queued)
            sender.noteMovedFiles()
        }
        return isThere
    }

    /// Deletes a report's bytes and keeps its record; void for a report that came again since the request was filed, in
    /// milliseconds since the epoch.
    func remove(_ identifier: String, filedAt: Int64, remembering nonce: String? = nil) async throws {
        guard let id = ContentHash(hex: identifier) else { return }
        let isRemoved = try await queue.change { store in
            if let nonce, try !store.remember(request: nonce) { return false }
            guard let record = try store.queries.record(identifier), record.state != .sending,
                record.state.isLive || record.state.isParked, record.lastSeenWall <= filedAt
            else { return false }
            try store.settle(identifier, as: .removed, reason: "removed by a person")
            return true
        }
        guard isRemoved else { return }
        try spool.release(id, as: .removed)
        sender.noteMovedFiles()
    }

    /// All that a `retry --all` means: what is parked or held.
    func retryable() async throws -> [String] {
        try await queue.look { queries in
            var identifiers: [String] = []
            for state in [TransferState.rejected, .exhausted, .held, .waiting] {
                var cursor: LedgerQueries.Cursor?
                while true {
                    let page = try queries.page(state: state, label: nil, after: cursor, limit: 500)
                    guard let last = page.last else { break }
                    cursor = LedgerQueries.Cursor(after: last)
                    identifiers += page.map(\.identifier)
                }
            }
            return identifiers
        }
    }

    // MARK: - From a file

    /// Carries out a request another process filed. What is in flight is left for the next look.
    /// - Returns: whether the request is done with.
    func carryOut(_ name: EntryName) async throws -> Bool {
        guard let bytes = try spool.files.contents(of: name, in: spool.collected) else { return false }
        guard let request = OwnerRequest(bytes: bytes) else {
            // Not ours, or damaged: nothing to act on, and nothing of value.
            try spool.files.remove(name, in: spool.collected)
            return false
        }
        switch (request.action, request.id) {
        case (.retry, let id?):
            if try await isSending(id) { return false }
            _ = try await retry(id, remembering: name.description)
        case (.retry, nil):
            for id in try await retryable() { _ = try await retry(id) }
        case (.remove, let id?):
            if try await isSending(id) { return false }
            try await remove(id, filedAt: request.filedAt, remembering: name.description)
        case (.remove, nil):
            break
        }
        try spool.files.remove(name, in: spool.collected)
        return true
    }

    private func isSending(_ identifier: String) async throws -> Bool {
        try await queue.look { try $0.record(identifier)?.state == .sending }
    }
}
