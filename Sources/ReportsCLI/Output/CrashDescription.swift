import Diagnosis
import DurableIO
import Reports

/// A crash for people and scripts: what died, of what, and where.
///
/// Texts are as the payload has them. The caller makes the lines fit for a terminal before it prints them.
enum CrashDescription {
    /// How many frames of the crashed thread are shown.
    private static let frameCount = 20
    /// How many lines of a message are shown.
    private static let messageLineCount = 10

    // MARK: - For people

    static func lines(_ crash: Crash) -> [String] {
        var lines: [String] = []
        if let program = program(of: crash) { lines.append("program:    \(program)") }
        lines.append("cause:      \(sentence(crash.cause))")
        let message = (crash.cause.message ?? "").split(whereSeparator: \.isNewline).dropFirst()
        lines += message.prefix(messageLineCount - 1).map { "            \(oneLine(String($0)))" }
        for cause in crash.earlierCauses { lines.append("caused by:  \(sentence(cause))") }
        if let time = crash.occurredAt { lines.append("crashed:    \(RFC3339.string(milliseconds: time))") }
        let system = words([crash.system.name, crash.system.version, crash.system.architecture])
        if let system { lines.append("system:     \(system)") }
        if let runtime = crash.runtime, let name = words([runtime.name, runtime.version]) {
            lines.append("runtime:    \(name)")
        }
        return lines + stack(of: crash) + buildIDs(of: crash) + lastWords(of: crash)
    }

    /// The last lines of standard error.
    private static func lastWords(of crash: Crash) -> [String] {
        let words = (crash.lastWords ?? "").split(whereSeparator: \.isNewline)
        guard !words.isEmpty else { return [] }
        return ["standard error, the end:"] + words.suffix(messageLineCount).map { "    \(oneLine(String($0)))" }
    }

    private static func program(of crash: Crash) -> String? {
        let subject = crash.subject()
        let version = crash.version.map { "version \($0)" }
        let words = [subject, version].compactMap(\.self)
        return words.isEmpty ? nil : words.joined(separator: ", ")
    }

    private static func sentence(_ cause: Crash.Cause) -> String {
        var facts = [cause.signal == cause.type ? nil : cause.signal, cause.code].compactMap(\.self)
        if let address = cause.address { facts.append("at \(hexadecimal(address))") }
        return oneLine(cause.sentence) + (facts.isEmpty ? "" : " (\(facts.joined(separator: ", ")))")
    }

    private static func words(_ words: [String?]) -> String? {
        let known = words.compactMap(\.self).filter { !$0.isEmpty }
        return known.isEmpty ? nil : oneLine(known.joined(separator: " "))
    }

    private static func stack(of crash: Crash) -> [String] {
        guard let thread = crash.crashedThread, !thread.frames.isEmpty else { return [] }
        let number = thread.number.map(String.init)
        let name = [number, thread.name].compactMap(\.self).joined(separator: " ")
        var lines = ["stack:" + (name.isEmpty ? "" : "      thread \(oneLine(name))")]
        // One frame may stand for thousands of calls that are missing in the middle of the stack.
        var call = 0
        for frame in thread.frames.prefix(frameCount) {
            let place = frame.omittedCount == nil ? "\(call)" : ""
            lines.append("  \(frame.isOwn ? "*" : " ") \(ReportTable.pad(place, 3)) \(oneLine(frame.text()))")
            call += frame.callCount
        }
        let rest = thread.frames.dropFirst(frameCount).reduce(0) { $0 + $1.callCount }
        if rest > 0 { lines.append("    \(rest) more") }
        return lines
    }

    /// The build ids of the images on the stack that is shown; of all images where the stack names none.
    private static func buildIDs(of crash: Crash) -> [String] {
        let named = crash.images.filter { $0.buildID != nil }
        let frames = crash.crashedThread?.frames ?? []
        let modules = Set(frames.prefix(frameCount).compactMap { $0.module.map(Crash.fileName(of:)) })
        let onStack = named.filter { modules.contains(Crash.fileName(of: $0.path)) }
        let shown = (onStack.isEmpty ? named : onStack).prefix(frameCount)
        guard !shown.isEmpty else { return [] }
        return ["build ids:"] + shown.map { "    \($0.buildID ?? "") \(oneLine(Crash.fileName(of: $0.path)))" }
    }

    private static func oneLine(_ text: String) -> String { SummaryLine.text(text) }

    private static func hexadecimal(_ number: UInt64) -> String { "0x" + String(number, radix: 16) }

    // MARK: - For scripts

    /// What `show --json` has in its member `crash`: all that is known, but of the threads the crashed one alone.
    static func json(_ crash: Crash) -> JSONObject {
        var object = JSONObject()
        object["program"] = JSONValue(crash.program)
        object["version"] = JSONValue(crash.version)
        object["process"] = JSONValue(crash.process)
        object["cause"] = json(crash.cause)
        object["caused_by"] = .array(crash.earlierCauses.map(json))
        object["occurred_at"] = JSONValue(crash.occurredAt.map(RFC3339.string))
        object["system"] = JSONValue(crash.system.name)
        object["system_version"] = JSONValue(crash.system.version)
        object["architecture"] = JSONValue(crash.system.architecture)
        object["runtime"] = JSONValue(crash.runtime?.name)
        object["runtime_version"] = JSONValue(crash.runtime?.version)
        object["thread"] = JSONValue(crash.crashedThread?.name)
        object["frames"] = .array((crash.crashedThread?.frames ?? []).map(json))
        object["last_words"] = JSONValue(crash.lastWords)
        object["images"] = .array(crash.images.map(json))
        return object
    }

    private static func json(_ cause: Crash.Cause) -> JSONValue {
        var object = JSONObject()
        object["type"] = .string(cause.type)
        object["message"] = JSONValue(cause.message)
        object["signal"] = JSONValue(cause.signal)
        object["code"] = JSONValue(cause.code)
        object["address"] = JSONValue(cause.address.map(hexadecimal))
        return .object(object)
    }

    private static func json(_ frame: Crash.Frame) -> JSONValue {
        var object = JSONObject()
        object["function"] = JSONValue(frame.function)
        object["file"] = JSONValue(frame.file)
        object["line"] = JSONValue(frame.line)
        object["column"] = JSONValue(frame.column)
        object["module"] = JSONValue(frame.module)
        object["address"] = JSONValue(frame.address.map(hexadecimal))
        object["own"] = .bool(frame.isOwn)
        return .object(object)
    }

    private static func json(_ image: Crash.Image) -> JSONValue {
        var object = JSONObject()
        object["path"] = .string(image.path)
        object["build_id"] = JSONValue(image.buildID)
        object["base"] = JSONValue(image.baseAddress.map(hexadecimal))
        return .object(object)
    }
}
