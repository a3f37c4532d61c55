/// A crash as the runtime of a language reports it, on its way to a finding.
///
/// The formats of all runtimes share this part: who the crash is about when the payload does not say, and what a
/// finding has besides the crash.
struct RuntimeCrash {
    let format: String
    /// What the summary names when the program is not known: the language.
    let subject: String
    let runtime: Crash.Runtime
    let cause: Crash.Cause
    var earlierCauses: [Crash.Cause] = []
    var threads: [Crash.Thread] = []
    var program: String?
    var process: Int64?
    var system = Crash.System()
    var kind = Diagnosis.Kind.crash
    var severity = TextFinding.Severity.exception
    /// The index of the line where it begins.
    let line: Int

    /// The finding; `nil` for an example in a manual.
    ///
    /// The collector's name and number of the process stand in for those that the payload lacks.
    func finding(in text: CapturedText) -> TextFinding? {
        guard !LogSurroundings(lines: text.lines).showManual(before: self.line) else { return nil }
        var crash = Crash(
            program: self.program ?? text.origin?.name, process: self.process ?? text.origin?.process,
            cause: self.cause)
        crash.earlierCauses = self.earlierCauses
        crash.threads = self.threads
        crash.runtime = self.runtime
        crash.system = self.system
        return TextFinding(
            diagnosis: Diagnosis(
                format: self.format, contentType: ContentType.text, kind: self.kind,
                summary: self.summary(of: crash), crash: crash),
            severity: self.kind == .crash ? self.severity : .finding, line: self.line)
    }

    /// The usual summary, but without a place that is inside of the runtime and that no line of source code has.
    private func summary(of crash: Crash) -> String {
        guard let place = crash.place, !place.isOwn, place.line == nil else {
            return crash.summary(subject: self.subject)
        }
        return "\(crash.subject(orElse: self.subject) ?? self.subject): \(crash.cause.sentence)"
    }
}
