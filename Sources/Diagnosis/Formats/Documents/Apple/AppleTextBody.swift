/// The report of an `.ips` file that is text: a crash as it was written until 2021 (``AppleCrashText``), or an excess.
///
/// ```
/// Command:          Shop
/// PID:              733
/// Event:            cpu usage
/// Action taken:     none
/// CPU:              90 seconds cpu time over 114 seconds (78% cpu average)
/// ```
enum AppleTextBody {
    private static let names: Set<String> = [
        "Process", "Command", "PID", "Version", "Architecture", "Date/Time", "OS Version", "Event", "Action taken",
        "CPU", "Writes", "Duration", "Incident Identifier", "CrashReporter Key",
    ]

    static func read(_ text: ArraySlice<UInt8>, of report: AppleReport) -> AppleReport.Finding? {
        if let known = AppleCrashText.report(Array(TextLines(text))[...]) {
            return self.finding(known, of: report)
        }
        let fields = TextLines(text).fields(self.names)
        let process = fields["Process"] ?? fields["Command"]
        guard process ?? fields["Incident Identifier"] ?? fields["CrashReporter Key"] != nil else { return nil }
        let measured = fields["CPU"] ?? fields["Writes"] ?? fields["Duration"]
        var crash = report.crash(cause: Crash.Cause(type: fields["Event"] ?? "report", message: measured))
        let parts = Array((process ?? "").utf8)[...]
        crash.program = (parts.before(" [") ?? parts).trimmed.text.nonEmpty ?? crash.program
        crash.process = parts.between(" [", "]")?.decimalNumber ?? fields["PID"].flatMap { Int64($0) }
        crash.version = crash.version ?? fields["Version"]
        crash.system = AppleNames.system(
            report.title.text("os_version") ?? fields["OS Version"], architecture: fields["Architecture"])
        crash.occurredAt = fields["Date/Time"].flatMap(ZonedTime.milliseconds) ?? crash.occurredAt
        let isOver = fields["Action taken"]?.contains("killed") == true
        return AppleReport.Finding(
            kind: isOver ? .crash : fields["Event"] == "hang" ? .hang : .diagnostic, sentence: crash.cause.sentence,
            crash: crash)
    }

    private static func finding(_ known: AppleCrashText.Report, of report: AppleReport) -> AppleReport.Finding {
        var crash = known.crash
        let title = report.crash(cause: crash.cause)
        crash.program = crash.program ?? title.program
        crash.version = title.version ?? crash.version
        crash.system.name = title.system.name ?? crash.system.name
        crash.system.version = title.system.version ?? crash.system.version
        crash.occurredAt = crash.occurredAt ?? title.occurredAt
        let type = Words.join(crash.cause.type, crash.cause.signal, separator: " ")
        let sentence = Crash.Cause(type: type, message: crash.cause.message).sentence
        return AppleReport.Finding(
            kind: known.isFatal ? .crash : .diagnostic, sentence: sentence + (crash.place?.place ?? ""), crash: crash)
    }
}
