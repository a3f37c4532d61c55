import DurableIO
import Glibc

/// What a program has written into the file that is its standard error.
enum WrittenFile {
    /// How much of its end is read, in bytes: 8 MiB, or as much as is kept.
    private static let readByteCount: Int64 = 8 << 20

    /// - Parameters:
    ///   - descriptor: the open file, which need not be readable through this descriptor.
    ///   - start: the size of the file when the program was started.
    ///   - keptByteCount: how many of the last bytes are kept.
    /// - Returns: nothing where the file cannot be opened for reading.
    static func excerpt(of descriptor: Int32, from start: Int64, keptByteCount: Int) -> StderrExcerpt {
        let path = "/proc/self/fd/\(descriptor)"
        let raw = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
        guard raw >= 0 else { return StderrExcerpt() }
        let file = OwnedDescriptor(adopting: raw, path: path)
        var facts = stat()
        guard fstat(file.raw, &facts) == 0, facts.st_mode & S_IFMT == S_IFREG else { return StderrExcerpt() }
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
