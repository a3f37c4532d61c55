/// A crash file of Ubuntu's apport: fields as in a mail header, whose further lines are indented; some are huge.
///
/// ```
/// ProblemType: Crash
/// Architecture: amd64
/// DistroRelease: Ubuntu 24.04
/// ExecutablePath: /usr/bin/shopd
/// Signal: 11
/// StacktraceTop:
///  till_open (till=0x0) at till.c:12
///  __libc_start_main () from /lib/x86_64-linux-gnu/libc.so.6
/// ```
/// Source: apport's `problem_report.py` and `apport/report.py`.
enum ApportFormat: TextFormat {
    static let marks: [LineMark] = [.beginning("ProblemType: ")]

    private static let names: Set<String> = [
        "ProblemType", "ExecutablePath", "Package", "Architecture", "DistroRelease", "Uname", "Signal", "SignalName",
        "Title",
        "SegvReason", "ProcStatus",
    ]

    static func read(_ text: CapturedText, at places: [Int]) -> TextFinding? {
        guard let place = places.first, place < 16 else { return nil }
        let lines = text.lines[place...]
        let fields = lines.lazy.filter { $0.first?.isBlank == false }.fields(self.names)
        guard let problem = fields["ProblemType"], fields["ExecutablePath"] ?? fields["Package"] != nil else {
            return nil
        }
        let kind: Diagnosis.Kind =
            switch problem {
            case "Crash", "KernelCrash", "KernelOops": .crash
            case "Hang", "KernelHang": .hang
            default: .diagnostic
            }
        var crash = Crash(
            program: fields["ExecutablePath"]?.lastPathComponent ?? fields["Package"],
            cause: self.cause(problem, fields))
        crash.version = fields["Package"]?.split(separator: " ").dropFirst().first.map(String.init)
        crash.system = self.system(fields)
        crash.process = self.block("ProcStatus", in: lines).fields(["Pid"])["Pid"].flatMap { Int64($0) }
        self.addStack(from: lines, to: &crash)
        return TextFinding(
            diagnosis: Diagnosis(
                format: "apport", contentType: ContentType.text, kind: kind, summary: crash.summary(), crash: crash),
            severity: kind == .crash ? .fatal : .finding, line: place)
    }

    private static func cause(_ problem: String, _ fields: [String: String]) -> Crash.Cause {
        let number = fields["Signal"].flatMap { Int($0) }
        let signal = fields["SignalName"] ?? number.map(SignalName.linux)
        return Crash.Cause(
            type: signal ?? problem, message: fields["SegvReason"] ?? (signal == nil ? fields["Title"] : nil),
            signal: signal)
    }

    private static func system(_ fields: [String: String]) -> Crash.System {
        let architecture = fields["Architecture"].map { $0 == "amd64" ? "x86_64" : $0 }
        return Crash.System(name: "Linux", version: fields["DistroRelease"], architecture: architecture)
    }

    /// The stack that apport has made with gdb, or the traceback that a Python program has left there.
    private static func addStack(from lines: ArraySlice<ArraySlice<UInt8>>, to crash: inout Crash) {
        let traceback = self.block("Traceback", in: lines)
        // A traceback has no such file within it, so this goes one level deep and no deeper.
        let isPlain = !traceback.isEmpty && !traceback.contains { $0.starts(with: "ProblemType: ".utf8) }
        if isPlain, let found = TextFormats.read([CapturedText(lines: traceback)])?.diagnosis.crash {
            crash.cause = found.cause
            crash.earlierCauses = found.earlierCauses
            crash.threads = found.threads
            crash.runtime = found.runtime
            return
        }
        let frames = self.block("StacktraceTop", in: lines).compactMap(self.frame)
        if !frames.isEmpty { crash.threads = [Crash.Thread(isCrashed: true, frames: frames)] }
    }

    /// The indented lines of a field, without the blank that indents them.
    private static func block(_ name: String, in lines: ArraySlice<ArraySlice<UInt8>>) -> [ArraySlice<UInt8>] {
        guard
            let title = lines.firstIndex(where: {
                $0.starts(with: name.utf8) && $0.dropFirst(name.utf8.count).first == 0x3a
            })
        else { return [] }
        return lines[(title + 1)...].prefix(4_096).prefix { $0.first == 0x20 }.map { $0.dropFirst() }
    }

    /// `FUNCTION (ARGUMENTS) at FILE:LINE`, or `… from LIBRARY`.
    private static func frame(_ line: ArraySlice<UInt8>) -> Crash.Frame? {
        guard let open = line.range(of: " (") else { return nil }
        let function = line[..<open.lowerBound].elementsEqual("??".utf8) ? nil : line[..<open.lowerBound].text.nonEmpty
        let place = line.lastRange(of: ") at ").flatMap { SourceLocation(line[$0.upperBound...]) }
        let module = line.lastRange(of: ") from ").map { line[$0.upperBound...].trimmed.text }
        return Crash.Frame(
            function: function, file: place?.file, line: place?.line, module: module,
            isOwn: NativeOwnership.isOwn(function: function, file: place?.file, module: module))
    }
}
