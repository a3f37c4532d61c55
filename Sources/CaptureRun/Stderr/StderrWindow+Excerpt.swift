package import DurableIO
import Glibc

extension StderrWindow {
    /// Reads what a window has kept in a file, also of a process that was killed while it wrote. Whatever is in the
    /// file, nothing but it is read, and at most 17 MiB.
    /// - Returns: `nil` for a file that no window was kept in.
    package static func excerpt(of file: borrowing OwnedDescriptor) -> StderrExcerpt? {
        var facts = stat()
        let largest = StderrLayout(keptByteCount: StderrLayout.maximumKeptByteCount).byteCount
        guard fstat(file.raw, &facts) == 0, facts.st_mode & S_IFMT == S_IFREG,
            facts.st_size >= StderrLayout.ringPlace, facts.st_size <= largest
        else { return nil }
        // Read, not mapped: somebody may cut the file meanwhile.
        var bytes = [UInt8](repeating: 0, count: Int(facts.st_size))
        let isWhole = bytes.withUnsafeMutableBytes { buffer in
            var done = 0
            while done < buffer.count {
                let count = pread(file.raw, buffer.baseAddress?.advanced(by: done), buffer.count - done, off_t(done))
                if count == -1, errno == EINTR { continue }
                guard count > 0 else { return false }
                done += count
            }
            return true
        }
        return isWhole ? bytes.withUnsafeBytes { excerpt(of: $0) } : nil
    }

    /// Reads what a window has kept in memory, which may hold anything.
    static func excerpt(of memory: UnsafeRawBufferPointer) -> StderrExcerpt? {
        guard memory.count >= StderrLayout.ringPlace else { return nil }
        func number(_ place: StderrLayout.Place) -> UInt64 {
            memory.loadUnaligned(fromByteOffset: place.rawValue, as: UInt64.self)
        }
        let kept = number(.keptByteCount)
        guard number(.magic) == StderrLayout.magic, kept <= StderrLayout.maximumKeptByteCount else { return nil }
        let layout = StderrLayout(keptByteCount: Int(kept))
        guard memory.count == layout.byteCount else { return nil }
        var excerpt = StderrExcerpt()
        excerpt.byteCount = number(.byteCount)
        let headCount = min(number(.headCount), UInt64(StderrLayout.headByteCount))
        let headOffset = number(.headOffset)
        if headCount > 0, headOffset <= excerpt.byteCount, headCount <= excerpt.byteCount - headOffset {
            let place = StderrLayout.headPlace
            excerpt.head = Array(memory[place..<place + Int(headCount)])
            excerpt.headOffset = headOffset
            let latest = number(.latestMark)
            if (headOffset...excerpt.byteCount).contains(latest) { excerpt.latestMarkOffset = latest }
        }
        excerpt.tail = tail(of: memory, layout, byteCount: excerpt.byteCount)
        return excerpt
    }

    private static func tail(
        of memory: UnsafeRawBufferPointer, _ layout: StderrLayout, byteCount: UInt64
    ) -> [UInt8] {
        let ring = UnsafeRawBufferPointer(rebasing: memory[StderrLayout.ringPlace...])
        let count = affordable(Int(min(UInt64(layout.keptByteCount), byteCount)))
        let start = Int((byteCount - UInt64(count)) % UInt64(ring.count))
        let first = min(count, ring.count - start)
        // Without further copies of what may be 16 MiB.
        var tail: [UInt8] = []
        tail.reserveCapacity(count)
        tail += ring[start..<start + first]
        tail += ring[..<(count - first)]
        return tail
    }

    /// How many bytes of so many can be told of: reports are made of copies of them, and a process that finds no memory
    /// for one dies, and tells of nothing.
    private static func affordable(_ byteCount: Int) -> Int {
        var count = byteCount
        while count > RunOptions.defaultKeptByteCount {
            let room = malloc(count * copyCount)
            free(room)
            if room != nil { break }
            count = max(count / 2, RunOptions.defaultKeptByteCount)
        }
        return count
    }

    /// As much is in memory at the same time, as measured, and a little more.
    private static let copyCount = 8
}
