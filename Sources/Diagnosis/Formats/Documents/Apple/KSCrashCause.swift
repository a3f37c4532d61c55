/// Why a process ended, as the `error` of a KSCrash report tells it: by its `type`, with the details of that type in a
/// member of their own.
struct KSCrashCause {
    let cause: Crash.Cause
    let kind: Diagnosis.Kind

    private let error: JSONObject

    init(_ error: JSONObject, diagnosis: String?) {
        self.error = error
        let mach = error.object("mach")
        let signal = error.object("signal")
        let type = error.text("type") ?? ""
        let message = error.text("reason") ?? Self.memory(error) ?? error.text("termination_reason") ?? diagnosis
        let exit = error.object("exit_reason")?["code"]?.address.map { "0x\(String($0, radix: 16))" }
        let code = mach?.text("code_name") ?? signal?.text("code_name") ?? exit
        var cause = Crash.Cause(type: type, message: message, signal: signal?.text("name"), code: code)
        switch type {
        case "nsexception": cause.type = error.object("nsexception")?.text("name") ?? type
        case "cpp_exception": cause.type = error.object("cpp_exception")?.text("name") ?? type
        case "user": cause.type = error.object("user_reported")?.text("name") ?? type
        case "signal": cause.type = signal?.text("name") ?? type
        case "deadlock", "hang": cause.message = message ?? "the main thread does not answer"
        case "memory_termination": cause.type = "killed for memory"
        // The program finds at its next start that the system had ended it.
        case "termination", "resource_termination": cause.type = "killed by the system"
        default: cause.type = mach?.text("exception_name") ?? signal?.text("name") ?? type.nonEmpty ?? "crash"
        }
        // For other causes the address is that of the instruction, or nothing.
        let isOfAccess = ["EXC_BAD_ACCESS", "SIGSEGV", "SIGBUS"].contains(cause.type)
        cause.address = isOfAccess ? error["address"]?.address : nil
        self.cause = cause
        // Newer reports tell whether the program has ended.
        let isOver = error["is_fatal"]?.boolValue ?? true
        self.kind = ["deadlock", "hang"].contains(type) ? .hang : isOver ? .crash : .diagnostic
    }

    private static func memory(_ error: JSONObject) -> String? {
        guard let memory = error.object("memory_termination") else { return nil }
        return Words.join(
            memory.text("memory_pressure").map { "pressure \($0)" }, memory.text("memory_level").map { "level \($0)" },
            separator: ", "
        ).nonEmpty
    }

    /// The stack that a program passed along when it reported an error itself, in a language of its own; one text a
    /// frame.
    var reportedStack: Crash.Thread? {
        guard let lines = self.error.object("user_reported")?["backtrace"]?.arrayValue, !lines.isEmpty else {
            return nil
        }
        let frames = lines.keptFrames { line in
            line.stringValue?.nonEmpty.map(Self.reportedFrame)
        }
        return frames.isEmpty ? nil : Crash.Thread(name: "reported", isCrashed: true, frames: frames)
    }

    /// An app has its scripts in one file without a directory, and no modules of Node.js.
    private static func reportedFrame(_ line: String) -> Crash.Frame {
        guard var frame = JavaScriptFrame.frame(line) else { return Crash.Frame(function: line, isOwn: true) }
        frame.isOwn = frame.file.map { !$0.contains("node_modules") } ?? frame.isOwn
        return frame
    }
}

/// The threads of a KSCrash report and their frames.
struct KSCrashFrames {
    private let table: ImageTable
    private let paths: [String: String]
    private let code: AppleCode

    init(images: [Crash.Image], program: String?) {
        self.table = ImageTable(images)
        self.paths = Dictionary(
            images.map { ($0.path.lastPathComponent, $0.path) }, uniquingKeysWith: { first, _ in first })
        self.code = AppleCode(program: program)
    }

    /// - Parameters:
    ///   - threads: the list of the report.
    ///   - crashed: the thread that short reports have in place of the list, or its number.
    /// - Returns: the threads with their frames, one of them at most as the one that crashed.
    func threads(_ threads: [JSONValue], crashed: JSONValue?) -> [Crash.Thread] {
        let all = threads.isEmpty ? (crashed.map { [$0] } ?? []) : threads
        var hasCrashed = false
        let isMarked = { (_: Int, thread: JSONValue) in thread["crashed"]?.boolValue == true || threads.isEmpty }
        return all.keptThreads(isMarked: isMarked).compactMap { index, thread in
            guard thread.objectValue != nil else { return nil }
            let number = thread["index"]?.integerValue
            let isCrashed = isMarked(index, thread) && !hasCrashed
            hasCrashed = hasCrashed || isCrashed
            let frames = (thread["backtrace"]?["contents"]?.arrayValue ?? []).keptFrames(self.frame)
            let name = thread["name"]?.stringValue?.nonEmpty ?? thread["dispatch_queue"]?.stringValue?.nonEmpty
            var result = Crash.Thread(name: name, number: number, isCrashed: isCrashed, frames: frames)
            if isCrashed { result.registers = RegisterValues.read(thread["registers"]?["basic"]) }
            return result
        }
    }

    private func frame(_ frame: JSONValue) -> Crash.Frame {
        let address = frame["instruction_addr"]?.address
        let image = address.flatMap(self.table.image)
        let function = frame["symbol_name"]?.stringValue?.nonEmpty
        let name = frame["object_name"]?.stringValue?.nonEmpty
        let module = image?.path ?? name.map { self.paths[$0.lastPathComponent] ?? $0 }
        var result = Crash.Frame(
            function: function == "<redacted>" ? nil : function, module: module, address: address,
            moduleOffset: image?.baseAddress.flatMap { base in address.map { $0 - base } },
            isOwn: self.code.isOwn(path: module, function: function))
        result.symbolAddress = result.function == nil ? nil : frame["symbol_addr"]?.address
        let base = frame["object_addr"]?.address
        if result.moduleOffset == nil, let address, let base, base <= address, base > 0 {
            result.moduleOffset = address - base
        }
        return result
    }
}
