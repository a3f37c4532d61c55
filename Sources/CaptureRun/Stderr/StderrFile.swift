import CLinux
import DurableIO
import Glibc

/// The file in which what a window keeps outlives this process.
///
/// It is written to and never mapped: a store into the memory of a file that somebody has cut, or that its file system
/// has no block for after all, would kill this process, and the program with it. A file that cannot be written is left
/// as it is, and costs nothing but what it was for.
///
/// A kill between any two writes leaves a file that can be read: bytes lie in it before the numbers that tell of them.
struct StderrFile: ~Copyable {
    private let file: OwnedDescriptor
    private let layout: StderrLayout
    private var isWhole = true
    /// Of the head that is in the file.
    private var headOffset: UInt64 = 0
    private var headCount = 0

    /// Lays the file down in its whole length; `nil` without one, or where there is no space for it.
    init?(_ file: consuming OwnedDescriptor?, _ layout: StderrLayout) {
        guard let file, clinux_lay_down(file.raw, Int64(layout.byteCount)) == 0 else { return nil }
        self.file = file
        self.layout = layout
    }

    /// Writes what is new in a window.
    /// - Parameters:
    ///   - memory: the window's, laid out as the file is.
    ///   - start: the offset of the first new byte of what the program has written.
    ///   - end: the offset behind the last one: no more than a chunk.
    ///   - headOffset: where the window's head begins.
    ///   - headCount: how long it is.
    mutating func save(
        _ memory: UnsafeRawBufferPointer, from start: UInt64, to end: UInt64, headOffset: UInt64, _ headCount: Int
    ) {
        guard isWhole else { return }
        isWhole =
            saveRing(memory, from: start, Int(end - start)) && saveHead(memory, headOffset, headCount)
            && write(memory, 0..<StderrLayout.numbersByteCount)
    }

    private func saveRing(_ memory: UnsafeRawBufferPointer, from start: UInt64, _ count: Int) -> Bool {
        let place = StderrLayout.ringPlace + Int(start % UInt64(layout.ringByteCount))
        let first = min(count, layout.byteCount - place)
        return write(memory, place..<place + first)
            && write(memory, StderrLayout.ringPlace..<StderrLayout.ringPlace + count - first)
    }

    private mutating func saveHead(_ memory: UnsafeRawBufferPointer, _ offset: UInt64, _ count: Int) -> Bool {
        if offset != headOffset, headCount > 0 {
            // Until the bytes of the new one are there, there is none.
            var none: UInt64 = 0
            guard pwrite(file.raw, &none, 8, off_t(StderrLayout.Place.headCount.rawValue)) == 8 else { return false }
            headCount = 0
        }
        let place = StderrLayout.headPlace
        guard write(memory, place + headCount..<place + count) else { return false }
        (headOffset, headCount) = (offset, count)
        return true
    }

    /// Writes a part of the memory to its place in the file.
    private func write(_ memory: UnsafeRawBufferPointer, _ part: Range<Int>) -> Bool {
        var place = part.lowerBound
        while place < part.upperBound {
            let count = pwrite(file.raw, memory.baseAddress?.advanced(by: place), part.upperBound - place, off_t(place))
            if count == -1, errno == EINTR { continue }
            guard count > 0 else { return false }
            place += count
        }
        return true
    }
}
