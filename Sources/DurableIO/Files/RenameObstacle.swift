import CLinux
import Glibc

/// What keeps an entry from being renamed, as far as looking can tell. A rename may fail all the same.
package enum RenameObstacle: Hashable, Sendable {
    /// Something is mounted on the entry.
    case mountPoint
    /// The entry has `chattr +a`.
    case appendOnly
    /// The entry has `chattr +i`.
    case immutable
    /// The directory has `chattr +a` or `+i`.
    case protectedDirectory
    /// The directory's file system is mounted read-only.
    case readOnly
    /// This user may not write to the directory.
    case forbidden
}

extension Directory {
    /// What keeps all of its entries from being renamed.
    package var renameObstacle: RenameObstacle? {
        if clinux_may_rename_in(descriptor) != 0 {
            switch CurrentErrno.value {
            case EROFS: return .readOnly
            case EACCES: return .forbidden
            default: break
            }
        }
        let attributes = self.attributes(of: ".")
        return attributes & (Int32(clinux_append_only) | Int32(clinux_immutable)) != 0 ? .protectedDirectory : nil
    }

    /// What keeps one entry from being renamed.
    package func renameObstacle(of name: EntryName) -> RenameObstacle? {
        let attributes = name.withCString { self.attributes(of: $0) }
        if attributes & Int32(clinux_mount_point) != 0 { return .mountPoint }
        if attributes & Int32(clinux_immutable) != 0 { return .immutable }
        return attributes & Int32(clinux_append_only) != 0 ? .appendOnly : nil
    }

    /// None where the kernel does not say.
    private func attributes(of name: UnsafePointer<CChar>) -> Int32 {
        max(0, clinux_attributes(descriptor, name))
    }
}
