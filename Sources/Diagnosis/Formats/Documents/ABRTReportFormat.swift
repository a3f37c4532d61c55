/// A report of ABRT, the crash handler of Fedora and its relatives: a µReport, or the stack of one in `core_backtrace`.
///
/// ```
/// { "ureport_version": 2, "reason": "till killed by SIGSEGV", "os": { "name": "fedora", "version": "42", … },
///   "problem": { "type": "core", "signal": 11, "executable": "/usr/bin/till", "stacktrace": [ { "crash_thread": true,
///     "frames": [ { "address": 93824992235881, "build_id": "bf9b…", "function_name": "drawer_kick" } ] } ] } }
/// ```
/// Source: `lib/report.c`, `lib/core_stacktrace.c` of satyr.
enum ABRTReportFormat: DocumentFormat {
    static let marks = ["ureport_version", "stacktrace"]

    static func read(_ document: JSONDocument) -> Diagnosis? {
        let isReport = document.root["ureport_version"]?.integerValue != nil
        let problem = isReport ? document.root.object("problem") : document.root
        guard let problem, let stack = problem["stacktrace"]?.arrayValue,
            isReport || problem["signal"]?.integerValue != nil && problem["executable"]?.stringValue != nil
        else { return nil }
        let path = problem.text("executable")
        var crash = Crash(
            program: path?.lastPathComponent ?? problem.text("component"),
            cause: self.cause(of: problem, reason: document.root.text("reason")))
        // Interpreters have one stack, whose frames stand in the list themselves.
        let only = JSONObject([JSONObject.Member(key: "frames", value: .array(stack))])
        let threads = stack.contains { $0["frames"] != nil } ? stack : [.object(only)]
        let marked = threads.firstIndex { $0["crash_thread"]?.boolValue == true } ?? 0
        crash.threads = threads.keptThreads(isMarked: { index, _ in index == marked }).map { index, thread in
            Crash.Thread(
                name: thread["name"]?.stringValue?.nonEmpty, isCrashed: index == marked,
                frames: (thread["frames"]?.arrayValue ?? []).keptFrames { self.frame($0, executable: path) })
        }
        crash.images = self.images(in: threads)
        let system = document.root.object("os")
        crash.system = Crash.System(
            name: system?.text("name"), version: system?.text("version"), architecture: system?.text("architecture"))
        let isOops = problem.text("type") == "kerneloops"
        // After a warning the kernel goes on.
        let isWarning = isOops && document.root.text("reason")?.hasPrefix("WARNING") == true
        return document.diagnosis(
            format: "abrt-report", kind: isWarning ? .diagnostic : .crash,
            summary: crash.summary(subject: isOops ? "kernel" : nil), crash: crash)
    }

    private static func cause(of problem: JSONObject, reason: String?) -> Crash.Cause {
        let signal = problem["signal"]?.integerValue.map { SignalName.linux(Int(clamping: $0)) }
        let exception = problem.text("exception_name")
        return Crash.Cause(
            type: exception ?? signal ?? problem.text("type") ?? "crash", message: signal == nil ? reason : nil,
            signal: signal)
    }

    private static func frame(_ frame: JSONValue, executable: String?) -> Crash.Frame {
        let module = frame["file_name"]?.stringValue?.nonEmpty
        let line = frame["file_line"]?.integerValue
        let isProgram = module != nil && module == executable
        let isOfSystem = ["/usr/", "/lib/", "/lib64/", "[", "<frozen"].contains { (module ?? "/usr/").hasPrefix($0) }
        return Crash.Frame(
            function: frame["function_name"]?.stringValue?.nonEmpty, file: line == nil ? nil : module, line: line,
            module: line == nil ? module : nil, address: frame["address"]?.address,
            moduleOffset: frame["build_id_offset"]?.address, isOwn: isProgram || !isOfSystem)
    }

    /// The files with a build id, each once.
    private static func images(in threads: [JSONValue]) -> [Crash.Image] {
        var seen: Set<String> = []
        return threads.lazy.flatMap { $0["frames"]?.arrayValue ?? [] }.compactMap { frame in
            guard let id = frame["build_id"]?.stringValue?.nonEmpty, seen.insert(id).inserted else { return nil }
            return Crash.Image(path: frame["file_name"]?.stringValue ?? "", buildID: id.lowercased())
        }
    }
}
