import CLinux
import Glibc
import SystemPackage

/// The lock of the one process that moves reports on: an open-file-description lock, freed by the kernel at death.
///
/// There is no time-out and nothing to clean up: a stopped owner keeps it, a killed one loses it at once, and
/// `O_CLOEXEC` keeps children from holding it on (fcntl(2), "Open file description locks"). The file's 64 bytes say who
/// holds it (`LockHolder`).
package final class OwnerLock: Sendable {
    private let directory: Directory
    private let name: EntryName
    private let descriptor: Int32

    /// Opens the lock file, creating it when missing, with room for the holder's word. Takes nothing yet.
    package init(_ name: EntryName, in directory: Directory) throws(FileSystemError) {
        let flags = O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC
        let raw = name.withCString { openat(directory.descriptor, $0, flags, 0o600) }
        guard raw >= 0 else { throw FileSystemError(.open, directory.path(of: name)) }
        // A new file has what the umask left of its mode. Best effort: somebody else's file keeps its own.
        var facts = stat()
        if fstat(raw, &facts) == 0 {
            if facts.st_mode & 0o600 != 0o600 { _ = fchmod(raw, 0o600) }
            // Space that a full disk would not give later. It does not touch what another process has written
            // meanwhile.
            if facts.st_size < LockHolder.byteCount { _ = posix_fallocate(raw, 0, off_t(LockHolder.byteCount)) }
        }
        self.directory = directory
        self.name = name
        self.descriptor = raw
    }

    deinit {
        // Closing the only descriptor of the description frees the lock, too.
        _ = Glibc.close(descriptor)
    }

    /// - Returns: whether this process is the owner now. Never waits.
    package func tryLock() throws(FileSystemError) -> Bool {
        guard clinux_ofd_try_lock(descriptor) == 0 else {
            let error = FileSystemError(.lock, directory.path(of: name))
            guard error.errno == .resourceTemporarilyUnavailable || error.errno == .permissionDenied else {
                throw error
            }
            return false
        }
        guard isCurrent else {
            unlock()
            return false
        }
        return true
    }

    /// Writes down who has the lock, for readers. To be called by the process that has taken it.
    ///
    /// Best effort: nothing depends on it.
    package func sign(_ clock: any SystemClock) {
        guard let holder = LockHolder(clock: clock) else { return }
        write(holder.bytes)
    }

    private func write(_ bytes: [UInt8]) {
        _ = pwrite(descriptor, bytes, bytes.count, 0)
    }

    package func unlock() {
        // This process lives on, and must not be named for the next one to take the lock.
        var bytes = [UInt8](repeating: 0, count: LockHolder.byteCount)
        if pread(descriptor, &bytes, bytes.count, 0) == bytes.count,
            LockHolder(bytes: bytes)?.processID == CurrentProcess.identifier
        {
            write([UInt8](repeating: UInt8(ascii: " "), count: LockHolder.byteCount))
        }
        _ = clinux_ofd_unlock(descriptor)
    }

    /// Whether the path still names the file that is locked; `false` after somebody replaced or removed it.
    package var isCurrent: Bool {
        var mine = stat()
        var named = stat()
        guard fstat(descriptor, &mine) == 0 else { return false }
        guard name.withCString({ fstatat(directory.descriptor, $0, &named, AT_SYMLINK_NOFOLLOW) }) == 0 else {
            return false
        }
        return mine.st_dev == named.st_dev && mine.st_ino == named.st_ino
    }

    /// Whether some process is the owner, asked without taking anything.
    package static func isHeld(_ name: EntryName, in directory: Directory) -> Bool {
        let raw = name.withCString { openat(directory.descriptor, $0, O_RDONLY | O_NOFOLLOW | O_CLOEXEC) }
        guard raw >= 0 else { return false }
        let file = OwnedDescriptor(adopting: raw, path: directory.path(of: name))
        return clinux_ofd_is_locked(file.raw) == 1
    }

    /// Who the owner is, asked without taking anything.
    /// - Returns: `nil` when nobody is, or when the lock's file does not say who.
    package static func holder(
        _ name: EntryName, in directory: Directory, clock: any SystemClock
    ) -> LockHolder? {
        let raw = name.withCString { openat(directory.descriptor, $0, O_RDONLY | O_NOFOLLOW | O_CLOEXEC) }
        guard raw >= 0 else { return nil }
        let file = OwnedDescriptor(adopting: raw, path: directory.path(of: name))
        var bytes = [UInt8](repeating: 0, count: LockHolder.byteCount)
        guard pread(file.raw, &bytes, bytes.count, 0) == bytes.count, let holder = LockHolder(bytes: bytes),
            holder.isAlive(clock), clinux_ofd_is_locked(file.raw) == 1
        else { return nil }
        return holder
    }
}
