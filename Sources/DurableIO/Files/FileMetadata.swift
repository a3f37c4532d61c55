import Glibc

/// What `fstat` tells of a file, at one moment.
package struct FileMetadata: Hashable, Sendable {
    package enum Kind: String, Sendable {
        case regular
        case directory
        case symbolicLink = "symbolic link"
        case fifo = "FIFO"
        case socket
        case device
        case unknown
    }

    package let kind: Kind
    /// The permission bits, set-id and sticky included.
    package let permissions: UInt32
    /// In bytes.
    package let size: UInt64
    /// What its blocks take on the disk, in bytes: less than `size` for a file with holes.
    package let allocatedByteCount: UInt64
    package let owner: UInt32
    package let group: UInt32
    package let linkCount: UInt64
    package let device: UInt64
    package let inode: UInt64
    /// Last change of the contents, in nanoseconds since the epoch; anybody who may write the file can set it.
    package let modified: Int64
    /// Last change of contents, name or mode, in nanoseconds since the epoch; nobody can set it.
    package let changed: Int64

    init(_ facts: stat) {
        switch facts.st_mode & S_IFMT {
        case S_IFREG: kind = .regular
        case S_IFDIR: kind = .directory
        case S_IFLNK: kind = .symbolicLink
        case S_IFIFO: kind = .fifo
        case S_IFSOCK: kind = .socket
        case S_IFCHR, S_IFBLK: kind = .device
        default: kind = .unknown
        }
        permissions = facts.st_mode & 0o7777
        size = UInt64(max(0, facts.st_size))
        allocatedByteCount = UInt64(max(0, facts.st_blocks)) * 512
        owner = facts.st_uid
        group = facts.st_gid
        linkCount = UInt64(facts.st_nlink)
        device = UInt64(facts.st_dev)
        inode = UInt64(facts.st_ino)
        modified = Self.nanoseconds(facts.st_mtim)
        changed = Self.nanoseconds(facts.st_ctim)
    }

    private static func nanoseconds(_ time: timespec) -> Int64 {
        Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec)
    }

    /// What a limit on sizes counts, in bytes: the contents without the holes.
    package var countedByteCount: UInt64 { min(size, allocatedByteCount) }

    /// Whether both are the same file, whatever is in it.
    package func isSameFile(as other: FileMetadata) -> Bool {
        device == other.device && inode == other.inode
    }

    /// Whether both are the same unchanged file: inode, size and modification time.
    package func isSameContent(as other: FileMetadata) -> Bool {
        device == other.device && inode == other.inode && size == other.size && modified == other.modified
    }
}
