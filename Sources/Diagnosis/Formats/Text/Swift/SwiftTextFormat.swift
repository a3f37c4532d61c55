/// A crash report in text of Swift's own backtracer, without what the program wrote to standard error before it.
enum SwiftTextFormat: TextFormat {
    static let marks = SwiftTextReport.marks

    static func read(_ text: CapturedText, at places: [Int]) -> TextFinding? {
        // With the line that the runtime writes first it is the capture of standard error, which tells more.
        guard !places.contains(where: { SwiftTextReport.signal(in: text.lines[$0]) != nil }) else { return nil }
        for place in places.reversed() {
            guard let report = SwiftTextReport(text.lines[place...]) else { continue }
            let crash = self.crash(report, in: text)
            return TextFinding(
                diagnosis: Diagnosis(
                    format: "swift-backtrace-text", contentType: ContentType.text, kind: .crash,
                    summary: self.summary(crash, sentence: report.reason, place: report.place), crash: crash),
                severity: .fatal, line: place)
        }
        return nil
    }

    /// The crash as the report alone tells it. The report knows neither the number of its process nor, beyond 15 bytes,
    /// its name; the payload's name or the log's own prefix helps out.
    static func crash(_ report: SwiftTextReport, in text: CapturedText) -> Crash {
        let signal = SwiftRuntime.signal(of: report.reason, architecture: report.system.architecture)
        var crash = Crash(cause: Crash.Cause(type: report.reason, signal: signal, address: report.address))
        if let failure = SwiftRuntime.failure(in: report.reason) {
            crash.cause.type = "Swift runtime failure"
            crash.cause.message = failure
        } else if let signal {
            crash.cause.type = signal
            crash.cause.message = report.reason
            // The kernel has no address to tell of a signal that a process sent.
            if signal == "SIGABRT" || signal == "SIGQUIT" { crash.cause.address = nil }
        }
        let process = text.name.swiftProcess
        crash.program = process.map { report.fullName(of: $0.command) } ?? report.program ?? text.origin?.name
        crash.process = process.flatMap { Int64($0.identifier) } ?? text.origin?.process
        crash.threads = report.threads
        crash.images = report.images
        crash.system = report.system
        crash.runtime = Crash.Runtime(name: "Swift")
        return crash
    }

    static func summary(_ crash: Crash, sentence: String, place: String) -> String {
        (crash.subject().map { "\($0): " } ?? "") + sentence + place
    }
}
