package import DurableIO
import Glibc

/// What is kept of the standard error of a running program: its last bytes, and what follows the mark of a crash.
///
/// A copy of it lies in a file where there can be one, so that it outlives this process, however that dies. Not for
/// several threads at the same time.
///
/// Where this process has no memory for it, it keeps less, or nothing and only counts: the program lives.
///
/// Programs tell of errors that they survive. So the head begins anew at a mark that comes long after the one before
/// it: it is the latest group of marks that may be the crash.
package final class StderrWindow {
    private let layout: StderrLayout
    private let memory: UnsafeMutableRawBufferPointer
    private var file: StderrFile?
    private let marks = CrashMarks.shared
    /// The offset of the first byte that this window was shown.
    private let firstOffset: UInt64
    private var byteCount: UInt64
    /// Where the latest mark began.
    private var latestMark: UInt64?
    private var headOffset: UInt64 = 0
    private var headCount = 0

    /// Marks that are as near as this to each other tell of one crash.
    private static let groupByteCount: UInt64 = 16 << 10
    /// A group of marks that goes on and on is the log of a program that lives.
    private static let longestGroupByteCount: UInt64 = 1 << 20

    /// - Parameters:
    ///   - keptByteCount: how many of the last bytes are kept.
    ///   - file: an empty file to keep them in; `nil`, or one without space, for this process's memory alone.
    ///   - skipped: how much the program has written that is not shown to this window. The default is 0.
    ///   - allocate: gives so many bytes of zeros, to be freed by `free`; `nil` where there are none. The default is
    ///     calloc(3).
    package init(
        keptByteCount: Int, file: consuming OwnedDescriptor?, skipped: UInt64 = 0,
        allocate: (Int) -> UnsafeMutableRawPointer? = { calloc($0, 1) }
    ) {
        let wanted = min(max(0, keptByteCount), StderrLayout.maximumKeptByteCount)
        (layout, memory) = Self.room(for: wanted, allocate)
        self.file = memory.isEmpty ? nil : StderrFile(file, layout)
        firstOffset = skipped
        byteCount = skipped
        guard !memory.isEmpty else { return }
        store(StderrLayout.magic, .magic)
        store(UInt64(layout.keptByteCount), .keptByteCount)
        store(skipped, .byteCount)
    }

    deinit {
        free(memory.baseAddress)
    }

    /// Most of it is never touched where much is to be kept and little is written.
    /// - Returns: no memory where there is none, not even for as much as is kept by default.
    private static func room(
        for wanted: Int, _ allocate: (Int) -> UnsafeMutableRawPointer?
    ) -> (StderrLayout, UnsafeMutableRawBufferPointer) {
        for count in [wanted, min(wanted, RunOptions.defaultKeptByteCount)] {
            let layout = StderrLayout(keptByteCount: count)
            guard let memory = allocate(layout.byteCount) else { continue }
            return (layout, UnsafeMutableRawBufferPointer(start: memory, count: layout.byteCount))
        }
        return (StderrLayout(keptByteCount: 0), UnsafeMutableRawBufferPointer(start: nil, count: 0))
    }

    private func store(_ value: UInt64, _ place: StderrLayout.Place) {
        memory.storeBytes(of: value, toByteOffset: place.rawValue, as: UInt64.self)
    }

    // MARK: - Taking in

    /// Takes in what the program wrote next.
    func add(_ bytes: UnsafeRawBufferPointer) {
        guard !memory.isEmpty else {
            byteCount += UInt64(bytes.count)
            return
        }
        var rest = bytes[...]
        while !rest.isEmpty {
            let chunk = rest.prefix(StderrLayout.chunkByteCount)
            addChunk(UnsafeRawBufferPointer(rebasing: chunk))
            rest = rest.dropFirst(chunk.count)
        }
    }

    private func addChunk(_ chunk: UnsafeRawBufferPointer) {
        let before = byteCount
        writeRing(chunk, at: before)
        byteCount += UInt64(chunk.count)
        store(byteCount, .byteCount)
        extendHead()
        findSplitMark(in: chunk, at: before)
        findMarks(in: chunk, at: before)
        file?.save(UnsafeRawBufferPointer(memory), from: before, to: byteCount, headOffset: headOffset, headCount)
    }

    private func writeRing(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) {
        let place = Int(offset % UInt64(layout.ringByteCount))
        let first = min(bytes.count, layout.ringByteCount - place)
        let ring = UnsafeMutableRawBufferPointer(rebasing: memory[StderrLayout.ringPlace...])
        ring[place...].copyBytes(from: bytes[..<first])
        if first < bytes.count { ring.copyBytes(from: bytes[first...]) }
    }

    /// A byte that is still in the ring.
    private func byte(at offset: UInt64) -> UInt8 {
        memory[StderrLayout.ringPlace + Int(offset % UInt64(layout.ringByteCount))]
    }

    /// Whether a line begins at an offset.
    private func beginsLine(at offset: UInt64) -> Bool {
        offset == 0 || oldestOffset == offset || byte(at: offset - 1) == UInt8(ascii: "\n")
    }

    /// The offset of the oldest byte in the ring.
    private var oldestOffset: UInt64 { max(firstOffset, byteCount - min(byteCount, UInt64(layout.ringByteCount))) }

    // MARK: - Marks

    private func findMarks(in chunk: UnsafeRawBufferPointer, at offset: UInt64) {
        var start = 0
        let isAtLine = beginsLine(at: offset)
        while let mark = marks.next(in: chunk, from: start, beginsLine: isAtLine) {
            note(markAt: offset + UInt64(mark.lowerBound))
            start = mark.upperBound
        }
    }

    /// Finds a mark that began before the chunk and ends in it.
    private func findSplitMark(in chunk: UnsafeRawBufferPointer, at offset: UInt64) {
        let reach = UInt64(marks.longestByteCount - 1)
        let first = max(oldestOffset, offset - min(offset, reach))
        guard first < offset else { return }
        let last = min(byteCount, offset + reach)
        withUnsafeTemporaryAllocation(byteCount: Int(last - first), alignment: 1) { joint in
            for index in 0..<joint.count { joint[index] = byte(at: first + UInt64(index)) }
            let boundary = Int(offset - first)
            var start = 0
            let joint = UnsafeRawBufferPointer(joint)
            while start < boundary,
                let mark = marks.next(in: joint, from: start, beginsLine: beginsLine(at: first)),
                mark.lowerBound < boundary
            {
                // One that ends before the chunk is known.
                if mark.upperBound > boundary { note(markAt: first + UInt64(mark.lowerBound)) }
                start = mark.lowerBound + 1
            }
        }
    }

    private func note(markAt offset: UInt64) {
        defer {
            latestMark = offset
            store(offset, .latestMark)
        }
        if let latestMark, offset - latestMark <= Self.groupByteCount,
            offset - headOffset <= Self.longestGroupByteCount
        {
            return
        }
        var start = offset
        let bound = max(oldestOffset, offset - min(offset, UInt64(StderrLayout.lineByteCount)))
        while start > bound, byte(at: start - 1) != UInt8(ascii: "\n") { start -= 1 }
        (headOffset, headCount) = (start, 0)
        store(start, .headOffset)
        store(0, .headCount)
        latestMark = offset
        extendHead()
    }

    /// Moves what follows the mark from the ring into the head, as long as there is room.
    private func extendHead() {
        guard latestMark != nil, headCount < StderrLayout.headByteCount else { return }
        let count = min(StderrLayout.headByteCount - headCount, Int(byteCount - headOffset) - headCount)
        guard count > 0 else { return }
        for index in headCount..<headCount + count {
            memory[StderrLayout.headPlace + index] = byte(at: headOffset + UInt64(index))
        }
        headCount += count
        store(UInt64(headCount), .headCount)
    }

    // MARK: - Giving out

    /// What is kept.
    package var excerpt: StderrExcerpt {
        if let excerpt = Self.excerpt(of: UnsafeRawBufferPointer(memory)) { return excerpt }
        var excerpt = StderrExcerpt()
        excerpt.byteCount = byteCount
        return excerpt
    }
}
