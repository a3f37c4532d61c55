import Foundation

/// One moment at which the power went, and all that may be found on the disk after it.
package struct PowerCut: Sendable {
    /// Where in the life it was.
    package let label: String
    let model: DiskModel
    let contents: [Data]
    let ledgers: [LedgerCopy]
    let spool: String

    /// Which of the changes that nobody synced have reached the disk.
    package enum Outcome: Hashable, Sendable {
        case none
        case all
        /// Those that touch one directory, by its last name.
        case directory(String)
        /// Some, chosen by a seed.
        case some(UInt64)
    }

    /// Which of the ledger's commits are on the disk.
    package enum Ledger: Hashable, Sendable {
        /// All that had returned, as with `synchronous=FULL`.
        case newest
        /// All but so many since the last checkpoint, as it may be with `synchronous=NORMAL`.
        case older(Int)
    }

    /// What is on the disk.
    ///
    /// - Returns: `nil` when there was no such state of the ledger.
    package func image(_ outcome: Outcome, ledger: Ledger = .newest) -> DiskImage? {
        guard let newest = ledgers.indices.last else { return nil }
        var index = newest
        if case .older(let count) = ledger {
            index = newest - count
            // A checkpoint syncs the WAL first: what it has moved into the database is never lost.
            guard index >= 0, ledgers[index].database == ledgers[newest].database, !ledgers[index].isEmpty else {
                return nil
            }
        }
        let tree = model.tree(outcome)
        let copies = ledgers[index].files
        let names = model.directory(named: spool).map(model.liveNames) ?? [:]
        var files: [String: DiskImage.Source] = [:]
        for (path, identity) in tree.files {
            let name = names[identity]?.description
            files[path] =
                if let name, copies[name] != nil { .ledger(name) } else { .synced(model.contents(of: identity)) }
        }
        // What SQLite has made by itself it has synced, too.
        if tree.directories.contains(spool) {
            let known = Set(names.values.map(\.description))
            for name in copies.keys where !known.contains(name) { files["\(spool)/\(name)"] = .ledger(name) }
        }
        return DiskImage(directories: tree.directories, files: files, ledger: index, cut: self)
    }
}

/// The contents of the ledger's files at a moment, those set aside included; the index into the WAL is made anew by the
/// next who opens it.
struct LedgerCopy: Hashable, Sendable {
    private(set) var files: [String: Data] = [:]

    private static let databaseName = "ledger.sqlite"

    init(of spool: String) {
        for name in (try? FileManager.default.contentsOfDirectory(atPath: spool)) ?? []
        where name.hasPrefix(Self.databaseName) && !name.hasSuffix("-shm") {
            files[name] = FileManager.default.contents(atPath: "\(spool)/\(name)")
        }
    }

    /// Whether there is something in the log, whose name SQLite syncs before it writes there.
    var hasLog: Bool { !(files[Self.databaseName + "-wal"]?.isEmpty ?? true) }

    var database: Data? { files[Self.databaseName] }
    var isEmpty: Bool { database?.isEmpty ?? true }
}

/// What is found on a disk after a cut. Two are equal when a program could not tell them apart.
package struct DiskImage: Hashable, Sendable {
    /// Where a file's contents come from.
    enum Source: Hashable, Sendable {
        /// From its last sync, by number; `nil` when there was none.
        case synced(Int?)
        /// From the copy of the ledger, by the name that the file had at the cut.
        case ledger(String)
    }

    private let directories: Set<String>
    private let files: [String: Source]
    private let ledger: Int
    private let cut: PowerCut

    init(directories: Set<String>, files: [String: Source], ledger: Int, cut: PowerCut) {
        self.directories = directories
        self.files = files
        self.ledger = ledger
        self.cut = cut
    }

    package static func == (left: DiskImage, right: DiskImage) -> Bool {
        left.directories == right.directories && left.files == right.files && left.ledger == right.ledger
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(directories)
        hasher.combine(files)
        hasher.combine(ledger)
    }

    /// Puts it into an empty directory, as it is found after the reboot.
    package func reboot(into path: String) throws {
        let manager = FileManager.default
        for directory in directories.sorted() {
            try manager.createDirectory(
                atPath: "\(path)/\(directory)", withIntermediateDirectories: false,
                attributes: [.posixPermissions: 0o700])
        }
        for (name, source) in files {
            let bytes =
                switch source {
                case .synced(let number): number.map { cut.contents[$0] }
                case .ledger(let name): cut.ledgers[ledger].files[name]
                }
            try write(bytes ?? Data(), to: "\(path)/\(name)")
        }
    }

    private func write(_ bytes: Data, to path: String) throws {
        guard
            FileManager.default.createFile(atPath: path, contents: bytes, attributes: [.posixPermissions: 0o600])
        else { throw CocoaError(.fileWriteUnknown) }
    }
}
