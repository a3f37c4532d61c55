import Diagnosis
import DurableIO

/// What was kept of a program's standard error, as a payload: from the mark of a crash on, or else the end.
struct StderrText: Sendable {
    /// The bytes; a line says how many are left out in the middle.
    let bytes: [UInt8]
    /// How many bytes of standard error were not kept.
    let droppedByteCount: UInt64
    let diagnosis: Diagnosis

    /// - Returns: `nil` where nothing was kept.
    init?(_ excerpt: StderrExcerpt) {
        let tailStart = excerpt.byteCount - min(excerpt.byteCount, UInt64(excerpt.tail.count))
        if let headStart = excerpt.headOffset, !excerpt.head.isEmpty {
            let headEnd = headStart + UInt64(excerpt.head.count)
            if headEnd >= tailStart {
                // The head may lie within the tail.
                let before = headStart > tailStart ? Int(headStart - tailStart) : 0
                let overlap = headStart >= tailStart ? 0 : Int(headEnd - tailStart)
                bytes =
                    headStart >= tailStart
                    ? Array(excerpt.tail.dropFirst(before)) : excerpt.head + excerpt.tail.dropFirst(overlap)
                droppedByteCount = min(headStart, tailStart)
            } else {
                let gap = tailStart - headEnd
                let line = "\n[... \(gap) bytes of standard error left out ...]\n"
                bytes = excerpt.head + Array(line.utf8) + excerpt.tail
                droppedByteCount = headStart + gap
            }
        } else {
            bytes = excerpt.tail
            droppedByteCount = tailStart
        }
        guard !bytes.isEmpty else { return nil }
        diagnosis = Diagnosis.recognize(PayloadWindow(whole: bytes)) { _, _ in nil }
    }

    /// Whether it tells of a crash.
    var isCrash: Bool { diagnosis.kind == .crash && diagnosis.crash != nil }
}

/// What a program has said of its death, in one line.
enum RunMessage {
    /// The longest message in bytes; that of an annotation.
    static let maximumByteCount = 1_000

    /// The message of standard error.
    /// - Returns: the last line before Swift's `*** Signal`, else what the crash in it says, else the first line behind
    ///   the mark.
    static func of(_ text: StderrText?, _ excerpt: StderrExcerpt) -> String? {
        guard let text else { return nil }
        if let line = lineBeforeSignal(text.bytes) { return bounded(line) }
        if text.isCrash, let crash = text.diagnosis.crash, text.diagnosis.format != "shell-death" {
            return bounded(crash.cause.sentence)
        }
        guard !excerpt.head.isEmpty else { return nil }
        return excerpt.head.split(separator: UInt8(ascii: "\n")).first.flatMap { bounded($0) }
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
