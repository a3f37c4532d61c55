/// A diagnostic report of Node.js: of an exception that nobody caught, of an end for want of memory, or one that
/// somebody asked for.
///
/// ```
/// { "header": { "event": "Exception", "trigger": "Exception", "processId": 2924, "nodejsVersion": "v20.20.2", … },
///   "javascriptStack": { "message": "TypeError: …", "stack": [ "at f (/srv/app.js:2:51)" ] }, "nativeStack": […] }
/// ```
/// Source: `src/node_report.cc`, and "Diagnostic report" in the documentation of Node.js.
enum NodeReportFormat: DocumentFormat {
    static let marks = ["header"]

    static func read(_ document: JSONDocument) -> Diagnosis? {
        guard let header = document["header"]?.objectValue, let version = header.text("nodejsVersion") else {
            return nil
        }
        let report = NodeReport(document, header: header)
        let crash = report.crash(version: version)
        let process = crash.process.map { "[\($0)]" } ?? ""
        let words = Words.join(
            "node\(process) \(version)", header.text("trigger") ?? header.text("event"), report.sentence,
            separator: ": ")
        return document.diagnosis(
            format: "node-report", kind: report.isOfCrash ? .crash : .diagnostic,
            summary: Words.join(words, report.place, separator: " "), crash: crash)
    }
}

/// What a report of Node.js says.
private struct NodeReport {
    private let document: JSONDocument
    private let header: JSONObject
    /// The lines `at …` of the JavaScript stack.
    private let stack: [String]
    /// The error of the stack, as `NAME: MESSAGE`.
    private let error: String?

    init(_ document: JSONDocument, header: JSONObject) {
        self.document = document
        self.header = header
        let stack = document["javascriptStack"]?.objectValue
        let lines = (stack?["stack"]?.arrayValue ?? []).compactMap { $0.stringValue }
        self.stack = lines.filter { $0.hasPrefix("at ") }
        // The message of several lines goes on among the frames.
        let message = [stack?.text("message")].compactMap { $0 } + lines.prefix { !$0.hasPrefix("at ") }
        let isMissing = message.allSatisfy { text in Self.placeholders.contains { text.hasSuffix($0) } }
        self.error = isMissing ? nil : message.joined(separator: "\n")
    }

    /// What stands in place of a message where there is no error. The last one is that of a report without an error.
    private static let placeholders = ["No stack.", "Unavailable.", "Error [ERR_SYNTHETIC]: JavaScript Callstack"]

    /// Signals and calls of the program are requests; the process went on.
    var isOfCrash: Bool {
        ["Exception", "FatalError", "OOMError", "UncaughtException"].contains(self.header.text("trigger") ?? "")
    }

    /// The error, or the event where that says more than the trigger.
    var sentence: String? {
        if let error = self.error { return error.split(whereSeparator: \.isNewline).first.map(String.init) }
        let event = self.header.text("event")
        return event == self.header.text("trigger") ? nil : event
    }

    /// The first line of the stack that is the program's own.
    var place: String? {
        self.stack.first { JavaScriptFrame.frame($0)?.isOwn == true } ?? self.stack.first
    }

    func crash(version: String) -> Crash {
        var crash = Crash(program: "node", process: self.header["processId"]?.integerValue, cause: self.cause)
        crash.earlierCauses = self.property("cause").map { [Self.cause(of: $0)] } ?? []
        crash.threads = self.threads
        let objects = self.document["sharedObjects"]?.arrayValue ?? []
        crash.images = objects.prefix(Crash.Bounds.imageCount).compactMap {
            $0.stringValue?.nonEmpty.map { Crash.Image(path: $0) }
        }
        crash.system = Crash.System(
            name: self.header.text("osName") ?? self.header.text("platform"), version: self.header.text("osRelease"),
            architecture: self.header.text("osMachine") ?? self.header.text("arch"))
        crash.runtime = Crash.Runtime(name: "Node.js", version: version)
        crash.occurredAt =
            self.header["dumpEventTimeStamp"]?.fieldText.flatMap { Int64($0) }
            ?? self.header.text("dumpEventTime").flatMap(ZonedTime.milliseconds)
        return crash
    }

    private var cause: Crash.Cause {
        let trigger = self.header.text("trigger") ?? "report"
        guard self.isOfCrash, let error = self.error else {
            return Crash.Cause(type: trigger, message: self.sentence)
        }
        guard trigger == "Exception" || trigger == "UncaughtException" else {
            return Crash.Cause(type: trigger, message: self.header.text("event") ?? error)
        }
        var cause = Self.cause(of: error)
        if cause.code == nil { cause.code = self.property("code") }
        return cause
    }

    /// A property that the program gave to the error.
    private func property(_ name: String) -> String? {
        self.document["javascriptStack"]?["errorProperties"]?[name]?.fieldText
    }

    /// `TypeError: MESSAGE`, also with a code: `TypeError [ERR_INVALID_ARG_TYPE]: MESSAGE`.
    private static func cause(of error: String) -> Crash.Cause {
        let text = Array(error.utf8)[...]
        guard let colon = text.range(of: ": ") else {
            let isName = text.allSatisfy { $0.isLetter || $0.isDigit || $0 == UInt8(ascii: "_") }
            return isName ? Crash.Cause(type: error) : Crash.Cause(type: "Exception", message: error)
        }
        var name = text[..<colon.lowerBound]
        let code = name.between(" [", "]")?.text
        if code != nil { name = name.before(" [") ?? name }
        guard name.allSatisfy({ $0.isLetter || $0.isDigit || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: ".") })
        else {
            return Crash.Cause(type: "Exception", message: error)
        }
        let message = String(decoding: text[colon.upperBound...], as: UTF8.self)
        return Crash.Cause(type: name.text, message: message, code: code)
    }

    /// The JavaScript stack, and that of the engine below it.
    private var threads: [Crash.Thread] {
        let calls = self.stack.keptFrames(JavaScriptFrame.frame)
        let native = (self.document["nativeStack"]?.arrayValue ?? []).keptFrames(Self.nativeFrame)
        let number = self.header["threadId"]?.integerValue
        var threads: [Crash.Thread] = []
        if !calls.isEmpty {
            threads.append(Crash.Thread(number: number, isCrashed: self.isOfCrash, frames: calls))
        }
        if !native.isEmpty {
            let isCrashed = self.isOfCrash && calls.isEmpty
            threads.append(Crash.Thread(name: "native", number: number, isCrashed: isCrashed, frames: native))
        }
        return threads
    }

    /// `{"pc": "0x0000000000d5c4fa", "symbol": "FUNCTION [FILE]"}`; an add-on is a file of its own.
    private static func nativeFrame(_ frame: JSONValue) -> Crash.Frame? {
        let symbol = Array((frame["symbol"]?.stringValue ?? "").utf8)[...]
        let open = symbol.lastRange(of: "[")
        let function = (open.map { symbol[..<$0.lowerBound] } ?? symbol).trimmed
        let module = open.flatMap { symbol[$0.upperBound...].droppingSuffix("]") }?.text.nonEmpty
        let isAddOn = module.map { $0.hasSuffix(".node") && !Array($0.utf8)[...].contains("node_modules") } ?? false
        return Crash.Frame(
            function: function.starts(with: "0x".utf8) ? nil : function.text.nonEmpty, module: module,
            address: frame["pc"]?.address, isOwn: isAddOn)
    }
}
