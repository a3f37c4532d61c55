import Glibc

/// Finds in what a program writes the words with which runtimes begin to tell of a crash.
///
/// All of a busy program's log goes through here, so most bytes are never looked at (Wu and Manber): five bytes of each
/// mark are its key, and a pair of bytes that stands in no key lets the search go on behind it.
///
/// - Safety: nothing is changed once it is made.
struct CrashMarks: @unchecked Sendable {
    /// A mark, and how it has to stand.
    private struct Mark {
        let bytes: UnsafeRawBufferPointer
        let beginsLine: Bool
        /// Where its key begins.
        let keyOffset: Int
    }

    private static let keyByteCount = 5
    /// Words that stand anywhere in a line.
    private static let inner = [
        "Fatal error: ", "panicked at", "Traceback (most recent call last)", "==ERROR: ", "WARNING: ThreadSanitizer",
        "runtime error: ", "Exception in thread \"", "Assertion `", "*** Signal ", "*** stack smashing", "[BUG]",
        ":in `", ":in '", "PHP Fatal error", "FATAL ERROR: ", "# Fatal error in ", "UnhandledPromiseRejection",
        "Crash dump is being written",
    ]
    /// Words that begin a line.
    private static let opening = [
        "panic: ", "fatal error: ", "Fatal Python error: ", "Unhandled exception. ", "Unhandled Exception:",
        "terminate called", "free(): ", "malloc(): ", "realloc(): ", "munmap_chunk(): ", "double free or corruption",
        "corrupted size vs. prev_size", "Uncaught ",
    ]

    static let shared = CrashMarks()

    /// The number of bytes of the longest mark.
    let longestByteCount: Int
    /// Of each pair of bytes, how far its place is from the end of the nearest key that has it: 0 ends one.
    private let shifts: UnsafeMutablePointer<UInt8>
    /// The first mark whose key ends with a pair, and of each mark the next one with the same pair; -1 for none.
    private let firstMarks: UnsafeMutablePointer<Int8>
    private let nextMarks: UnsafeMutablePointer<Int8>
    private let marks: UnsafeMutablePointer<Mark>

    /// Makes the tables, which stay as long as the process.
    private init() {
        let all = (Self.inner.map { ($0, false) } + Self.opening.map { ($0, true) }).map { text, beginsLine in
            let bytes = Array(text.utf8)
            let copy = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: bytes.count)
            _ = copy.initialize(from: bytes)
            return Mark(
                bytes: UnsafeRawBufferPointer(copy), beginsLine: beginsLine, keyOffset: Self.rarestKey(in: bytes))
        }
        longestByteCount = all.map(\.bytes.count).max() ?? 0
        marks = .allocate(capacity: all.count)
        nextMarks = .allocate(capacity: all.count)
        shifts = .allocate(capacity: Self.pairCount)
        shifts.initialize(repeating: UInt8(Self.keyByteCount - 1), count: Self.pairCount)
        firstMarks = .allocate(capacity: Self.pairCount)
        firstMarks.initialize(repeating: -1, count: Self.pairCount)
        for (index, mark) in all.enumerated() { enter(mark, at: index) }
    }

    private func enter(_ mark: Mark, at index: Int) {
        (marks + index).initialize(to: mark)
        for end in 1..<Self.keyByteCount {
            let place = mark.keyOffset + end
            let pair = Self.hash(mark.bytes[place - 1], mark.bytes[place])
            shifts[pair] = min(shifts[pair], UInt8(Self.keyByteCount - 1 - end))
            guard end == Self.keyByteCount - 1 else { continue }
            (nextMarks + index).initialize(to: firstMarks[pair])
            firstMarks[pair] = Int8(index)
        }
    }

    private static let pairCount = 1 << 13

    private static func hash(_ first: UInt8, _ second: UInt8) -> Int {
        Int(first) << 5 ^ Int(second)
    }

    /// The key with the fewest small letters and blanks, of which ordinary text is made.
    private static func rarestKey(in bytes: [UInt8]) -> Int {
        let offsets = 0...(bytes.count - keyByteCount)
        func commonness(_ offset: Int) -> Int {
            bytes[offset..<offset + keyByteCount].count { $0 == 0x20 || (0x61...0x7a).contains($0) }
        }
        return offsets.min { commonness($0) < commonness($1) } ?? 0
    }

    /// Finds the next mark.
    /// - Parameters:
    ///   - bytes: what the program wrote. What stands before it decides whether its first byte begins a line.
    ///   - start: where the mark begins at the earliest.
    ///   - beginsLine: whether the first byte begins a line.
    /// - Returns: where the mark begins, and where it ends.
    func next(in bytes: UnsafeRawBufferPointer, from start: Int, beginsLine: Bool) -> Range<Int>? {
        var end = start + Self.keyByteCount - 1
        while end < bytes.count {
            let pair = Self.hash(bytes[end - 1], bytes[end])
            let shift = shifts[pair]
            if shift > 0 {
                end += Int(shift)
                continue
            }
            if let found = mark(with: pair, endingAt: end, in: bytes, from: start, beginsLine: beginsLine) {
                return found
            }
            end += 1
        }
        return nil
    }

    /// The mark whose key ends at a place.
    private func mark(
        with pair: Int, endingAt end: Int, in bytes: UnsafeRawBufferPointer, from start: Int, beginsLine: Bool
    ) -> Range<Int>? {
        var next = firstMarks[pair]
        while next >= 0 {
            let mark = marks[Int(next)]
            next = nextMarks[Int(next)]
            let first = end + 1 - Self.keyByteCount - mark.keyOffset
            guard first >= start, first + mark.bytes.count <= bytes.count else { continue }
            let candidate = bytes[first..<first + mark.bytes.count]
            guard let left = UnsafeRawBufferPointer(rebasing: candidate).baseAddress,
                let right = mark.bytes.baseAddress, memcmp(left, right, mark.bytes.count) == 0
            else { continue }
            let isAtBeginning = first == 0 ? beginsLine : bytes[first - 1] == UInt8(ascii: "\n")
            guard !mark.beginsLine || isAtBeginning else { continue }
            return first..<first + mark.bytes.count
        }
        return nil
    }
}
