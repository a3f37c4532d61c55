import Diagnosis

@testable import Reports

/// What Sentry-compatible servers cut or drop in an event, as a list of faults.
///
/// It knows the members that a server with a strict schema admits, the lengths at which Sentry cuts, and the characters
/// for which it drops a whole value. It was made from Relay's answers and from Bugsink's schema.
struct SentryEventShape {
    private(set) var faults: [String] = []

    static func faults(in event: SentryEvent) -> [String] {
        var shape = SentryEventShape()
        shape.check(event)
        return shape.faults
    }

    private static let platforms: Set<String> = [
        "as3", "c", "cfml", "cocoa", "csharp", "elixir", "go", "groovy", "haskell", "java", "javascript", "native",
        "node", "objc", "other", "perl", "php", "python", "ruby",
    ]
    private static let members: Set<String> = [
        "event_id", "timestamp", "platform", "level", "logentry", "sdk", "server_name", "release", "environment",
        "dist", "transaction", "user", "tags", "extra", "contexts", "exception", "threads", "debug_meta", "fingerprint",
    ]
    private static let frameMembers: Set<String> = [
        "abs_path", "colno", "context_line", "filename", "function", "image_addr", "in_app", "instruction_addr",
        "lineno", "module", "package", "platform", "symbol", "symbol_addr",
    ]
    private static let lengths: [(path: [String], limit: Int)] = [
        (["logentry", "formatted"], 8_192), (["server_name"], 200), (["release"], 200), (["environment"], 64),
        (["dist"], 64), (["transaction"], 200), (["user", "id"], 128), (["user", "email"], 75),
        (["user", "username"], 128),
    ]

    private mutating func check(_ event: SentryEvent) {
        let json = event.json
        let bytes = json.utf8Bytes
        if bytes.count > 256 << 10 { faults.append("\(bytes.count) bytes") }
        if (try? JSONValue.parse(bytes)) == nil { faults.append("no JSON") }
        let members = json.objectValue?.members ?? []
        for member in members where !Self.members.contains(member.key) { faults.append("member \(member.key)") }
        if !Self.platforms.contains(json["platform"]?.stringValue ?? "") { faults.append("platform") }
        if !["fatal", "error", "warning", "info"].contains(json["level"]?.stringValue) { faults.append("level") }
        if event.id.utf8.count != 32 || json["event_id"]?.stringValue != event.id { faults.append("event_id") }
        if json["logentry"]?["formatted"]?.stringValue?.isEmpty != false { faults.append("no message") }
        for (path, limit) in Self.lengths { checkLength(path.reduce(json) { $0?[$1] }, limit, path.joined()) }
        for key in ["release", "environment", "dist", "transaction", "server_name"] { checkWord(json[key], key) }
        checkTags(json["tags"])
        checkExceptions(json["exception"]?["values"]?.arrayValue ?? [])
        for thread in json["threads"]?["values"]?.arrayValue ?? [] { checkStack(thread["stacktrace"]) }
        checkTexts(json)
    }

    private mutating func checkLength(_ value: JSONValue?, _ limit: Int, _ name: String) {
        if (value?.stringValue?.unicodeScalars.count ?? 0) > limit { faults.append("\(name) is too long") }
    }

    private mutating func checkWord(_ value: JSONValue?, _ name: String) {
        guard let text = value?.stringValue else { return }
        let refused = name == "release" ? "\n\t/\\" : name == "transaction" || name == "server_name" ? "\n" : "\n/"
        if text.contains(where: { refused.contains($0) }) { faults.append("\(name) has a refused character") }
        if [".", "..", "none", "latest", ""].contains(text.lowercased()) { faults.append("\(name) is reserved") }
    }

    private mutating func checkTags(_ tags: JSONValue?) {
        for tag in tags?.objectValue?.members ?? [] {
            let value = tag.value.stringValue ?? ""
            if tag.key.utf8.count > 32 || value.isEmpty || value.unicodeScalars.count > 200 || value.contains("\n") {
                faults.append("tag \(tag.key)")
            }
        }
    }

    private mutating func checkExceptions(_ exceptions: [JSONValue]) {
        for exception in exceptions {
            checkLength(exception["type"], 256, "exception type")
            checkLength(exception["value"], 8_192, "exception value")
            checkLength(exception["module"], 256, "exception module")
            checkLength(exception["mechanism"]?["type"], 128, "mechanism")
            if exception["type"]?.stringValue?.isEmpty != false { faults.append("exception without a type") }
            checkStack(exception["stacktrace"])
        }
    }

    private mutating func checkStack(_ stack: JSONValue?) {
        guard let stack else { return }
        let frames = stack["frames"]?.arrayValue ?? []
        if frames.isEmpty || frames.count > 250 { faults.append("\(frames.count) frames") }
        for frame in frames {
            for member in frame.objectValue?.members ?? [] where !Self.frameMembers.contains(member.key) {
                faults.append("frame's \(member.key)")
            }
            for key in ["function", "symbol"] { checkLength(frame[key], 512, key) }
            for key in ["lineno", "colno"] where (frame[key]?.integerValue ?? 1) < 1 { faults.append(key) }
            for key in ["instruction_addr", "symbol_addr", "image_addr"] {
                if let address = frame[key]?.stringValue, !address.hasPrefix("0x") { faults.append(key) }
            }
        }
    }

    /// No text may have control characters, and only some may have more than one line.
    private mutating func checkTexts(_ value: JSONValue) {
        switch value {
        case .string(let text):
            let isClean = text.unicodeScalars.allSatisfy {
                $0 == "\n" || $0 == "\t" || $0.value >= 0x20 && !(0x7f...0x9f).contains($0.value)
            }
            if !isClean { faults.append("control characters in \(text.debugDescription.prefix(80))") }
        case .array(let list): for element in list { checkTexts(element) }
        case .object(let object): for member in object.members { checkTexts(member.value) }
        default: break
        }
    }
}
