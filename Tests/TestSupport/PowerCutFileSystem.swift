package import DurableIO
import Foundation
import Synchronization
package import SystemPackage

/// The machine's file system with a model of the disk below it: at each call that changes something the power may go,
/// before it and after it, and what would be left is kept as a ``PowerCut``.
///
/// Nothing the program does after a cut can matter to what the cut leaves, so that one life gives all of its cuts: each
/// is then materialised as a directory of its own and the next life begins there. The ledger is written past this
/// protocol; its files are copied at each moment, `moment(_:)` being called between any two commits.
package final class PowerCutFileSystem: FileSystem {
    /// A call that makes something durable.
    package enum Sync: Hashable, Sendable {
        case contents
        /// The names in a directory, by the last part of its path; "" is the directory everything is in.
        case names(String)
        case everything
    }

    private struct State {
        var model = DiskModel()
        var contents: [Data] = []
        /// By inode: what a descriptor or a directory is.
        var identities: [UInt64: DiskModel.Identity] = [:]
        var ignored: Set<Sync> = []
        var made: Set<Sync> = []
        var ledgers: [LedgerCopy] = []
        var changes = 0
        var killedAt = Int.max
        var isIncomingApart = false

        /// - Returns: whether the call has an effect.
        mutating func make(_ sync: Sync) -> Bool {
            made.insert(sync)
            return !ignored.contains(sync)
        }
    }

    private let base = POSIXFileSystem()
    private let path: String
    private let spool: String
    private let state = Mutex(State())
    private let isWanted: @Sendable (String) -> Bool
    private let onCut: @Sendable (PowerCut) -> Void

    /// `path` is an existing, empty directory, the whole of the disk; `spool` the name of the directory in it that has
    /// a ledger. At each moment `isWanted` is asked whether its cut is; it gets the moment's label, and no lock is held.
    package init(
        _ path: String, spool: String, isWanted: @escaping @Sendable (String) -> Bool = { _ in true },
        onCut: @escaping @Sendable (PowerCut) -> Void
    ) throws(FileSystemError) {
        self.path = path
        self.spool = spool
        self.isWanted = isWanted
        self.onCut = onCut
        let root = try base.metadata(of: base.openDirectory(FilePath(path))).inode
        state.withLock { $0.identities[root] = DiskModel.root }
    }

    /// From now on `incoming/` is another file system than the rest: nothing can be renamed out of it.
    package func keepIncomingApart() { state.withLock { $0.isIncomingApart = true } }

    /// From now on these calls return without having made anything durable.
    package func ignore(_ syncs: Set<Sync>) { state.withLock { $0.ignored = syncs } }

    /// From the n-th change on nothing happens any more, as when the process was killed; the power stays.
    package func kill(at change: Int) { state.withLock { $0.killedAt = change } }

    /// Another process works on the same disk.
    package func revive() { state.withLock { $0.killedAt = .max } }

    /// Whether a change was refused for the process being dead.
    package var isDead: Bool { state.withLock { $0.changes >= $0.killedAt } }

    /// What was made durable, the ignored included.
    package var syncs: Set<Sync> { state.withLock(\.made) }

    /// How many calls have changed something.
    package var changes: Int { state.withLock(\.changes) }

    /// The power may go here, too.
    package func moment(_ label: String) {
        guard isWanted(label) else { return }
        let ledger = LedgerCopy(of: "\(path)/\(spool)")
        let cut = state.withLock { state in
            if state.ledgers.last != ledger { state.ledgers.append(ledger) }
            if ledger.hasLog, let directory = state.model.directory(named: spool) {
                state.model.sync(DiskModel.Name(directory: directory, entry: "ledger.sqlite-wal"))
            }
            return PowerCut(
                label: label, model: state.model, contents: state.contents, ledgers: state.ledgers, spool: spool)
        }
        onCut(cut)
    }

    private func change<Result: ~Copyable>(
        _ label: String, _ body: () throws(FileSystemError) -> Result,
        then note: (inout State, borrowing Result) -> Void
    ) throws(FileSystemError) -> Result {
        let number = try nextChange()
        moment("before change \(number), \(label)")
        let result = try body()
        state.withLock { note(&$0, result) }
        moment("after change \(number), \(label)")
        return result
    }

    private func nextChange() throws(FileSystemError) -> Int {
        let (number, isDead) = state.withLock { state in
            if state.changes < state.killedAt { state.changes += 1 }
            return (state.changes, state.changes >= state.killedAt)
        }
        guard !isDead else { throw FileSystemError(.write, "a process that was killed", .ioError) }
        return number
    }

    private func name(_ entry: EntryName, in directory: Directory) -> DiskModel.Name? {
        guard let inode = try? base.metadata(of: directory).inode,
            let identity = state.withLock({ $0.identities[inode] })
        else { return nil }
        return DiskModel.Name(directory: identity, entry: entry)
    }
}

