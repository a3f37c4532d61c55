import Glibc

/// The kernel's notes about changes in directories (inotify(7)): one open instance, which never waits.
///
/// The notes are in memory and end with the process, so whoever uses this also looks at the directories.
final class Inotify {
    /// What happened to a directory or to an entry of it, as the bits of inotify(7).
    struct Bits: OptionSet {
        let rawValue: UInt32

        static let attributes = Bits(rawValue: 0x4)
        static let closedWriting = Bits(rawValue: 0x8)
        static let movedFrom = Bits(rawValue: 0x40)
        static let movedTo = Bits(rawValue: 0x80)
        static let made = Bits(rawValue: 0x100)
        static let deleted = Bits(rawValue: 0x200)
        static let selfDeleted = Bits(rawValue: 0x400)
        static let selfMoved = Bits(rawValue: 0x800)
        static let unmounted = Bits(rawValue: 0x2000)
        static let overflow = Bits(rawValue: 0x4000)
        /// The watch is gone.
        static let ignored = Bits(rawValue: 0x8000)
        /// The entry is a directory.
        static let directory = Bits(rawValue: 0x4000_0000)
        /// For a new watch: only of a directory, never behind a symbolic link, and without files that have no name any
        /// more.
        static let onlyDirectory = Bits(rawValue: 0x0100_0000)
        static let noLink = Bits(rawValue: 0x0200_0000)
        static let onlyNamed = Bits(rawValue: 0x0400_0000)
    }

    struct Event {
        /// The watch that made it; -1 for an overflow.
        let watch: Int32
        let bits: Bits
        /// The entry, where the event is about one.
        let name: EntryName?
    }

    private let file: OwnedDescriptor
    /// In bytes: hundreds of events.
    private static let bufferByteCount = 64 << 10
    /// The part of an event before its name: watch, bits, cookie and the length of the name, 4 bytes each.
    private static let headByteCount = 16

    /// - Throws: `.tooManyOpenFiles` when the user has used up the instances, 128 by default.
    init() throws(FileSystemError) {
        let raw = inotify_init1(Int32(O_CLOEXEC | O_NONBLOCK))
        guard raw >= 0 else { throw FileSystemError(.watch, "directories") }
        file = OwnedDescriptor(adopting: raw, path: "inotify")
    }

    /// For poll(2) alone.
    var descriptor: Int32 { file.raw }

    /// Watches a directory, or changes what an earlier watch of it is for.
    /// - Parameters:
    ///   - directory: the directory, or the parent of the entry `name`.
    ///   - name: an entry of the directory; `nil` for the directory itself.
    ///   - bits: what is noted.
    /// - Returns: the number of the watch.
    /// - Throws: `.notDirectory`, `.noSuchFileOrDirectory`, and `.noSpace` when the user has used up the watches.
    func watch(_ directory: Directory, _ name: EntryName?, for bits: Bits) throws(FileSystemError) -> Int32 {
        var bits = bits.union([.onlyDirectory, .onlyNamed])
        if name != nil { bits.insert(.noLink) }
        let suffix = name.map { [UInt8(ascii: "/")] + $0.bytes } ?? []
        // By the descriptor, because the path may lead to another directory by now.
        let number = add(Array("/proc/self/fd/\(directory.descriptor)".utf8) + suffix, bits)
        if number >= 0 { return number }
        let error = FileSystemError(.watch, name.map(directory.path) ?? directory.path.string)
        guard error.errno == .noSuchFileOrDirectory, access("/proc/self/fd", F_OK) != 0 else { throw error }
        let second = add(Array(directory.path.string.utf8) + suffix, bits)
        guard second >= 0 else { throw FileSystemError(.watch, error.path) }
        return second
    }

    private func add(_ path: [UInt8], _ bits: Bits) -> Int32 {
        (path + [0]).withUnsafeBytes { bytes in
            guard let first = bytes.baseAddress else { return -1 }
            return inotify_add_watch(file.raw, first.assumingMemoryBound(to: CChar.self), bits.rawValue)
        }
    }

    func endWatch(_ number: Int32) {
        _ = inotify_rm_watch(file.raw, number)
    }

    /// Passes on each event that the kernel has noted, until there are no more.
    func read(_ body: (Event) -> Void) {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.bufferByteCount, alignment: 16)
        defer { buffer.deallocate() }
        while true {
            let count = retryingInterrupted { Glibc.read(file.raw, buffer.baseAddress, buffer.count) }
            guard count > 0 else { return }
            Self.parse(UnsafeRawBufferPointer(rebasing: buffer[..<count]), body)
        }
    }

    private static func parse(_ bytes: UnsafeRawBufferPointer, _ body: (Event) -> Void) {
        var offset = 0
        while offset + headByteCount <= bytes.count {
            let watch = bytes.loadUnaligned(fromByteOffset: offset, as: Int32.self)
            let bits = Bits(rawValue: bytes.loadUnaligned(fromByteOffset: offset + 4, as: UInt32.self))
            let length = Int(bytes.loadUnaligned(fromByteOffset: offset + 12, as: UInt32.self))
            let begin = offset + headByteCount
            offset = begin + length
            guard offset <= bytes.count else { return }
            // The name is padded with zeros.
            let name = EntryName(bytes: Array(bytes[begin..<offset].prefix { $0 != 0 }))
            body(Event(watch: watch, bits: bits, name: name))
        }
    }
}
