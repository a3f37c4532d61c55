import Diagnosis
import DurableIO

/// What was kept of a program's standard error, as a payload: from the mark of a crash on, or else the end.
///
/// A program tells of errors that it survives, too. So a mark counts only where what it begins reaches the end
/// (``StderrReach``). One that does not is left to the document, and the end alone is looked at.
struct StderrText: Sendable {
    /// The bytes; a line says how many are left out in the middle.
    let bytes: [UInt8]
    /// How many bytes of standard error were not kept.
    let droppedByteCount: UInt64
    let diagnosis: Diagnosis
    /// Whether it tells of the crash that the program died of.
    let isCrash: Bool
    /// Whether it begins at a mark.
    let isMarked: Bool
    /// The first line behind the mark, if nothing more is needed to believe it.
    let markedLine: [UInt8]?

    /// `nil` where nothing was kept. `status` is how the program ended; `nil` where nobody knows.
    init?(_ excerpt: StderrExcerpt, of status: ProgramEnd.Status?) {
        let reach = StderrReach(of: status)
        let whole = Self.joined(excerpt)
        droppedByteCount = whole.droppedByteCount
        guard !whole.bytes.isEmpty else { return nil }
        var (isMarked, diagnosis) = (reach.hasCrash(excerpt), Diagnosis.recognize(whole.bytes))
        if !isMarked, !excerpt.head.isEmpty, reach.trustsProof, diagnosis.kind == .crash, diagnosis.endsProcess {
            isMarked = true
        }
        if isMarked {
            bytes = whole.bytes
        } else {
            bytes = reach.ending(of: excerpt)
            diagnosis = Diagnosis.recognize(bytes)
        }
        (self.isMarked, self.diagnosis) = (isMarked, diagnosis)
        let tellsLine = isMarked && !reach.needsProof
        markedLine = tellsLine ? excerpt.head.split(separator: UInt8(ascii: "\n")).first.map(Array.init) : nil
        isCrash =
            diagnosis.kind == .crash && diagnosis.crash != nil && (diagnosis.endsProcess || !reach.needsProof)
    }

    /// Head and tail, which may overlap, as one text.
    private static func joined(_ excerpt: StderrExcerpt) -> (bytes: [UInt8], droppedByteCount: UInt64) {
        let tailStart = excerpt.byteCount - min(excerpt.byteCount, UInt64(excerpt.tail.count))
        guard let headStart = excerpt.headOffset, !excerpt.head.isEmpty else { return (excerpt.tail, tailStart) }
        let headEnd = headStart + UInt64(excerpt.head.count)
        if headStart >= tailStart {
            return (Array(excerpt.tail.dropFirst(Int(headStart - tailStart))), tailStart)
        }
        if headEnd >= tailStart {
            return (excerpt.head + excerpt.tail.dropFirst(Int(headEnd - tailStart)), headStart)
        }
        let gap = tailStart - headEnd
        let line = "\n[... \(gap) bytes of standard error left out ...]\n"
        return (excerpt.head + Array(line.utf8) + excerpt.tail, headStart + gap)
    }
}

/// What a program has said of its death, in one line.
enum RunMessage {
    /// The longest message in bytes; that of an annotation.
    static let maximumByteCount = 1_000

    /// The message of standard error.
    /// - Returns: the last line before Swift's `*** Signal`, else what the crash in it says, else the first line behind
    ///   the mark.
    static func of(_ text: StderrText?) -> String? {
        guard let text else { return nil }
        if let line = lineBeforeSignal(text.bytes) { return bounded(line) }
        if text.isCrash, let crash = text.diagnosis.crash, text.diagnosis.format != "shell-death" {
            return bounded(crash.cause.sentence)
        }
        return text.markedLine.flatMap { bounded($0) }
    }

    /// The message of a report of the runtime.
    static func of(_ diagnosis: Diagnosis) -> String? {
        diagnosis.crash.flatMap { bounded($0.cause.sentence) }
    }

    /// What can be said where the program has said nothing.
    static func of(_ told: ToldEnd?) -> String {
        guard let told else {
            return "the process that watched the program died before it could tell how the program ended"
        }
        let hidden = told.hiddenSignal.map { ": probably \(Signal.name($0))" } ?? ""
        switch told.cause {
        case .oom: return "killed for want of memory" + limit(told.memory)
        case .killed: return "killed by another process (SIGKILL)"
        case .signal: return told.signal.map { "ended by \(Signal.name($0))" } ?? "ended by a signal"
        case .exit: return "exit status \(told.code ?? 0)\(hidden)"
        case .file, .lost: return "the program's runtime has left a report"
        }
    }

    private static func limit(_ memory: MemoryFacts) -> String {
        memory.limit.map { " (limit \($0 >> 20) MiB)" } ?? ""
    }

    private static func lineBeforeSignal(_ bytes: [UInt8]) -> String? {
        var last: ArraySlice<UInt8>?
        for line in bytes.split(separator: UInt8(ascii: "\n")) {
            if line.starts(with: "*** Signal".utf8) { return last.flatMap { bounded($0) } }
            if line.contains(where: { $0 > 0x20 }) { last = line }
        }
        return nil
    }

    private static func bounded(_ line: some Sequence<UInt8>) -> String? {
        bounded(String(decoding: Array(line), as: UTF8.self))
    }

    private static func bounded(_ text: String) -> String? {
        let line = text.unicodeScalars.prefix { $0 != "\n" && $0 != "\r" }
        let words = Printable.text(String(line))
        return words.isEmpty ? nil : words.beginning(byteCount: maximumByteCount)
    }
}

extension Diagnosis {
    fileprivate static func recognize(_ bytes: [UInt8]) -> Diagnosis {
        recognize(PayloadWindow(whole: bytes)) { _, _ in nil }
    }
}
