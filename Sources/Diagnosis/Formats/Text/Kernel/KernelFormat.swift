/// Reports of the Linux kernel: about itself, or about a process that it has ended.
///
/// They come from `dmesg`, a syslog, the persistent store of the firmware, a serial console, or from the log that kdump
/// keeps of a kernel that panicked.
///
/// The worst of them counts: a panic, whose cause is the fault before it; then the first fault, since others may follow
/// from it; then the last process that was ended; then the first hang; then the last finding. The end of a process for
/// want of memory is a crash of that process, since nothing else tells of it: it leaves neither core nor message.
enum KernelFormat: TextFormat {
    static let marks: [LineMark] = [
        .beginning("BUG: "), .beginning("Unable to handle kernel "), .beginning("kernel BUG at "),
        .beginning("Kernel panic - not syncing: "), .beginning("watchdog: "), .beginning("NMI watchdog: "),
        .beginning("Watchdog detected hard LOCKUP "), .beginning("INFO: "), .beginning("rcu: INFO: "),
        .beginning("WARNING: "), .beginning("UBSAN: "), .beginning("Out of memory: Kill"),
        .beginning("Memory cgroup out of memory: Kill"), .beginning("mce: [Hardware Error]: "), .beginning("traps: "),
        .containing(": segfault at "), .containing(": unhandled "), .containing("[#"),
    ]

    static let words = [
        "BUG: ", "Unable to handle kernel ", "kernel BUG at ", "Kernel panic", "atchdog: ",
        "atchdog detected hard LOCKUP ", "INFO: task ", "INFO: rcu", "INFO: possible ", "WARNING: CPU: ",
        "WARNING: possible ", "WARNING: suspicious RCU", "WARNING: inconsistent lock", ", CPU#", "UBSAN: ",
        "ut of memory: Kill", "mce: [Hardware Error]: ", "traps: ", ": segfault at ", ": unhandled ", "[#0", "[#1",
        "[#2", "[#3", "[#4", "[#5", "[#6", "[#7", "[#8", "[#9",
    ]

    static func read(_ text: CapturedText, at places: [Int]) -> TextFinding? {
        let reports = KernelReport.all(in: text, at: places)
        if let panic = reports.last(where: { $0.headline.rank == .panic }) {
            return self.finding(panic, after: self.cause(of: panic, in: reports))
        }
        if let oops = reports.first(where: { $0.headline.rank == .oops }) { return self.finding(oops) }
        if let end = self.lastEnd(in: text, at: places) { return end }
        if let hang = reports.first(where: { $0.headline.rank == .hang }) { return self.finding(hang) }
        let worst = reports.map(\.headline.rank).max()
        return reports.last { $0.headline.rank == worst }.map { self.finding($0) }
    }

    /// The report that led to a panic: the fault before it, or what the kernel was told to panic for.
    private static func cause(of panic: KernelReport, in reports: [KernelReport]) -> KernelReport? {
        // What is far from the panic did not lead to it.
        let before = reports.filter { $0.line < panic.line && panic.line - $0.line < 1_024 }
        if let fault = before.last(where: { $0.headline.rank == .oops }) { return fault }
        let reason = Array((panic.headline.cause.message ?? "").utf8)[...]
        let words = ["panic_on_warn", "hung_task", "softlockup", "LOCKUP", "RCU Stall", "KASAN", "UBSAN"]
        guard words.contains(where: { reason.contains($0) }) else { return nil }
        return before.last { $0.headline.rank < .oops }
    }

    private static func finding(_ report: KernelReport, after fault: KernelReport? = nil) -> TextFinding {
        var crash = report.crash
        if let fault {
            crash.earlierCauses = [fault.headline.cause]
            if let thread = fault.crash.threads.first, !thread.frames.isEmpty { crash.threads = [thread] }
            crash.system.version = crash.system.version ?? fault.crash.system.version
            crash.system.architecture = crash.system.architecture ?? fault.crash.system.architecture
        }
        var summary = crash.subject(orElse: "kernel").map { "\($0): \(crash.cause.sentence)" } ?? ""
        if let fault { summary += "; \(fault.headline.cause.sentence)" }
        summary += crash.place?.place ?? ""
        let (kind, severity): (Diagnosis.Kind, TextFinding.Severity) =
            switch report.headline.rank {
            case .panic, .oops: (.crash, .fatal)
            case .hang: (.hang, .finding)
            case .sanitizer, .warning: (.diagnostic, .finding)
            }
        return TextFinding(
            diagnosis: Diagnosis(
                format: report.headline.format, contentType: ContentType.text, kind: kind, summary: summary,
                crash: crash),
            severity: severity, line: report.line)
    }

