import DurableIO
import Logging

/// The root directory of a session: the session makes it if it is missing, and opens its ledger whatever state the
/// ledger is in.
///
/// Before the first transfer is written down, the session makes everything that a later transfer needs when the disk is
/// full: the directories, the ledger with its log and index, the lock's file, and the reserve.
enum SessionPlace {
    /// The name is not `tmp`, because the cleaner removes all files in this directory, and an app may have a `tmp` of
    /// its own in the root directory.
    private static let temporaryName: EntryName = "ledger.tmp"

    /// Makes the directories that are missing.
    static func make(
        _ configuration: BackgroundSessionConfiguration, _ seams: SessionSeams
    ) throws(NetworkResponseError) -> LedgerPlace {
        guard let path = configuration.resolvedRootDirectory else {
            throw NetworkResponseError(.storage, "there is no home directory: set a root directory")
        }
        let files = seams.files
        do {
            try files.makeDirectories(path, permissions: 0o700)
            let root = try files.openDirectory(path)
            if let name = root.remoteFileSystemName {
                throw NetworkResponseError(.storage, "\(path) is on \(name), where locks cannot be trusted")
            }
            if try files.makeDirectory(temporaryName, in: root, permissions: 0o700) { try files.syncDirectory(root) }
            return LedgerPlace(
                files: files, clock: seams.clock, directory: root,
                temporary: try files.openDirectory(temporaryName, in: root), freeSpaceFloor: { min(64 << 20, $0 / 20) })
        } catch let error as NetworkResponseError {
            throw error
        } catch {
            throw NetworkResponseError(.storage, "\(error)")
        }
    }

    static func host(of place: LedgerPlace) throws(NetworkResponseError) -> LedgerHost {
        do throws(FileSystemError) {
            if let host = try LedgerHost.become(ownerOf: place) { return host }
        } catch {
            throw NetworkResponseError(.storage, "\(error)")
        }
        let holder = OwnerLock.holder(LedgerPlace.lockName, in: place.directory, clock: place.clock)
        throw NetworkResponseError(
            .ownedElsewhere, "another process\(LockHolder.words(holder)) works with \(place.directory.path)")
    }

    /// Opens the ledger, and logs the repair that was needed.
    static func open(
        _ host: LedgerHost, _ damage: LedgerDamage, logger: Logger
    ) throws -> sending TransferStore {
        // Each row of a session has a request of its own, and none goes before another.
        let opened = try host.open(damage, LedgerHost.SalvageRules(lane: Lane(""), hasFiles: false) { _, _ in 0 })
        log(opened.repair, host.place, logger)
        // An earlier process whose end was not orderly may have died before it made the names of the directories
        // durable.
        if opened.store.earlierEnd != .clean { try host.place.syncNames() }
        return opened.store
    }

    private static func log(_ repair: LedgerHost.Repair?, _ place: LedgerPlace, _ logger: Logger) {
        let path = "\(place.directory.path(of: LedgerPlace.ledgerName))"
        switch repair {
        case .setAside(let aside, .damaged(let error), let count):
            logger.error(
                "Ledger is damaged; set aside",
                metadata: ["path": "\(path)", "error": "\(error)", "aside": "\(aside)", "saved": "\(count)"])
        case .setAside(_, .unreleasedVersion(let version), _):
            logger.notice("Ledger is carried over", metadata: ["path": "\(path)", "version": "\(version)"])
        case .orphanedLog(let aside):
            logger.error(
                "Ledger is missing; its log was set aside", metadata: ["path": "\(path)", "aside": "\(aside)"])
        case nil: break
        }
    }
}
