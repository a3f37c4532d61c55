/// A crash report in JSON of .NET's `createdump`.
///
/// ```
/// { "payload" : { "protocol_version" : "1.0.0", "configuration" : { "architecture" : "amd64", "version" : "8.0.8 …" },
///   "process_name" : "Shop", "threads" : [ { "crashed" : "true", "managed_exception_type" : "System.Exception",
///     "stack_frames" : [ { "is_managed" : "true", "method_name" : "Shop.Main()", "filename" : "Shop.dll" } ] } ] } }
/// ```
/// Source: `src/coreclr/debug/createdump/crashreportwriter.cpp`.
enum DotNetCrashReportFormat: DocumentFormat {
    static let marks = ["payload"]

    static func read(_ document: JSONDocument) -> Diagnosis? {
        guard let payload = document.root.object("payload"), payload["protocol_version"] != nil,
            let list = payload["threads"]?.arrayValue
        else { return nil }
        let crashed = list.first { self.isTrue($0["crashed"]) }
        let signal = self.signal(in: document)
        let type = crashed?["managed_exception_type"]?.stringValue?.nonEmpty
        let code = crashed?["managed_exception_hresult"]?.stringValue?.nonEmpty
        var crash = Crash(
            program: payload.text("process_name"),
            cause: Crash.Cause(
                type: type ?? signal ?? (crashed == nil ? "requested dump" : "crash"), signal: signal, code: code))
        var hasCrashed = false
        crash.threads = list.keptThreads(isMarked: { self.isTrue($1["crashed"]) }).map { _, thread in
            let isCrashed = self.isTrue(thread["crashed"]) && !hasCrashed
            hasCrashed = hasCrashed || isCrashed
            let frames = thread["stack_frames"]?.arrayValue ?? thread["unmanaged_frames"]?.arrayValue ?? []
            return Crash.Thread(
                number: thread["native_thread_id"]?.address.flatMap { Int64(exactly: $0) }, isCrashed: isCrashed,
                frames: frames.keptFrames(self.frame))
        }
        let configuration = payload.object("configuration")
        crash.system.architecture = configuration?.text("architecture")
        crash.system.version = document.root.object("parameters")?.text("OSVersion")
        crash.runtime = Crash.Runtime(
            name: ".NET", version: configuration?.text("version")?.split(separator: " ").first.map(String.init))
        // A dump that somebody asked for has no thread that crashed.
        return document.diagnosis(
            format: "dotnet-crashreport", kind: crashed == nil ? .diagnostic : .crash,
            summary: crash.summary(subject: "dotnet"), crash: crash)
    }

    /// Truth values are texts here.
    private static func isTrue(_ value: JSONValue?) -> Bool {
        value?.stringValue == "true" || value?.boolValue == true
    }

    /// The signal behind the number of the fault; there is one on Apple's systems only.
    private static func signal(in document: JSONDocument) -> String? {
        switch document.root.object("parameters")?.text("ExceptionType") {
        case "0x50000000": "SIGILL"
        case "0x70000000": "SIGFPE"
        case "0x60000000": "SIGBUS"
        case "0x03000000": "SIGTRAP"
        case "0x20000000": "SIGSEGV"
        case "0x02000000": "SIGTERM"
        case "0x30000000": "SIGABRT"
        default: nil
        }
    }

    private static func frame(_ frame: JSONValue) -> Crash.Frame {
        let isManaged = self.isTrue(frame["is_managed"])
        let name = (frame["method_name"] ?? frame["unmanaged_name"])?.stringValue?.nonEmpty
        let module = (frame["filename"] ?? frame["native_module"])?.stringValue?.nonEmpty
        let address = frame["native_address"]?.address
        let base = frame["module_address"]?.address
        var result = Crash.Frame(
            function: name.map { Array($0.utf8)[...].before("(")?.trimmed.text ?? $0 }, module: module,
            address: address, isOwn: isManaged && !self.isOfRuntime(module ?? "", function: name ?? ""))
        if let address, let base, base > 0, base <= address { result.moduleOffset = address - base }
        return result
    }

    private static func isOfRuntime(_ module: String, function: String) -> Bool {
        let prefixes = ["System.", "Microsoft.", "Interop", "Internal."]
        return prefixes.contains { module.hasPrefix($0) || function.hasPrefix($0) }
    }
}
