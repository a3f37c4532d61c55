import Background
import DurableIO

/// Looks at a spool without changing anything in it, beside a working owner or without one.
///
/// Where the ledger is missing or damaged it tells from the files what they say of themselves, and says so.
package struct SpoolInspector {
    package let spool: ReportSpool
    let reader: LedgerReader?
    /// The gates that reports wait for, as they were when the ledger was opened.
    private let gates: LaneGates?
    /// Why the ledger cannot be read; `nil` when it can.
    package let ledgerProblem: String?

    /// Opens the ledger for looking; `isThorough` reads every page of it first, `isHasty` waits for another program's
    /// lock for half a second at most.
    /// - Throws: ``ReportsError`` when the ledger is of a newer version, or, for a hasty look, when it is locked.
    package init(spool: ReportSpool, isThorough: Bool = false, isHasty: Bool = false) throws(ReportsError) {
        self.spool = spool
        do {
            let reader = try LedgerReader(
                name: LedgerPlace.ledgerName, in: spool.root, files: spool.files, clock: spool.clock, isHasty: isHasty)
            if isThorough { try reader.checkSoundness() }
            gates = try LaneGates(reader.queries)
            self.reader = reader
            ledgerProblem = nil
        } catch LedgerError.missing {
            (reader, gates) = (nil, nil)
            let isEmpty = try? spool.files.isEmpty(spool.queued) && spool.files.isEmpty(spool.parked)
            ledgerProblem = isEmpty == true ? nil : "there is no ledger; the next submit rebuilds it"
        } catch LedgerError.unreleasedVersion(let version) {
            (reader, gates) = (nil, nil)
            ledgerProblem =
                "the ledger has version \(version), which was never released; the next submit carries it over"
        } catch let error as LedgerError {
            throw ReportsError(.spoolNotUsable, "\(error); nothing was touched", underlyingError: error)
        } catch let error as SQLiteError where error.isDamage {
            (reader, gates) = (nil, nil)
            ledgerProblem = Self.damagedWords
        } catch let error as SQLiteError where isHasty && error.isLock {
            throw Self.locked(error)
        } catch {
            (reader, gates) = (nil, nil)
            ledgerProblem = "the ledger cannot be read: \(error)"
        }
    }

    static let damagedWords =
        "the ledger is damaged; the next submit rebuilds it, and where it does not meet the damage, "
        + "'reports doctor --repair' does"

    static func locked(_ error: SQLiteError) -> ReportsError {
        ReportsError(
            .spoolNotUsable, "another program keeps the ledger locked: find it with 'fuser ledger.sqlite' in the spool",
            underlyingError: error)
    }

    /// Whether a full check of the ledger, indexes against rows, finds something wrong.
    var isLedgerDamaged: Bool { reader.map { !$0.isWhole } ?? (ledgerProblem != nil) }

    func view(of record: TransferRecord) -> ReportView {
        var view = ReportView(record) { reader?.wall(of: $0) ?? $0 }
        view.isResting = reader.map { record.rests(at: $0.now) } ?? false
        guard let opens = gateOpensWall(record.lane) else { return view }
        if let due = view.nextAttemptAt {
            view.nextAttemptAt = max(due, opens)
        } else if case .held(let reason) = record.reason, record.state == .held, reason.closesOrigin {
            view.nextAttemptAt = opens
        }
        return view
    }

    /// When the gate that a lane's reports go through opens; `nil` when it is open.
    func gateOpensWall(_ lane: Lane) -> Int64? {
        guard let reader else { return nil }
        return gates?.opensAt(lane).map(reader.wall)
    }

    /// Why the last owner left sources where they are.
    func leftReasons() throws -> [String: String] {
        try reader?.queries.memories(prefix: LeftSources.prefix) ?? [:]
    }

    /// Rooms that cannot be looked into, each with what to do.
    package func roomProblems() -> [(room: String, message: String)] {
        let zone = DropZone(spool: spool)
        var problems: [(room: String, message: String)] = []
        func tell(_ room: String, _ error: FileSystemError) {
            problems.append(
                (room: room, message: "cannot be listed: \(error.errno): check its permissions and its disk"))
        }
        if let name = zone.remoteName { problems.append((room: "incoming", message: DropZone.remote(name))) }
        for (title, room) in [
            ("incoming", spool.incoming), ("taken", spool.taken), ("collected", spool.collected),
            ("queued", spool.queued), ("parked", spool.parked),
        ] {
            do throws(FileSystemError) {
                _ = try spool.files.isEmpty(room)
            } catch {
                tell(title, error)
            }
        }
        for room in ((try? zone.dropRooms()) ?? []).map({ DropZone.Room.dropRoom($0) }) {
            do throws(FileSystemError) {
                if let directory = try zone.directoryIfPresent(of: room) { _ = try spool.files.isEmpty(directory) }
            } catch {
                tell(room.path, error)
            }
        }
        return problems
    }
}
