import Background
import DurableIO

/// What `doctor --repair` does.
extension Doctor {
    /// Mends what can be mended without losing anything: permissions, and files and rows that disagree.
    /// - Returns: what was done, in words.
    package func repair() async throws -> [String] {
        var done: [String] = []
        for exposure in try exposures() {
            if let name = exposure.name {
                try spool.files.setPermissions(exposure.wanted, of: name, in: exposure.room)
            } else {
                try spool.files.setPermissions(exposure.wanted, of: exposure.room)
            }
            done.append("\(exposure.subject): mode set to \(String(exposure.wanted, radix: 8))")
        }
        var configuration = SpoolOwner.Configuration(destination: nil)
        if inspector.isLedgerDamaged {
            configuration.ledgerDamage = .metAgain(
                .damage("its indexes do not agree with its rows, or it cannot be read"))
        }
        guard let owner = try await SpoolOwner.become(of: spool, configuration) else {
            let holder = OwnerLock.holder(LedgerPlace.lockName, in: spool.root, clock: spool.clock)
            throw ReportsError(
                .spoolNotUsable,
                "another process\(LockHolder.words(holder)) is at work on the spool: repair when it has ended")
        }
        do {
            done += owner.repairs
            done += try await Reconciliation(spool: spool, queue: owner.queue).run().messages
            done += try await parkDamaged(owner)
            owner.sender.noteMovedFiles()
            try await owner.resign()
            return done
        } catch {
            await owner.abandon()
            throw SpoolErrors.explained(error)
        }
    }

    /// Damaged bytes must not be sent; they are parked for a person to look at, who can remove them by their id.
    private func parkDamaged(_ owner: SpoolOwner) async throws -> [String] {
        var done: [String] = []
        for room in [spool.queued, spool.parked] {
            for name in try spool.files.entries(of: room) {
                do {
                    guard let id = StoredReport.id(in: name), try !spool.hasWhole(id, in: room) else { continue }
                    guard try await park(id, in: room, owner) else { continue }
                    try spool.release(id, as: .rejected)
                    owner.sender.noteMovedFiles()
                    done.append("\(id): parked, its bytes are damaged")
                } catch let error as FileSystemError {
                    done.append("\(name): left as it is, \(error)")
                }
            }
        }
        return done
    }

    /// - Returns: whether the ledger did not know of it yet.
    private func park(_ id: ContentHash, in room: Directory, _ owner: SpoolOwner) async throws -> Bool {
        let size = try spool.files.metadata(of: StoredReport.name(of: id), in: room)?.size ?? 0
        let transfer = NewTransfer(damaged: id, byteCount: size, seenWall: spool.clock.wallMilliseconds)
        return try await owner.queue.change { store in
            let record = try store.queries.record(id.hex)
            if record == nil { try store.insert(transfer) }
            guard record?.state.isParked != true else { return false }
            try store.end(id.hex, as: .rejected, reason: .damaged)
            return true
        }
    }
}
