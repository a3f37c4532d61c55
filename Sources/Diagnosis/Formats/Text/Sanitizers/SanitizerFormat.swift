/// A report of the compilers' sanitizers.
///
/// ```
/// AddressSanitizer:DEADLYSIGNAL
/// =================================================================
/// ==27204==ERROR: AddressSanitizer: SEGV on unknown address 0x000000000018 (pc 0x55e0ee4f3377 bp … sp … T0)
/// ==27204==The signal is caused by a READ memory access.
///     #0 0x55e0ee4f3377 in cart_total /srv/shop/src/cart.c:112:19
/// SUMMARY: AddressSanitizer: SEGV /srv/shop/src/cart.c:112:19 in cart_total
/// ==27204==ABORTING
/// ```
/// With `log_exe_name` the program stands before its number: `==shopd==27204==`. The thread sanitizer's first line has
/// no number in front: `WARNING: ThreadSanitizer: data race (pid=27340)`. The sanitizer of undefined behaviour writes
/// `FILE:LINE:COLUMN: runtime error: MESSAGE`, and no more than that by default. Source: `compiler-rt/lib`.
enum SanitizerFormat: TextFormat {
    static let marks: [LineMark] = [
        .beginning("=="), .beginning("WARNING: ThreadSanitizer: "), .containing(": runtime error: "),
        .beginning("*** GWP-ASan detected a memory error"), .containing(":DEADLYSIGNAL"), .beginning("SUMMARY: "),
    ]

    static let words = ["Sanitizer", "runtime error: ", ":DEADLYSIGNAL", "GWP-ASan"]

    static func read(_ text: CapturedText, at places: [Int]) -> TextFinding? {
        var worst: TextFinding?
        for place in places {
            guard let finding = self.finding(at: place, in: text) else { continue }
            // The first of them is the fault; later ones may follow from it.
            if finding.severity == .fatal { return finding }
            worst = worst ?? finding
        }
        if let worst { return worst }
        // Of a report that lost its beginning, the last line may be left.
        for place in places {
            if let report = SanitizerReport(summary: text.lines[place]) {
                return self.finding(report, at: place, in: text)
            }
        }
        return self.unfinished(in: text, at: places)
    }

    /// A sanitizer that met a signal, and died itself before it could write its report.
    private static func unfinished(in text: CapturedText, at places: [Int]) -> TextFinding? {
        for place in places {
            guard let tool = text.lines[place].droppingSuffix("Sanitizer:DEADLYSIGNAL"), !tool.isEmpty,
                tool.allSatisfy(\.isLetter)
            else { continue }
            var crash = Crash(
                program: text.origin?.name, process: text.origin?.process, cause: Crash.Cause(type: "DEADLYSIGNAL"))
            crash.runtime = Crash.Runtime(name: "\(tool.text)Sanitizer")
            return TextFinding(crash, format: "sanitizer", subject: crash.runtime?.name, severity: .death, line: place)
        }
        return nil
    }

    private static func finding(at place: Int, in text: CapturedText) -> TextFinding? {
        let lines = text.lines[place...]
        guard
            let report = SanitizerReport(lines) ?? SanitizerReport(undefinedBehaviour: lines)
                ?? SanitizerReport(guardedAllocation: lines)
        else { return nil }
        return self.finding(report, at: place, in: text)
    }

    private static func finding(_ report: SanitizerReport, at place: Int, in text: CapturedText) -> TextFinding {
        var crash = Crash(
            program: report.program ?? text.origin?.name, process: report.process ?? text.origin?.process,
            cause: report.cause)
        crash.threads = report.threads
        crash.images = report.images
        crash.runtime = Crash.Runtime(name: report.tool)
        if report.cause.signal == "SIGABRT", let reason = AbortMessage.cause(before: place, in: text.lines) {
            crash.cause.message = reason.sentence
        }
        let subject = crash.subject().map { "\($0) " } ?? ""
        return TextFinding(
            diagnosis: Diagnosis(
                format: "sanitizer", contentType: ContentType.text, kind: report.isFatal ? .crash : .diagnostic,
                summary: "\(subject)\(report.tool): \(report.fault)\(crash.place?.place ?? "")", crash: crash),
            severity: report.isFatal ? .fatal : .finding, line: place)
    }
}