// MARK: - What changes the disk

extension PowerCutFileSystem {
    package func makeDirectory(_ path: FilePath, permissions: UInt32) throws(FileSystemError) -> Bool {
        guard let entry = path.lastComponent.flatMap({ EntryName($0.string) }) else {
            return try base.makeDirectory(path, permissions: permissions)
        }
        let parent = try base.openDirectory(path.removingLastComponent())
        return try makeDirectory(entry, in: parent, permissions: permissions)
    }

    package func makeDirectory(
        _ name: EntryName, in directory: Directory, permissions: UInt32
    ) throws(FileSystemError) -> Bool {
        let found = self.name(name, in: directory)
        return try change("make \(name)") { () throws(FileSystemError) -> Bool in
            try base.makeDirectory(name, in: directory, permissions: permissions)
        } then: { state, isNew in
            guard isNew, let found, let inode = try? base.metadata(of: name, in: directory)?.inode else { return }
            state.identities[inode] = state.model.make(found, isDirectory: true)
        }
    }

    package func createFile(_ name: EntryName, in directory: Directory) throws(FileSystemError) -> OwnedDescriptor {
        let found = self.name(name, in: directory)
        return try change("create \(name)") { () throws(FileSystemError) -> OwnedDescriptor in
            try base.createFile(name, in: directory)
        } then: { state, file in
            guard let found, let inode = try? base.metadata(of: file).inode else { return }
            state.identities[inode] = state.model.make(found, isDirectory: false)
        }
    }

    package func write(
        _ bytes: UnsafeRawBufferPointer, to file: borrowing OwnedDescriptor, at offset: UInt64?
    ) throws(FileSystemError) {
        let number = try nextChange()
        try base.write(bytes, to: file, at: offset)
        moment("after change \(number), a write")
    }

    package func sync(_ file: borrowing OwnedDescriptor) throws(FileSystemError) {
        try base.sync(file)
        let inode = try base.metadata(of: file).inode
        let bytes = Data(try base.read(file, limit: Int(base.metadata(of: file).size)))
        try change("sync of contents") { () throws(FileSystemError) in
        } then: { state, _ in
            guard state.make(.contents), let identity = state.identities[inode] else { return }
            state.contents.append(bytes)
            state.model.syncContents(of: identity, number: state.contents.count - 1)
        }
    }

    package func syncDirectory(_ directory: Directory) throws(FileSystemError) {
        let inode = try base.metadata(of: directory).inode
        try change("sync of names in \(directory.path.lastComponent?.string ?? "")") { () throws(FileSystemError) in
            try base.syncDirectory(directory)
        } then: { state, _ in
            guard let identity = state.identities[inode] else { return }
            guard state.make(.names(state.model.name(of: identity))) else { return }
            state.model.syncNames(in: identity)
        }
    }

    package func syncFileSystem(of directory: Directory) throws(FileSystemError) {
        try base.syncFileSystem(of: directory)
        try syncEverything()
    }

    package func syncFileSystem(of file: borrowing OwnedDescriptor) throws(FileSystemError) {
        try base.syncFileSystem(of: file)
        try syncEverything()
    }

    private func syncEverything() throws(FileSystemError) {
        try change("sync of everything") { () throws(FileSystemError) in
        } then: { state, _ in
            guard state.make(.everything) else { return }
            state.model.syncAllNames()
            for (path, identity) in state.model.files() {
                guard let bytes = FileManager.default.contents(atPath: "\(self.path)/\(path)") else { continue }
                state.contents.append(bytes)
                state.model.syncContents(of: identity, number: state.contents.count - 1)
            }
        }
    }

    package func rename(
        _ name: EntryName, in source: Directory, to newName: EntryName, in target: Directory
    ) throws(FileSystemError) {
        if source.isInDropZone, !target.isInDropZone, state.withLock(\.isIncomingApart) {
            throw FileSystemError(.rename, source.path(of: name), .improperLink)
        }
        try renaming(name, in: source, to: newName, in: target) { () throws(FileSystemError) in
            try base.rename(name, in: source, to: newName, in: target)
        }
    }

    package func renameReplacing(
        _ name: EntryName, in source: Directory, to newName: EntryName, in target: Directory
    ) throws(FileSystemError) {
        try renaming(name, in: source, to: newName, in: target) { () throws(FileSystemError) in
            try base.renameReplacing(name, in: source, to: newName, in: target)
        }
    }

    private func renaming(
        _ name: EntryName, in source: Directory, to newName: EntryName, in target: Directory,
        _ body: () throws(FileSystemError) -> Void
    ) throws(FileSystemError) {
        let (from, to) = (self.name(name, in: source), self.name(newName, in: target))
        try change("rename to \(target.path.lastComponent?.string ?? "")/\(newName)", body) { state, _ in
            if let from, let to { state.model.rename(from, to: to) }
        }
    }

