import DurableIO
import Glibc

/// What a program has written into the file that is its standard error.
enum WrittenFile {
    /// How much of its end is read, in bytes: 8 MiB, or as much as is kept.
    private static let readByteCount: Int64 = 8 << 20

    /// Where the descriptors of this process can be opened, if there is a `/proc`.
    static let descriptors = "/proc/self/fd"

    /// Opens the file behind a descriptor for reading: also one that was renamed or removed, but not one that only
    /// another user may read.
    /// - Returns: `nil` for what cannot be opened, and for all that is no file.
    static func opened(_ descriptor: Int32, in descriptors: String = descriptors) -> OwnedDescriptor? {
        var facts = stat()
        guard fstat(descriptor, &facts) == 0, facts.st_mode & S_IFMT == S_IFREG else { return nil }
        let path = "\(descriptors)/\(descriptor)"
        let raw = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
        return raw >= 0 ? OwnedDescriptor(adopting: raw, path: path) : nil
    }

    /// - Parameters:
    ///   - descriptor: the open file, which need not be readable through this descriptor.
    ///   - start: the size of the file when the program was started.
    ///   - keptByteCount: how many of the last bytes are kept.
    /// - Returns: nothing where the file cannot be opened for reading.
    static func excerpt(of descriptor: Int32, from start: Int64, keptByteCount: Int) -> StderrExcerpt {
        guard let file = opened(descriptor) else { return StderrExcerpt() }
        var facts = stat()
        guard fstat(file.raw, &facts) == 0 else { return StderrExcerpt() }
        // A file that has become shorter was emptied meanwhile.
        let end = Int64(facts.st_size)
        let first = end < start ? 0 : start
        let count = end - first
        guard count > 0 else { return StderrExcerpt() }
        let skipped = max(0, count - max(readByteCount, Int64(keptByteCount)))
        let window = StderrWindow(keptByteCount: keptByteCount, file: nil, skipped: UInt64(skipped))
        show(file, from: first + skipped, to: end, window)
        return window.excerpt
    }

    private static func show(
        _ file: borrowing OwnedDescriptor, from start: Int64, to end: Int64, _ window: StderrWindow
    ) {
        withUnsafeTemporaryAllocation(byteCount: StderrLayout.chunkByteCount, alignment: 16) { buffer in
            var place = start
            while place < end {
                let wanted = min(buffer.count, Int(end - place))
                let count = pread(file.raw, buffer.baseAddress, wanted, off_t(place))
                if count == -1, errno == EINTR { continue }
                guard count > 0 else { return }
                window.add(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
                place += Int64(count)
            }
        }
    }
}
