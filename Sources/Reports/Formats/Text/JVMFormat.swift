/// The error log of a Java virtual machine, `hs_err_pid….log`.
enum JVMFormat {
    static func recognize(_ head: PayloadHead) -> Recognition? {
        var lines = head.lines
        guard lines.next()?.trimmed.elementsEqual("#".utf8) == true, let title = lines.next(),
            title.starts(with: "# A fatal error has been detected by the Java Runtime".utf8)
                || title.starts(with: "# There is insufficient memory for the Java Runtime".utf8)
        else { return nil }
        let report = self.read(lines)
        let subject = SummaryLine.join(
            "java\(report.process.map { "[\($0)]" } ?? "")", report.command, separator: " ")
        return Recognition(
            format: "jvm-hs-err", contentType: ContentType.text, kind: .crash,
            summary: SummaryLine.join(
                "\(subject): \(report.reason ?? "fatal error")", report.frame.map { "in \($0)" },
                report.runtime.map { "(\($0))" }, separator: " "))
    }

    private struct Report {
        var process: String?
        var reason: String?
        var frame: String?
        var runtime: String?
        var command: String?
    }

    private static func read(_ lines: PayloadLines) -> Report {
        var report = Report()
        var frameFollows = false
        for line in lines {
            if let remark = line.dropping("#")?.trimmed {
                if frameFollows { report.frame = remark.text.nonEmpty }
                frameFollows = remark.starts(with: "Problematic frame:".utf8)
                if let runtime = remark.dropping("JRE version: ") { report.runtime = runtime.text }
                if report.process == nil, let process = remark.after("pid=")?.leadingDigits {
                    report.process = process.text
                    report.reason = (remark.before(" at pc=") ?? remark.before(", pid="))?.text.nonEmpty
                }
            } else if let command = line.dropping("Command Line:") {
                report.command = command.trimmed.text.nonEmpty
                break
            }
        }
        return report
    }
}
