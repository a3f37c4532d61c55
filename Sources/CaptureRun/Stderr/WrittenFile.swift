import DurableIO
import Glibc

/// What a program has written into the file that is its standard error.
package enum WrittenFile {
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

    /// Where a program begins to write.
    package struct Start: Hashable {
        /// The size of the file.
        let size: Int64
        /// Where the next byte goes; `nil` where it goes to the end, wherever that is by then.
        let place: Int64?

        /// Of the file behind a descriptor that the program shares.
        init(of descriptor: Int32, size: Int64) {
            let isAppended = fcntl(descriptor, F_GETFL) & O_APPEND != 0
            self.init(size: size, place: isAppended ? nil : WrittenFile.place(of: descriptor))
        }

        init(size: Int64, place: Int64?) {
            (self.size, self.place) = (size, place)
        }

        /// What of the file the program has written.
        /// - Parameters:
        ///   - end: the size of the file now.
        ///   - position: where the next byte would go now.
        /// - Returns: the part of the file.
        func written(end: Int64, position: Int64?) -> Range<Int64> {
            guard let place, let position else {
                // A file that has become shorter was emptied meanwhile.
                let first = end < size ? 0 : size
                return first..<end
            }
            // Who went back has emptied it before. Behind what has overwritten a part of it, the old rest still stands.
            let first = min(position < place ? 0 : place, end)
            return first..<max(first, position < size ? min(position, end) : end)
        }
    }

    private static func place(of descriptor: Int32) -> Int64? {
        let place = lseek(descriptor, 0, SEEK_CUR)
        return place >= 0 ? Int64(place) : nil
    }

    /// - Parameters:
    ///   - descriptor: the open file, which need not be readable through this descriptor.
    ///   - start: where the program began to write.
    ///   - keptByteCount: how many of the last bytes are kept.
    /// - Returns: nothing where the file cannot be opened for reading.
    static func excerpt(of descriptor: Int32, from start: Start, keptByteCount: Int) -> StderrExcerpt {
        guard let file = opened(descriptor) else { return StderrExcerpt() }
        var facts = stat()
        guard fstat(file.raw, &facts) == 0 else { return StderrExcerpt() }
        let written = start.written(end: Int64(facts.st_size), position: place(of: descriptor))
        let count = Int64(written.count)
        guard count > 0 else { return StderrExcerpt() }
        let skipped = max(0, count - max(readByteCount, Int64(keptByteCount)))
        let window = StderrWindow(keptByteCount: keptByteCount, file: nil, skipped: UInt64(skipped))
        show(file, from: written.lowerBound + skipped, to: written.upperBound, window)
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
