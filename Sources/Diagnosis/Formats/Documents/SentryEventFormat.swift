/// An event as the libraries of Sentry send it, with the exceptions in it.
///
/// ```
/// { "event_id": "9ec7…", "platform": "python", "level": "error", "timestamp": "2026-11-22T11:13:03Z",
///   "exception": { "values": [ { "type": "KeyError", "value": "'SKU-1'", "stacktrace": { "frames": […] } } ] } }
/// ```
/// The last exception is the one that was thrown last; its frames are the outermost first. On the way to Sentry, and in
/// the files of programs that crashed, the event lies in an envelope: a line with `event_id`, and for each item a line
/// with `type` and one with the item. Source: "Event Payloads" and "Envelopes" in Sentry's documentation for developers.
enum SentryEventFormat: DocumentFormat {
    static let marks = ["event_id"]

    static func read(_ document: JSONDocument) -> Diagnosis? {
        guard document.root["event_id"]?.stringValue != nil else { return nil }
        if let finding = self.finding(in: document.root) {
            return document.diagnosis(
                format: "sentry-event", kind: finding.kind, summary: finding.summary, crash: finding.crash)
        }
        guard document.isComplete, let finding = self.event(in: document.rest).flatMap(self.finding) else { return nil }
        return Diagnosis(
            format: "sentry-envelope", contentType: "application/x-sentry-envelope", kind: finding.kind,
            summary: finding.summary, crash: finding.crash)
    }

    /// The event in an envelope: behind the line that announces it.
    private static func event(in items: ArraySlice<UInt8>) -> JSONObject? {
        var isEvent = false
        for line in TextLines(items).lazy.prefix(64) where !line.trimmed.isEmpty {
            guard line.first == UInt8(ascii: "{"), let object = JSONValue.parsePrefix(line).value?.objectValue else {
                continue
            }
            if isEvent { return object }
            isEvent = object.text("type") == "event" && object["exception"] == nil
        }
        return nil
    }

    private static func finding(in event: JSONObject) -> (kind: Diagnosis.Kind, summary: String, crash: Crash)? {
        guard
            let values = (event["exception"]?["values"] ?? event["exception"])?.arrayValue,
            let last = values.last(where: { $0["type"]?.stringValue != nil })
        else { return nil }
        let mechanism = last["mechanism"]
        var crash = Crash(
            program: event["contexts"]?["app"]?["app_name"]?.stringValue?.nonEmpty, cause: self.cause(of: last))
        crash.version = event.text("release")
        crash.earlierCauses = values.dropLast().suffix(Crash.Bounds.earlierCauseCount).reversed().map(self.cause)
        let frames = Array((last["stacktrace"]?["frames"]?.arrayValue ?? []).reversed()).keptFrames(self.frame)
        crash.threads = [Crash.Thread(isCrashed: true, frames: frames)]
        let system = event["contexts"]?["os"]
        crash.system = Crash.System(
            name: system?["name"]?.stringValue?.nonEmpty, version: system?["version"]?.stringValue?.nonEmpty,
            architecture: event["contexts"]?["device"]?["arch"]?.stringValue?.nonEmpty)
        crash.runtime = (event["contexts"]?["runtime"]?["name"]?.stringValue?.nonEmpty).map {
            Crash.Runtime(name: $0, version: event["contexts"]?["runtime"]?["version"]?.stringValue)
        }
        crash.occurredAt = self.time(event["timestamp"])
        let isFatal = event.text("level") == "fatal" || mechanism?["handled"]?.boolValue == false
        return (isFatal ? .crash : .diagnostic, crash.summary(subject: event.text("platform")), crash)
    }

    private static func cause(of exception: JSONValue) -> Crash.Cause {
        Crash.Cause(
            type: exception["type"]?.stringValue?.nonEmpty ?? "exception",
            message: exception["value"]?.stringValue?.nonEmpty,
            signal: exception["mechanism"]?["meta"]?["signal"]?["name"]?.stringValue?.nonEmpty)
    }

    private static func frame(_ frame: JSONValue) -> Crash.Frame {
        Crash.Frame(
            function: frame["function"]?.stringValue?.nonEmpty,
            file: frame["abs_path"]?.stringValue?.nonEmpty ?? frame["filename"]?.stringValue?.nonEmpty,
            line: frame["lineno"]?.integerValue, column: frame["colno"]?.integerValue,
            module: frame["module"]?.stringValue?.nonEmpty ?? frame["package"]?.stringValue?.nonEmpty,
            address: frame["instruction_addr"]?.address, isOwn: frame["in_app"]?.boolValue == true)
    }

    private static func time(_ value: JSONValue?) -> Int64? {
        switch value {
        case .string(let text): ZonedTime.milliseconds(in: text)
        case .integer(let seconds) where (1..<100_000_000_000).contains(seconds): seconds * 1_000
        case .double(let seconds) where (1..<100_000_000_000).contains(seconds): Int64(seconds * 1_000)
        default: nil
        }
    }
}
