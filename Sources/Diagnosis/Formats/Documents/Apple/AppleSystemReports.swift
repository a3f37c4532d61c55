/// An `.ips` report about the whole system: a panic of its kernel (bug type 210).
///
/// ```
/// "panicString" : "panic(cpu 3 caller 0xfffffff0269b1c58): userspace watchdog timeout: no successful checkins from …\n…"
/// ```
enum ApplePanic {
    static func read(_ report: AppleReport) -> AppleReport.Finding? {
        guard let text = report["panicString"]?.stringValue ?? report["macOSPanicString"]?.stringValue else {
            return nil
        }
        let lines = Array(text.utf8)[...]
        let first = lines.before("\n") ?? lines
        // Behind `panic(cpu 3 caller 0x…): `, whose numbers differ from run to run.
        let message = first.starts(with: "panic(".utf8) ? first.after("): ") ?? first : first
        var crash = report.crash(cause: Crash.Cause(type: "panic", message: message.trimmed.text))
        crash.program = "kernel"
        crash.process = nil
        crash.version = nil
        if crash.system.name == nil { crash.system = AppleNames.system(report["build"]?.stringValue) }
        return AppleReport.Finding(kind: .crash, sentence: crash.cause.sentence, crash: crash)
    }
}

/// An `.ips` report about all processes at the time when the system was short of memory (bug type 298).
///
/// ```
/// "largestProcess" : "Shop", "processes" : [{"name":"Shop","pid":612,"rpages":131072,"reason":"per-process-limit"}]
/// ```
/// The system has killed the process that has a `reason`. Its end is the crash; without one the report is a finding
/// about the largest process.
enum AppleJetsam {
    static func read(_ report: AppleReport) -> AppleReport.Finding? {
        guard let processes = report["processes"]?.arrayValue,
            report.type == "298" || report["largestProcess"]?.stringValue != nil
        else { return nil }
        let largest = report["largestProcess"]?.stringValue?.nonEmpty
        let killed = processes.filter { $0["reason"]?.stringValue?.nonEmpty != nil }
        let named = killed.first { $0["name"]?.stringValue == largest } ?? killed.first
        let process = named ?? processes.first { $0["name"]?.stringValue == largest }
        let words = Words.join(
            named?["reason"]?.stringValue, self.size(of: process, in: report).map { "using \($0) MiB" }, separator: ", "
        )
        let cause = Crash.Cause(
            type: named == nil ? "memory shortage" : "killed for memory", message: words.nonEmpty,
            signal: named == nil ? nil : "SIGKILL")
        var crash = report.crash(cause: cause)
        crash.program = process?["name"]?.stringValue?.nonEmpty ?? largest
        crash.process = process?["pid"]?.integerValue
        return AppleReport.Finding(
            kind: named == nil ? .diagnostic : .crash, sentence: crash.cause.sentence, crash: crash)
    }

    private static func size(of process: JSONValue?, in report: AppleReport) -> UInt64? {
        guard let pages = process?["rpages"]?.address, let page = report["memoryStatus"]?["pageSize"]?.address else {
            return nil
        }
        let (bytes, overflow) = pages.multipliedReportingOverflow(by: page)
        return overflow || bytes == 0 ? nil : bytes >> 20
    }
}
