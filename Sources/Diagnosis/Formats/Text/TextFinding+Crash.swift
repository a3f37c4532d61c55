extension TextFinding {
    /// A crash, with the summary that is made from it.
    /// - Parameters:
    ///   - crash: the crash.
    ///   - format: the format's name.
    ///   - subject: stands in the program's place when the payload does not name the program.
    ///   - severity: how sure the end of the process is.
    ///   - line: the index of the line where the crash is told first.
    init(_ crash: Crash, format: String, subject: String? = nil, severity: Severity = .fatal, line: Int) {
        self.init(
            diagnosis: Diagnosis(
                format: format, contentType: ContentType.text, kind: .crash, summary: crash.summary(subject: subject),
                crash: crash),
            severity: severity, line: line)
    }
}
