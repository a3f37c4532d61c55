package import DurableIO
import Synchronization
package import SystemPackage

/// The machine's file system with somebody in between, who sees each call before it is made and may refuse it.
///
/// Made with `killedAt:` it plays a process that dies: the n-th call that would change something is not made, nor is
/// any call after it. What was done before stays, as after `kill -9`; nothing is taken back, so this is no power cut.
package final class FaultingFileSystem: FileSystem {
    /// A call that is about to be made.
    package struct Call: Sendable {
        package enum Operation: String, Sendable {
            case open, read, inspect, list
            case makeDirectory, create, write, sync, rename, link, remove, setPermissions, setOwner
            /// It makes nothing durable, and so it changes nothing.
            case startWriteBack, finishWriteBack
        }

        package let operation: Operation
        /// The entry it is about, where it has a name.
        package let name: EntryName?
        /// The directory it is in; the one it goes to for a rename.
        package let directory: FilePath?
        /// 1 for the first call that changes something; `nil` for one that does not.
        package let change: Int?

        /// The last part of the directory's path.
        package var room: String { directory?.lastComponent?.string ?? "" }
    }

    private struct State {
        var changes = 0
        var isDead = false
        var isIncomingApart = false
        var remoteIncoming: String?
        var space: (available: UInt64, total: UInt64)?
    }

    private let base = POSIXFileSystem()
    private let before: @Sendable (Call) throws(FileSystemError) -> Void
    private let state = Mutex(State())

    /// - Parameter before: called before each call, on its thread; throwing refuses it.
    package init(before: @escaping @Sendable (Call) throws(FileSystemError) -> Void) {
        self.before = before
    }

    /// - Parameter killedAt: the number of the change that is not made any more, 1 for the first.
    package convenience init(killedAt: Int) {
        self.init { call throws(FileSystemError) in
            guard let change = call.change, change >= killedAt else { return }
            throw FaultingFileSystem.death
        }
        diesOnRefusal.withLock { $0 = true }
    }

    private let diesOnRefusal = Mutex(false)
    private static let death = FileSystemError(.write, "a process that was killed", .ioError)

    /// How many calls that change something have been made, a refused one included.
    package var changes: Int { state.withLock(\.changes) }
    /// Whether the process it plays has died.
    package var isDead: Bool { state.withLock(\.isDead) }

    /// From now on `incoming/` is another file system than the rest: nothing can be renamed out of it.
    package func keepIncomingApart() { state.withLock { $0.isIncomingApart = true } }
    /// From now on `incoming/` lies on a network file system of that name.
    package func mountIncoming(from name: String) { state.withLock { $0.remoteIncoming = name } }
    /// From now on every file system has this much space, in bytes.
    package func claimSpace(available: UInt64, total: UInt64) {
        state.withLock { $0.space = (available: available, total: total) }
    }

    private func enter(
        _ operation: Call.Operation, _ name: EntryName? = nil, in directory: FilePath? = nil
    ) throws(FileSystemError) {
        let isChange =
            switch operation {
            case .open, .read, .inspect, .list, .startWriteBack, .finishWriteBack: false
            case .makeDirectory, .create, .write, .sync, .rename, .link, .remove, .setPermissions, .setOwner: true
            }
        let (isDead, change) = state.withLock { state in
            if isChange, !state.isDead { state.changes += 1 }
            return (state.isDead, isChange ? state.changes : nil)
        }
        guard !isDead else { throw Self.death }
        do {
            try before(Call(operation: operation, name: name, directory: directory, change: change))
        } catch {
            if diesOnRefusal.withLock({ $0 }) { state.withLock { $0.isDead = true } }
            throw error
        }
    }
}

// MARK: - The calls

extension FaultingFileSystem {
    package func openDirectory(_ path: FilePath) throws(FileSystemError) -> Directory {
        try enter(.open, in: path)
        return try base.openDirectory(path)
    }

    package func openDirectory(_ name: EntryName, in directory: Directory) throws(FileSystemError) -> Directory {
        try enter(.open, name, in: directory.path)
        return try base.openDirectory(name, in: directory)
    }

    package func openUnlisted(_ path: FilePath) throws(FileSystemError) -> Directory {
        try enter(.open, in: path)
        return try base.openUnlisted(path)
    }

    package func openUnlisted(_ name: EntryName, in directory: Directory) throws(FileSystemError) -> Directory {
        try enter(.open, name, in: directory.path)
        return try base.openUnlisted(name, in: directory)
    }

    package func makeDirectory(_ path: FilePath, permissions: UInt32) throws(FileSystemError) -> Bool {
        try enter(.makeDirectory, in: path)
        return try base.makeDirectory(path, permissions: permissions)
    }

    package func makeDirectory(
        _ name: EntryName, in directory: Directory, permissions: UInt32
    ) throws(FileSystemError) -> Bool {
        try enter(.makeDirectory, name, in: directory.path)
        return try base.makeDirectory(name, in: directory, permissions: permissions)
    }

    package func createFile(_ name: EntryName, in directory: Directory) throws(FileSystemError) -> OwnedDescriptor {
        try enter(.create, name, in: directory.path)
        return try base.createFile(name, in: directory)
    }

    package func openFile(_ name: EntryName, in directory: Directory) throws(FileSystemError) -> OwnedDescriptor {
        try enter(.open, name, in: directory.path)
        return try base.openFile(name, in: directory)
    }

    package func openFileForWriting(
        _ name: EntryName, in directory: Directory
    ) throws(FileSystemError) -> OwnedDescriptor {
        try enter(.open, name, in: directory.path)
        return try base.openFileForWriting(name, in: directory)
    }