    package func link(
        _ name: EntryName, in source: Directory, to newName: EntryName, in target: Directory
    ) throws(FileSystemError) {
        let (from, to) = (self.name(name, in: source), self.name(newName, in: target))
        try change("link to \(target.path.lastComponent?.string ?? "")/\(newName)") { () throws(FileSystemError) in
            try base.link(name, in: source, to: newName, in: target)
        } then: { state, _ in
            if let from, let to { state.model.link(from, to: to) }
        }
    }

    @discardableResult
    package func remove(_ name: EntryName, in directory: Directory) throws(FileSystemError) -> Bool {
        let found = self.name(name, in: directory)
        return try change("remove \(directory.path.lastComponent?.string ?? "")/\(name)") {
            () throws(FileSystemError) -> Bool in
            try base.remove(name, in: directory)
        } then: { state, isRemoved in
            if isRemoved, let found { state.model.remove(found) }
        }
    }

    @discardableResult
    package func removeDirectory(_ name: EntryName, in directory: Directory) throws(FileSystemError) -> Bool {
        let found = self.name(name, in: directory)
        return try change("remove \(directory.path.lastComponent?.string ?? "")/\(name)/") {
            () throws(FileSystemError) -> Bool in
            try base.removeDirectory(name, in: directory)
        } then: { state, isRemoved in
            if isRemoved, let found { state.model.remove(found) }
        }
    }
}

// MARK: - What does not

extension PowerCutFileSystem {
    package func openDirectory(_ path: FilePath) throws(FileSystemError) -> Directory { try base.openDirectory(path) }

    package func openDirectory(_ name: EntryName, in directory: Directory) throws(FileSystemError) -> Directory {
        try base.openDirectory(name, in: directory)
    }

    package func openUnlisted(_ path: FilePath) throws(FileSystemError) -> Directory { try base.openUnlisted(path) }

    package func openUnlisted(_ name: EntryName, in directory: Directory) throws(FileSystemError) -> Directory {
        try base.openUnlisted(name, in: directory)
    }

    package func openFile(_ name: EntryName, in directory: Directory) throws(FileSystemError) -> OwnedDescriptor {
        try base.openFile(name, in: directory)
    }

    package func openFileForWriting(
        _ name: EntryName, in directory: Directory
    ) throws(FileSystemError) -> OwnedDescriptor {
        try base.openFileForWriting(name, in: directory)
    }

    package func openFile(_ path: FilePath) throws(FileSystemError) -> OwnedDescriptor { try base.openFile(path) }

    package func makeBlocking(_ file: borrowing OwnedDescriptor) throws(FileSystemError) {
        try base.makeBlocking(file)
    }

    package func metadata(of name: EntryName, in directory: Directory) throws(FileSystemError) -> FileMetadata? {
        try base.metadata(of: name, in: directory)
    }

    package func metadata(of file: borrowing OwnedDescriptor) throws(FileSystemError) -> FileMetadata {
        try base.metadata(of: file)
    }

    package func metadata(of directory: Directory) throws(FileSystemError) -> FileMetadata {
        try base.metadata(of: directory)
    }

    package func read(
        _ file: borrowing OwnedDescriptor, into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64?
    ) throws(FileSystemError) -> Int {
        try base.read(file, into: buffer, at: offset)
    }

    /// What is written back may or may not be there after a cut. The model takes it that it is not.
    package func startWriteBack(
        of file: borrowing OwnedDescriptor, in range: Range<UInt64>
    ) throws(FileSystemError) {
        try base.startWriteBack(of: file, in: range)
    }

    package func finishWriteBack(
        of file: borrowing OwnedDescriptor, in range: Range<UInt64>
    ) throws(FileSystemError) {
        try base.finishWriteBack(of: file, in: range)
    }

    package func setOwner(
        _ user: UInt32, group: UInt32, of file: borrowing OwnedDescriptor
    ) throws(FileSystemError) {
        try base.setOwner(user, group: group, of: file)
    }

    package func setPermissions(
        _ permissions: UInt32, of name: EntryName, in directory: Directory
    ) throws(FileSystemError) {
        try base.setPermissions(permissions, of: name, in: directory)
    }

    package func setPermissions(_ permissions: UInt32, of directory: Directory) throws(FileSystemError) {
        try base.setPermissions(permissions, of: directory)
    }

    package func setPermissions(
        _ permissions: UInt32, of file: borrowing OwnedDescriptor
    ) throws(FileSystemError) {
        try base.setPermissions(permissions, of: file)
    }

    package func forEachListed(
        in directory: Directory, _ body: (EntryName, _ mayBeDirectory: Bool) -> Bool
    ) throws(FileSystemError) {
        try base.forEachListed(in: directory, body)
    }

    package func space(on directory: Directory) throws(FileSystemError) -> (available: UInt64, total: UInt64) {
        try base.space(on: directory)
    }
}
