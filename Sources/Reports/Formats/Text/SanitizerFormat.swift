import DurableIO

/// A report of the compilers' sanitizers: address, leak, memory, thread, undefined behaviour.
enum SanitizerFormat {
    static func recognize(_ head: PayloadHead) -> Recognition? {
        guard let summary = self.undefinedBehaviour(in: head) ?? self.report(in: head) else { return nil }
        return Recognition(format: "sanitizer", contentType: ContentType.text, kind: .crash, summary: summary)
    }

    /// `FILE:LINE:COLUMN: runtime error: MESSAGE`
    private static func undefinedBehaviour(in head: PayloadHead) -> String? {
        let line = head.title
        guard let separator = line.range(of: ": runtime error: ") else { return nil }
        let location = line[..<separator.lowerBound]
        let fields = location.split(separator: UInt8(ascii: ":"))
        guard fields.count >= 3, fields.suffix(2).allSatisfy({ $0.allSatisfy(\.isASCIIDigit) }) else { return nil }
        let message = line[separator.upperBound...].text
        return "UndefinedBehaviorSanitizer: \(message) at \(location.lastPathComponent.text)"
    }

    private static func report(in head: PayloadHead) -> String? {
        guard head.hasPrefix("==") else { return nil }
        var lines = head.lines
        // A ruler may come first; the title is the line after it.
        guard let first = lines.next() else { return nil }
        let isRuler = first.allSatisfy { $0 == UInt8(ascii: "=") }
        guard let title = isRuler ? lines.next() : first, let name = title.range(of: "Sanitizer: "),
            let level = title.range(of: "ERROR: ") ?? title.range(of: "WARNING: "),
            level.upperBound < name.lowerBound
        else { return nil }
        let tool = title[level.upperBound..<name.upperBound].text
        let description = title[name.upperBound...]
        let fault = (description.before(" on ") ?? description.before(" (pid=") ?? description).text
        let process = self.process(before: title[..<level.lowerBound], description: description)
        return process + tool + fault + self.place(in: lines)
    }

    /// `==PID==`, or with `log_exe_name` `==EXE==PID==`; the thread sanitizer names its process at the end of the
    /// title.
    private static func process(before level: ArraySlice<UInt8>, description: ArraySlice<UInt8>) -> String {
        let fields = level.split(separator: UInt8(ascii: "="))
        guard let number = fields.last?.text ?? description.after("(pid=")?.leadingDigits?.text else { return "" }
        return "\(fields.count > 1 ? fields[0].text : "")[\(number)] "
    }

    /// The first frame that is the program's own: `#N 0xADDRESS in FUNCTION PATH:LINE`.
    private static func place(in lines: PayloadLines) -> String {
        for line in lines {
            let line = line.trimmed
            guard line.first == UInt8(ascii: "#") else { continue }
            guard let rest = line.after(" in ") ?? line.after(" "), !rest.starts(with: "__interceptor_".utf8) else {
                continue
            }
            guard let separator = rest.lastIndex(of: UInt8(ascii: " ")) else { return " in \(rest.text)" }
            let function = " in \(rest[..<separator].text)"
            let location = rest[(separator + 1)...]
            // Without debug information there is the image and an offset instead, in brackets.
            return location.first == UInt8(ascii: "(") ? function : "\(function) at \(location.lastPathComponent.text)"
        }
        return ""
    }
}
