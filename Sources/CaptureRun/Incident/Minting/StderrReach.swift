/// Where in standard error the words of a crash have to stand to be those that a program has died with.
///
/// Most programs live on after an error that they tell of. Nothing says when a line was written, so how much follows has
/// to tell it: next to nothing after the last words of a program, and a whole log after an error of long ago.
struct StderrReach: Equatable {
    /// How many bytes may follow the mark of a crash. A dump that is still going on at the end may be of any length.
    let byteCount: Int
    /// Whether the words have to be those of a fault that ends a process: what the program ended by is no fault.
    let needsProof: Bool
    /// Whether such words count wherever they stand: a runtime that ends a process by a fault may list all that it has
    /// loaded behind them, as Ruby does.
    let trustsProof: Bool

    /// - Parameter status: how the program ended; `nil` where nobody knows.
    init(of status: ProgramEnd.Status?) {
        switch status {
        // Nothing but its words tells why it ended; and its other threads may have gone on for a while.
        case .exited(let code) where code != 128 + Signal.kill: self.init(64 << 10)
        case .signalled(let signal, _) where Signal.faults.contains(signal): self.init(16 << 10, trustsProof: true)
        case .exited, .signalled: self.init(16 << 10, needsProof: true)
        case nil: self.init(16 << 10)
        }
    }

    private init(_ byteCount: Int, needsProof: Bool = false, trustsProof: Bool = false) {
        (self.byteCount, self.needsProof, self.trustsProof) = (byteCount, needsProof, trustsProof)
    }

    /// Whether what begins at the mark reaches the end.
    func hasCrash(_ excerpt: StderrExcerpt) -> Bool {
        guard let headOffset = excerpt.headOffset, !excerpt.head.isEmpty else { return false }
        let mark = max(headOffset, excerpt.latestMarkOffset ?? 0)
        if excerpt.byteCount - min(excerpt.byteCount, mark) <= UInt64(byteCount) { return true }
        // All goroutines, or the frames of an endless recursion.
        return Self.isDump(excerpt.head.suffix(Self.headEndByteCount))
            && (excerpt.tail.isEmpty || Self.isDump(excerpt.tail.suffix(Self.tailEndByteCount)))
    }

    /// The end without what is too far from it, from the beginning of a line on.
    func ending(of excerpt: StderrExcerpt) -> [UInt8] {
        guard excerpt.tail.count > byteCount else { return excerpt.tail }
        let end = excerpt.tail.suffix(byteCount)
        let line = end.firstIndex(of: UInt8(ascii: "\n")).map { end[($0 + 1)...] }
        return Array(line.flatMap { $0.isEmpty ? nil : $0 } ?? end)
    }

    // MARK: - Dumps

    private static let headEndByteCount = 4 << 10
    /// A few lines may follow the dump.
    private static let tailEndByteCount = 16 << 10

    /// Whether a good part of the lines are frames of a stack. Of Go's every other line is none.
    private static func isDump(_ bytes: ArraySlice<UInt8>) -> Bool {
        let lines = bytes.split(separator: UInt8(ascii: "\n"))
        return lines.count { isFrame($0) } * 4 >= lines.count
    }

    private static let titles = ["goroutine ", "created by ", "0x"].map { Array($0.utf8) }
    /// What a line of a frame begins with behind its indentation.
    private static let beginnings = ["at ", "from ", "File \"", "#", "/", "0x"].map { Array($0.utf8) }

    private static func isFrame(_ line: ArraySlice<UInt8>) -> Bool {
        let words = line.drop { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
        guard words.startIndex > line.startIndex else { return titles.contains { line.starts(with: $0) } }
        return (0x30...0x39).contains(words.first ?? 0) || beginnings.contains { words.starts(with: $0) }
    }
}
