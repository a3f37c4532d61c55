/// An `.ips` report of Apple's systems: one object on the first line, and the report itself behind it.
///
/// ```
/// {"app_name":"Shop","timestamp":"2026-03-16 09:00:21.00 +0100","bug_type":"309","os_version":"iPhone OS 26.3 (…)"}
/// { "procName" : "Shop", "pid" : 733, "exception" : {"type":"EXC_CRASH","signal":"SIGKILL"}, "threads" : […] }
/// ```
/// The report is another object, so that both together are no JSON, or text in older versions. The number `bug_type`
/// tells what is reported. Source: "Interpreting the JSON format of a crash report" in Apple's documentation.
enum AppleIPSFormat: DocumentFormat {
    static let marks = ["bug_type"]

    /// At least one of these stands beside the mark.
    private static let companions = ["os_version", "incident_id", "app_name", "timestamp"]

    static func read(_ document: JSONDocument) -> Diagnosis? {
        let title = document.root
        guard document.isComplete, let type = title["bug_type"]?.fieldText,
            self.companions.contains(where: { title[$0] != nil })
        else { return nil }
        let rest = document.rest.trimmed
        if !rest.isEmpty, rest.first != UInt8(ascii: "{") { return self.readText(rest, type: type, title: title) }
        let prefix = JSONValue.parsePrefix(
            rest, maximumDepth: JSONValue.longestDepth, keptDepth: JSONValue.defaultMaximumDepth)
        let report = AppleReport(
            type: type, title: title, body: prefix.value?.objectValue ?? JSONObject(), ending: document.ending)
        return self.diagnosis(self.finding(in: report), of: report)
    }

    private static func finding(in report: AppleReport) -> AppleReport.Finding {
        if let panic = ApplePanic.read(report) { return panic }
        if let jetsam = AppleJetsam.read(report) { return jetsam }
        return AppleProcessReport.read(report)
    }

    /// The text that older systems write has the same fields under other names.
    private static func readText(_ text: ArraySlice<UInt8>, type: String, title: JSONObject) -> Diagnosis? {
        let report = AppleReport(type: type, title: title, body: JSONObject(), ending: nil)
        // Something that is neither is no such report, but a line of a log.
        guard let finding = AppleTextBody.read(text, of: report) else { return nil }
        return self.diagnosis(finding, of: report)
    }

    private static func diagnosis(_ finding: AppleReport.Finding, of report: AppleReport) -> Diagnosis {
        let system = report.title.text("os_version").map { " (\($0))" } ?? ""
        return Diagnosis(
            format: "apple-ips", contentType: ContentType.text, kind: finding.kind,
            summary: AppleNames.beginning(finding.crash) + finding.sentence + system, crash: finding.crash)
    }
}

/// The two parts of an `.ips` report.
struct AppleReport {
    /// What is reported; the numbers are Apple's.
    let type: String
    let title: JSONObject
    let body: JSONObject
    /// The end of the body, where the report is larger than the window.
    let ending: JSONEnding?

    /// What a report says.
    struct Finding {
        let kind: Diagnosis.Kind
        /// Cause and place for the summary.
        let sentence: String
        let crash: Crash
    }

    /// A member of the body.
    subscript(key: String) -> JSONValue? {
        self.body[key] ?? self.ending?[key]
    }

    /// Crashes in the forms of 2014 and 2021, for apps and for the system's own programs.
    private static let crashTypes: Set<String> = ["109", "308", "309", "327"]

    /// A report of a type that is not known says nothing of a process that died, even when it has its stacks: systems
    /// write them about processes that used too much, and simulate crashes of processes that go on (385).
    var isOfCrash: Bool { Self.crashTypes.contains(self.type) }

    /// A crash with what the title tells.
    func crash(cause: Crash.Cause) -> Crash {
        let bundle = self["bundleInfo"]?.objectValue
        var crash = Crash(
            program: self["procName"]?.stringValue?.nonEmpty ?? self.title.text("app_name") ?? self.title.text("name"),
            process: self["pid"]?.integerValue, cause: cause)
        crash.version = self.title.text("app_version") ?? bundle?.text("CFBundleShortVersionString")
        crash.system = AppleNames.system(
            self.title.text("os_version"), architecture: self["cpuType"]?.stringValue?.nonEmpty)
        let time = self["captureTime"]?.stringValue ?? self["date"]?.stringValue ?? self.title.text("timestamp")
        crash.occurredAt = time.flatMap(ZonedTime.milliseconds)
        return crash
    }
}