    private static func lastEnd(in text: CapturedText, at places: [Int]) -> TextFinding? {
        for place in places.reversed() {
            guard let end = KernelProcessEnd(text.lines[place]) else { continue }
            return TextFinding(
                diagnosis: Diagnosis(
                    format: end.format, contentType: ContentType.text, kind: .crash, summary: end.crash.summary(),
                    crash: end.crash),
                severity: .death, line: place)
        }
        return nil
    }
}

/// One report of the kernel about itself: its first line and what follows.
struct KernelReport {
    let headline: KernelHeadline
    /// The index of the first line.
    let line: Int
    private let trace: KernelTrace

    /// How many reports of one text are kept; a kernel that is ill may write thousands.
    private static let maximumCount = 64
    /// How many lines that may begin a report are looked at, of the first and of the last ones.
    private static let maximumPlaceCount = 1_024

    /// The reports in a text. Lines that only look like the beginning of one, in a manual, have no state behind them.
    static func all(in text: CapturedText, at places: [Int]) -> [KernelReport] {
        var reports: [KernelReport] = []
        var lastOops = -16
        let last = places.dropFirst(Self.maximumPlaceCount).suffix(Self.maximumPlaceCount)
        let places = Array(places.prefix(Self.maximumPlaceCount) + last)
        for (index, place) in places.enumerated() {
            guard var headline = KernelHeadline(text.lines[place], next: text.lines.dropFirst(place + 1).first) else {
                continue
            }
            // The exception's own line stands a few lines below the one that says what was wrong.
            if headline.rank == .oops {
                if place - lastOops < 16 { continue }
            }
            if reports.count >= Self.maximumCount, headline.rank != .panic { continue }
            if headline.cause.type == "WARNING", headline.cause.message == nil {
                headline.cause.message = self.said(before: place, in: text.lines)
            }
            let end = self.end(of: headline, at: index, in: places, of: text)
            let report = KernelReport(headline, text, from: place, to: end)
            let isOfKernel = text.origin?.name == "kernel"
            guard headline.isCertain || report.trace.isEvident || isOfKernel && headline.rank == .panic else {
                continue
            }
            if headline.rank == .oops { lastOops = place }
            reports.append(report)
        }
        return reports
    }

    /// What the code that warns has to say: the line between `---[ cut here ]---` and the warning.
    private static func said(before place: Int, in lines: [ArraySlice<UInt8>]) -> String? {
        let before = lines[max(0, place - 4)..<place]
        guard let cut = before.lastIndex(where: { $0.contains("[ cut here ]") }), cut + 1 < place else { return nil }
        return lines[cut + 1].trimmed.text.nonEmpty
    }

    /// Where the next report begins, unless that is the exception's line of the same one.
    private static func end(
        of headline: KernelHeadline, at index: Int, in places: [Int], of text: CapturedText
    ) -> Int {
        let place = places[index]
        let limit = min(text.lines.count, place + KernelTrace.maximumLineCount)
        for next in places[(index + 1)...].prefix(64) where next < limit {
            guard let other = KernelHeadline(text.lines[next], next: nil) else { continue }
            if headline.rank == .oops, other.rank == .oops, next - place < 16 { continue }
            return next
        }
        return limit
    }

    private init(_ headline: KernelHeadline, _ text: CapturedText, from place: Int, to end: Int) {
        self.headline = headline
        self.line = place
        let trace = KernelTrace(text.lines[place..<end])
        // A panic at the end of a fault has its stack, or the end of it, before it.
        if headline.rank == .panic, trace.frames.isEmpty {
            let before = text.lines[max(0, place - 128)..<place]
            let calls = before.lastIndex { $0.trimmed.starts(with: "Call Trace:".utf8) }
            self.trace = calls.map { KernelTrace(before[max(before.startIndex, $0 - 32)...]) } ?? KernelTrace(before)
        } else {
            self.trace = trace
        }
    }

    /// The report as a crash of the kernel, or of the task that it is about.
    var crash: Crash {
        var crash = Crash(
            program: self.headline.task?.name ?? "kernel", process: self.headline.task?.process,
            cause: self.headline.cause)
        var frames = self.trace.frames
        if let place = self.headline.place {
            if let known = frames.firstIndex(where: { place.function == nil ? $0.isOwn : $0.function == place.function }
            ) {
                (frames[known].file, frames[known].line) = (place.file, place.line)
            } else {
                frames.insert(place, at: 0)
            }
        }
        crash.threads = [
            Crash.Thread(name: self.trace.command, number: self.trace.process, isCrashed: true, frames: frames)
        ]
        crash.system = Crash.System(
            name: "Linux", version: self.trace.release, architecture: self.trace.architecture)
        return crash
    }
}