    package func openFile(_ path: FilePath) throws(FileSystemError) -> OwnedDescriptor {
        try enter(.open, in: path)
        return try base.openFile(path)
    }

    package func makeBlocking(_ file: borrowing OwnedDescriptor) throws(FileSystemError) {
        try base.makeBlocking(file)
    }

    package func metadata(of name: EntryName, in directory: Directory) throws(FileSystemError) -> FileMetadata? {
        try enter(.inspect, name, in: directory.path)
        return try base.metadata(of: name, in: directory)
    }

    package func metadata(of file: borrowing OwnedDescriptor) throws(FileSystemError) -> FileMetadata {
        try enter(.inspect)
        return try base.metadata(of: file)
    }

    package func metadata(of directory: Directory) throws(FileSystemError) -> FileMetadata {
        try enter(.inspect, in: directory.path)
        return try base.metadata(of: directory)
    }

    package func read(
        _ file: borrowing OwnedDescriptor, into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64?
    ) throws(FileSystemError) -> Int {
        try enter(.read)
        return try base.read(file, into: buffer, at: offset)
    }

    package func write(
        _ bytes: UnsafeRawBufferPointer, to file: borrowing OwnedDescriptor, at offset: UInt64?
    ) throws(FileSystemError) {
        try enter(.write)
        try base.write(bytes, to: file, at: offset)
    }

    package func startWriteBack(
        of file: borrowing OwnedDescriptor, in range: Range<UInt64>
    ) throws(FileSystemError) {
        try enter(.startWriteBack)
        try base.startWriteBack(of: file, in: range)
    }

    package func finishWriteBack(
        of file: borrowing OwnedDescriptor, in range: Range<UInt64>
    ) throws(FileSystemError) {
        try enter(.finishWriteBack)
        try base.finishWriteBack(of: file, in: range)
    }

    package func sync(_ file: borrowing OwnedDescriptor) throws(FileSystemError) {
        try enter(.sync)
        try base.sync(file)
    }

    package func syncDirectory(_ directory: Directory) throws(FileSystemError) {
        try enter(.sync, in: directory.path)
        try base.syncDirectory(directory)
    }

    package func syncFileSystem(of directory: Directory) throws(FileSystemError) {
        try enter(.sync, in: directory.path)
        try base.syncFileSystem(of: directory)
    }

    package func syncFileSystem(of file: borrowing OwnedDescriptor) throws(FileSystemError) {
        try enter(.sync)
        try base.syncFileSystem(of: file)
    }

    package func rename(
        _ name: EntryName, in source: Directory, to newName: EntryName, in target: Directory
    ) throws(FileSystemError) {
        try enter(.rename, name, in: target.path)
        if source.isInDropZone, !target.isInDropZone, state.withLock(\.isIncomingApart) {
            throw FileSystemError(.rename, source.path(of: name), .improperLink)
        }
        try base.rename(name, in: source, to: newName, in: target)
    }

    package func renameReplacing(
        _ name: EntryName, in source: Directory, to newName: EntryName, in target: Directory
    ) throws(FileSystemError) {
        try enter(.rename, name, in: target.path)
        try base.renameReplacing(name, in: source, to: newName, in: target)
    }

    package func link(
        _ name: EntryName, in source: Directory, to newName: EntryName, in target: Directory
    ) throws(FileSystemError) {
        try enter(.link, name, in: target.path)
        try base.link(name, in: source, to: newName, in: target)
    }

    @discardableResult
    package func remove(_ name: EntryName, in directory: Directory) throws(FileSystemError) -> Bool {
        try enter(.remove, name, in: directory.path)
        return try base.remove(name, in: directory)
    }

    @discardableResult
    package func removeDirectory(_ name: EntryName, in directory: Directory) throws(FileSystemError) -> Bool {
        try enter(.remove, name, in: directory.path)
        return try base.removeDirectory(name, in: directory)
    }

    package func setOwner(
        _ user: UInt32, group: UInt32, of file: borrowing OwnedDescriptor
    ) throws(FileSystemError) {
        try enter(.setOwner)
        try base.setOwner(user, group: group, of: file)
    }

    package func setPermissions(
        _ permissions: UInt32, of name: EntryName, in directory: Directory
    ) throws(FileSystemError) {
        try enter(.setPermissions, name, in: directory.path)
        try base.setPermissions(permissions, of: name, in: directory)
    }

    package func setPermissions(_ permissions: UInt32, of directory: Directory) throws(FileSystemError) {
        try enter(.setPermissions, in: directory.path)
        try base.setPermissions(permissions, of: directory)
    }

    package func setPermissions(
        _ permissions: UInt32, of file: borrowing OwnedDescriptor
    ) throws(FileSystemError) {
        try enter(.setPermissions)
        try base.setPermissions(permissions, of: file)
    }

    package func forEachListed(
        in directory: Directory, _ body: (EntryName, _ mayBeDirectory: Bool) -> Bool
    ) throws(FileSystemError) {
        try enter(.list, in: directory.path)
        try base.forEachListed(in: directory, body)
    }

    package func space(on directory: Directory) throws(FileSystemError) -> (available: UInt64, total: UInt64) {
        try enter(.inspect, in: directory.path)
        if let space = state.withLock(\.space) { return space }
        return try base.space(on: directory)
    }

    package func remoteFileSystemName(of directory: Directory) -> String? {
        let remote = state.withLock(\.remoteIncoming)
        if directory.path.lastComponent?.string == "incoming", let remote { return remote }
        return base.remoteFileSystemName(of: directory)
    }
}

extension Directory {
    /// Whether it is `incoming/` or a directory in it.
    var isInDropZone: Bool { path.components.contains { $0.string == "incoming" } }
}
