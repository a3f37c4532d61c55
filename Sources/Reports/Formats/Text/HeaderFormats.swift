/// A crash file of Ubuntu's apport: fields as in a mail header, some of them huge.
enum ApportFormat {
    static func recognize(_ head: PayloadHead) -> Recognition? {
        guard let problem = head.bytes[...].dropping("ProblemType: ") else { return nil }
        let type = (problem.before("\n") ?? problem).trimmed.text
        let fields = head.lines.fields(["ExecutablePath", "Signal", "Package"])
        let program = fields["ExecutablePath"] ?? "?"
        let reason = fields["Signal"].flatMap { Int($0) }.map(SignalName.linux) ?? type
        return Recognition(
            format: "apport", contentType: ContentType.text, kind: .crash,
            summary: "\(program): \(reason)" + (fields["Package"].map { " (\($0))" } ?? ""))
    }
}

/// A crash report of Apple's systems in text, as it was before `.ips`.
enum AppleCrashFormat {
    static func recognize(_ head: PayloadHead) -> Recognition? {
        guard head.hasPrefix("Incident Identifier:") || head.hasPrefix("Process:   ") else { return nil }
        let fields = head.lines.fields(["Process", "Version", "Exception Type", "OS Version"])
        let process = fields["Process"].map(self.compact(process:)) ?? "?"
        let reason = fields["Exception Type"] ?? "crash"
        let symbol = self.symbol(in: head.lines).map { " in \($0)" } ?? ""
        let system = fields["OS Version"].map { " (\($0))" } ?? ""
        return Recognition(
            format: "apple-crash", contentType: ContentType.text, kind: .crash,
            summary: "\(process) \(fields["Version"] ?? "?"): \(reason)\(symbol)\(system)")
    }

    /// The function of the crashed thread's first frame: number, image, address, function.
    private static func symbol(in lines: PayloadLines) -> String? {
        var isCrashed = false
        for line in lines {
            if isCrashed, let address = line.range(of: "0x") {
                return line[address.upperBound...].drop { $0 > 0x20 }.trimmed.text.nonEmpty
            }
            if line.starts(with: "Thread ".utf8) { isCrashed = line.contains("Crashed") }
        }
        return nil
    }

    /// A process is written as `Name [123]`; elsewhere no blank stands there.
    private static func compact(process: String) -> String {
        let bytes = Array(process.utf8)[...]
        guard let gap = bytes.lastRange(of: " [") else { return process }
        return "\(bytes[..<gap.lowerBound].text)[\(bytes[gap.upperBound...].text)"
    }
}
