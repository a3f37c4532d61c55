/// A report of Apple's systems as text: of a crash, of a program that does not answer, or of too much of something.
enum AppleCrashFormat: TextFormat {
    static let marks: [LineMark] = [
        .beginning("Incident Identifier:"), .beginning("Process:  "), .beginning("Exception Type:"),
        .beginning("Event: "), .beginning("Analysis of sampling "),
    ]

    static let words = [
        "Incident Identifier:", "Process:  ", "Exception Type:", "OS Version", "Analysis of sampling ",
    ]

    static func read(_ text: CapturedText, at places: [Int]) -> TextFinding? {
        // The fields' lines are not far from each other, so the first few of them tell.
        for place in places.prefix(64) {
            let line = text.lines[place]
            if line.starts(with: "Event: ".utf8) {
                if let finding = AppleHangText.finding(in: text, at: place) { return finding }
            } else if line.starts(with: "Analysis of sampling ".utf8) {
                if let finding = AppleHangText.sample(in: text, at: place) { return finding }
            } else if let report = AppleCrashText.report(text.lines[place...]) {
                return self.finding(report, at: place)
            }
        }
        return nil
    }

    private static func finding(_ report: AppleCrashText.Report, at place: Int) -> TextFinding {
        let crash = report.crash
        var sentence = crash
        // The kind of exception is the same for most faults; the signal says more to most people.
        if crash.cause.type.hasPrefix("EXC_"), let signal = crash.cause.signal {
            sentence.cause.type = "\(crash.cause.type) (\(signal))"
        }
        return TextFinding(
            diagnosis: Diagnosis(
                format: "apple-crash", contentType: ContentType.text, kind: report.isFatal ? .crash : .diagnostic,
                summary: sentence.summary(), crash: crash),
            severity: report.isFatal ? .fatal : .finding, line: place)
    }
}

/// What `spindump` and `sample` write of a program, whose stacks are counted trees: outermost calls first, each with the
/// number of times it was seen.
///
/// ```
/// Command:          Shop
/// PID:              43448
/// Event:            hang
/// Duration:         4.20s
///
/// Heaviest stack for the main thread of the target process:
///   42  start + 520 (dyld + 24436) [0x19fce5f74]
///   42  main + 20 (Shop + 123) [0x104c1007b]
/// ```
enum AppleHangText {
    private static let names: Set<String> = [
        "Command", "Process", "PID", "Version", "Date/Time", "OS Version", "Architecture", "Duration", "Event",
        "CPU", "Writes", "Wakeups",
    ]

    static func finding(in text: CapturedText, at place: Int) -> TextFinding? {
        // The event stands in the middle of the fields.
        let header = text.lines[max(0, place - 64)..<min(text.lines.count, place + 64)]
        let fields = header.fields(self.names)
        guard let event = fields["Event"], fields["OS Version"] != nil, fields["Date/Time"] != nil,
            let command = fields["Command"] ?? fields["Process"]
        else { return nil }
        let isHang = event.hasPrefix("hang") || event.hasPrefix("responsive")
        let measured = fields["CPU"] ?? fields["Writes"] ?? fields["Wakeups"]
        var crash = Crash(
            cause: Crash.Cause(
                type: event, message: isHang ? fields["Duration"].map { "not responsive for \($0)" } : measured))
        let name = Array(command.utf8)[...]
        crash.program = (name.before(" [") ?? name).text.nonEmpty
        crash.process = fields["PID"].flatMap { Int64($0) } ?? name.between(" [", "]")?.decimalNumber
        crash.version = fields["Version"]
        crash.system = AppleNames.system(fields["OS Version"], architecture: fields["Architecture"])
        crash.occurredAt = fields["Date/Time"].flatMap(ZonedTime.milliseconds)
        let frames = self.heaviestStack(in: text.lines[place...], program: crash.program)
        if !frames.isEmpty { crash.threads = [Crash.Thread(isCrashed: false, frames: frames)] }
        return TextFinding(
            diagnosis: Diagnosis(
                format: isHang ? "apple-hang" : "apple-event", contentType: ContentType.text,
                kind: isHang ? .hang : .diagnostic, summary: crash.summary(), crash: crash),
            severity: .finding, line: place)
    }

    static func sample(in text: CapturedText, at place: Int) -> TextFinding? {
        guard let title = text.lines[place].dropping("Analysis of sampling "), let process = title.range(of: " (pid "),
            let number = title[process.upperBound...].leadingDigits
        else { return nil }
        var crash = Crash(
            program: title[..<process.lowerBound].text, process: number.decimalNumber,
            cause: Crash.Cause(type: "sample"))
        let fields = text.lines[place...].dropFirst().prefix(32).fields(self.names)
        crash.version = fields["Version"]
        crash.system = AppleNames.system(fields["OS Version"])
        crash.occurredAt = fields["Date/Time"].flatMap(ZonedTime.milliseconds)
        return TextFinding(
            diagnosis: Diagnosis(
                format: "apple-sample", contentType: ContentType.text, kind: .diagnostic, summary: crash.summary(),
                crash: crash),
            severity: .finding, line: place)
    }

    /// The stack that was seen most often. The outermost call comes first in the text.
    private static func heaviestStack(
        in lines: ArraySlice<ArraySlice<UInt8>>, program: String?
    ) -> [Crash.Frame] {
        guard let title = lines.firstIndex(where: { $0.starts(with: "Heaviest stack for ".utf8) }) else { return [] }
        let code = AppleCode(program: program)
        var frames: [Crash.Frame] = []
        for line in lines[(title + 1)...].prefix(1_024) {
            let line = line.trimmed
            guard let count = line.leadingDigits else { break }
            let text = line[count.endIndex...].trimmed
            let image = text.lastRange(of: " (").flatMap {
                text[$0.upperBound...].before(" + ") ?? text[$0.upperBound...].before(")")
            }
            let name = text.before(" (") ?? text
            let function = (name.lastRange(of: " + ").map { name[..<$0.lowerBound] } ?? name).text
            frames.append(
                Crash.Frame(
                    function: function == "???" ? nil : function, module: image?.text,
                    isOwn: code.isOwn(path: image?.text, function: function)))
        }
        return frames.reversed()
    }
}
