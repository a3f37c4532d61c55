/// Transfers that may be what kills the process: each goes alone.
extension TransferQueue {
    /// Somebody asks for a transfer by its name: if it is a suspect it goes next, alone, instead of after all others.
    /// - Returns: how often the process died while it alone was under way; `nil` when it is no suspect.
    package func attend(to identifier: String) throws -> Int? {
        guard let record = try store.queries.record(identifier), record.isSuspect, record.state == .waiting else {
            return nil
        }
        asked.insert(record.rowID)
        mailbox.wake()
        return record.strikes
    }

    /// Writes down how far a transfer under way has come; durable on return.
    package func note(
        progress: String?, byteCount: Int64?, hasAdvanced: Bool, of identifier: String
    ) async throws {
        let row = try await change { store in
            try store.note(progress: progress, byteCount: byteCount, hasAdvanced: hasAdvanced, of: identifier)
            return hasAdvanced ? try store.queries.record(identifier)?.rowID : nil
        }
        guard let row, inFlight[row]?.isSuspect == true else { return }
        // It is none any more, and others may go beside it.
        inFlight[row]?.isSuspect = false
        mailbox.wake()
    }

    /// The suspect that was asked for and may go as soon as nothing else is under way: until then nothing else starts.
    func nextAskedSuspect() throws -> (row: Int64, route: Route)? {
        for row in asked.sorted() {
            guard let found = try store.queries.suspect(row: row), found.due <= store.now,
                let origin = found.lane.ownOrigin
            else { continue }
            let route = Route(lane: found.lane, origin: origin)
            if gate(of: route).allowance(at: store.now, inFlight: 0, maximum: 1) > 0 { return (row, route) }
        }
        return nil
    }
}
