package import Background
import DurableIO

/// The repair that makes files and ledger agree after an owner's end that was not orderly.
///
/// Where files and rows differ, the files decide which bytes there are, and the rows decide what is to be done with
/// them. A second reconciliation changes nothing. When its task is cancelled, it ends after the current file or row.
/// The repairs made so far stay, and the next owner makes the rest.
package struct Reconciliation {
    private let spool: ReportSpool
    private let queue: TransferQueue
    /// The marks of the drops that owners have taken.
    private let takenMarks: Set<String>

    /// Decides where the reports go whose rows are missing.
    private let router: Router?

    package init(spool: ReportSpool, queue: TransferQueue, router: Router? = nil) {
        self.spool = spool
        self.queue = queue
        self.router = router
        takenMarks = DropZone(spool: spool).takenMarks()
    }

    /// The repairs, as sentences for people.
    package struct Result: Sendable {
        package var messages: [String] = []
        /// Whether something could not be repaired now, so that the next owner has to look again.
        var isIncomplete = false
        /// Whether the task was cancelled before all files and rows were looked at.
        var isCutShort = false {
            didSet { if isCutShort { isIncomplete = true } }
        }
    }

    /// One change to the ledger because of a file or a row.
    private enum Change: Sendable {
        /// Inserts a row, together with the mark of the report's source if that source is still there.
        case insert(NewTransfer, source: String?)
        case insertParked(NewTransfer)
        case end(String, TransferState, EndReason)
        case note(String)
    }

    package func run() async throws -> Result {
        var result = Result()
        try await reconcileFiles(in: spool.queued, isParked: false, &result)
        try await reconcileFiles(in: spool.parked, isParked: true, &result)
        try await reconcileRows(&result)
        try spool.files.syncDirectory(spool.queued)
        try spool.files.syncDirectory(spool.parked)
        return result
    }

    // MARK: - Files

    private func reconcileFiles(in room: Directory, isParked: Bool, _ result: inout Result) async throws {
        var changes: [Change] = []
        for name in try spool.files.entries(of: room) {
            if Task.isCancelled { result.isCutShort = true }
            if result.isCutShort { break }
            guard let id = StoredReport.id(in: name), name == StoredReport.name(of: id) else { continue }
            let record = try await queue.look { try $0.record(id.hex) }
            do {
                if let change = try reconcile(name, id, record, isParked: isParked, &result) { changes.append(change) }
            } catch let error as FileSystemError {
                // One bad file must not keep the others from being sent.
                result.messages.append("\(name): left as it is, \(error): \(SpoolErrors.advice(error))")
                result.isIncomplete = true
            } catch is CancellationError {
                // The task was cancelled between two blocks of a file that is in both directories.
                result.isCutShort = true
            }
            if changes.count >= 500 { try await apply(&changes) }
        }
        try await apply(&changes)
    }

    private func reconcile(
        _ name: EntryName, _ id: ContentHash, _ record: TransferRecord?, isParked: Bool, _ result: inout Result
    ) throws -> Change? {
        guard let record else { return try adopt(name, isParked: isParked, &result) }
        switch record.state {
        case .queued, .waiting, .held, .sending:
            if isParked {
                // An owner committed the order to send this report again, and ended before it had moved the file.
                try move(id, from: spool.parked, to: spool.queued)
                result.messages.append("\(id): moved back to be sent")
            }
            return nil
        case .rejected, .exhausted:
            if !isParked {
                try move(id, from: spool.queued, to: spool.parked)
                result.messages.append("\(id): parked")
            }
            return nil
        case .delivered, .evicted, .removed:
            try spool.files.remove(name, in: isParked ? spool.parked : spool.queued)
            return nil
        }
    }

    /// Moves a report's file, but never over sound bytes. When both directories have the file, the sound one is kept.
    private func move(_ id: ContentHash, from source: Directory, to target: Directory) throws {
        let name = StoredReport.name(of: id)
        if try spool.hasWhole(id, in: target) {
            try spool.files.remove(name, in: source)
        } else {
            try spool.files.renameReplacing(name, in: source, to: name, in: target)
        }
    }

    private func adopt(_ name: EntryName, isParked: Bool, _ result: inout Result) throws -> Change? {
        let room = isParked ? spool.parked : spool.queued
        do {
            guard let report = try spool.stored(name, in: room) else { return nil }
            if isParked { return .insertParked(NewTransfer(report, by: router)) }
            // The owner that made this report may have died before it unlinked the drop.
            return .insert(
                NewTransfer(report, by: router),
                source: report.properties.source.flatMap { mark in
                    takenMarks.contains(mark) ? mark : nil
                })
        } catch let error as FileSystemError {
            // One bad file must not keep the others from being sent.
            result.messages.append("\(name): not adopted, \(error)")
            return nil
        } catch let error as DamagedReport {
            // The file stays where it is, for a person to look at. `doctor` names it.
            result.messages.append("\(name): not adopted, \(error)")
            return nil
        }
    }

    // MARK: - Rows

    /// Ends or marks the rows whose bytes are in no directory.
    private func reconcileRows(_ result: inout Result) async throws {
        for state in TransferState.allCases where state.isLive || state.isParked {
            var cursor: LedgerQueries.Cursor?
            while true {
                if Task.isCancelled { result.isCutShort = true }
                if result.isCutShort { return }
                let page = try await queue.look { [cursor] in
                    try $0.page(of: .state(state), after: cursor, limit: 500)
                }
                guard let last = page.last else { break }
                cursor = LedgerQueries.Cursor(after: last)
                var changes = try page.compactMap { try missingChange($0, &result) }
                try await apply(&changes)
            }
        }
    }

    private func missingChange(_ record: TransferRecord, _ result: inout Result) throws -> Change? {
        guard let id = ContentHash(hex: record.identifier) else { return nil }
        let name = StoredReport.name(of: id)
        guard try spool.files.metadata(of: name, in: spool.queued) == nil,
            try spool.files.metadata(of: name, in: spool.parked) == nil
        else { return nil }
        if record.state.isParked {
            guard record.reason != .ended(.bytesMissing) else { return nil }
            result.messages.append("\(id): its bytes are missing")
            return .note(record.identifier)
        }
        result.messages.append("\(id): removed, its bytes are missing")
        return .end(record.identifier, .removed, .bytesMissing)
    }

    private func apply(_ changes: inout [Change]) async throws {
        guard !changes.isEmpty else { return }
        let batch = changes
        changes = []
        try await queue.change { store in
            for change in batch {
                switch change {
                case .insert(let transfer, let source):
                    try store.insertFound(transfer)
                    if let source { _ = try store.consume(token: source) }
                case .insertParked(let transfer):
                    try store.insertFound(transfer)
                    try store.end(transfer.identifier, as: .rejected, reason: .rebuilt)
                case .end(let identifier, let state, let reason):
                    try store.end(identifier, as: state, reason: reason)
                case .note(let identifier): try store.note(.bytesMissing, on: identifier)
                }
            }
        }
    }
}

extension TransferStore {
    /// Inserts a transfer whose file was let in before. For the limit of its signature the transfer is as old as its
    /// file says: an owner that died before the commit has just let it in, but after the loss of a ledger its file may
    /// be old.
    fileprivate func insertFound(_ transfer: NewTransfer) throws {
        try insert(transfer, admittedFor: max(0, wallNow - transfer.seenWall))
    }
}
