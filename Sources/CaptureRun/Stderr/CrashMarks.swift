import Glibc

/// Finds in what a program writes the words with which runtimes begin to tell of a crash.
///
/// All of a busy program's log goes through here, so most bytes are never looked at (Wu and Manber): five bytes of each
/// mark are its key, and a pair of bytes that stands in no key lets the search go on behind it.
struct CrashMarks: Sendable {
    /// A mark, and how it has to stand.
    private struct Mark: Sendable {
        let bytes: [UInt8]
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
    private let marks: [Mark]
    /// Of each pair of bytes, how far its place is from the end of the nearest key that has it: 0 ends one.
    private var shifts: [UInt8]
    /// The marks whose keys end with a pair.
    private var endings: [UInt16: [Int]] = [:]

    private init() {
        marks = (Self.inner.map { ($0, false) } + Self.opening.map { ($0, true) }).map { text, beginsLine in
            let bytes = Array(text.utf8)
            return Mark(bytes: bytes, beginsLine: beginsLine, keyOffset: Self.rarestKey(in: bytes))
        }
        longestByteCount = marks.map(\.bytes.count).max() ?? 0
        shifts = Array(repeating: UInt8(Self.keyByteCount - 1), count: 1 << 12)
        for (index, mark) in marks.enumerated() {
            for end in 1..<Self.keyByteCount {
                let place = mark.keyOffset + end
                let pair = Self.hash(mark.bytes[place - 1], mark.bytes[place])
                shifts[Int(pair)] = min(shifts[Int(pair)], UInt8(Self.keyByteCount - 1 - end))
                if end == Self.keyByteCount - 1 { endings[pair, default: []].append(index) }
            }
        }
    }

    private static func hash(_ first: UInt8, _ second: UInt8) -> UInt16 {
        (UInt16(first) << 4 ^ UInt16(second)) & 0xfff
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
        shifts.withUnsafeBufferPointer { shifts in
            var end = start + Self.keyByteCount - 1
            while end < bytes.count {
                let pair = Self.hash(bytes[end - 1], bytes[end])
                let shift = shifts[Int(pair)]
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
    }

    /// The mark whose key ends at a place.
    private func mark(
        with pair: UInt16, endingAt end: Int, in bytes: UnsafeRawBufferPointer, from start: Int, beginsLine: Bool
    ) -> Range<Int>? {
        for index in endings[pair, default: []] {
            let mark = marks[index]
            let first = end + 1 - Self.keyByteCount - mark.keyOffset
            guard first >= start, first + mark.bytes.count <= bytes.count else { continue }
            guard bytes[first..<first + mark.bytes.count].elementsEqual(mark.bytes) else { continue }
            let isAtBeginning = first == 0 ? beginsLine : bytes[first - 1] == UInt8(ascii: "\n")
            guard !mark.beginsLine || isAtBeginning else { continue }
            return first..<first + mark.bytes.count
        }
        return nil
    }
}
