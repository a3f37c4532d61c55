import Diagnosis
import DurableIO

/// The document `reports-run` of an incident: how the program ended, what it wrote to standard error, and which other
/// reports there are.
struct RunDocument {
    private let incident: Incident
    private let ids: [ContentHash]

    /// `ids` are the hashes of the other payloads, in their order.
    init(_ incident: Incident, ids: [ContentHash]) {
        self.incident = incident
        self.ids = ids
    }

    /// Readers know the document by its first bytes, so that the format comes first.
    var bytes: [UInt8] {
        var json = JSONObject()
        json["format"] = .string("reports-run")
        json["version"] = .integer(1)
        json["incident"] = .string(incident.record.incident)
        json["cause"] = .string(incident.cause.rawValue)
        json["message"] = .string(incident.message)
        json["program"] = program
        json["exit"] = exit
        json["started_at"] = time(incident.record.program?.startedAt)
        json["ended_at"] = time(incident.told?.end.endedAt)
        json["uptime_ms"] = JSONValue(incident.told?.end.uptimeMilliseconds)
        json["boot_id"] = JSONValue(incident.record.program?.bootID)
        json["usage"] = incident.told.map { told in
            .object(JSONObject(told.end.usage.members.map { .init(key: $0.0, value: $0.1) }))
        }
        json["memory"] = incident.told?.memory.json
        json["kernel"] = incident.told?.kernelLine.map { .string($0) }
        json["stderr"] = stderr
        json["files"] = .array(files + leftOut.prefix(Self.leftOutCount))
        if leftOut.count > Self.leftOutCount { json["files_left_out"] = .integer(Int64(leftOut.count)) }
        let annotations = incident.leftOutAnnotations
        if !annotations.isEmpty { json["annotations_left_out"] = .array(annotations.map { .string($0) }) }
        for member in incident.record.surroundings.json.objectValue?.members ?? [] { json[member.key] = member.value }
        json["release"] = incident.record.wishes.release.map { .string($0) }
        return JSONValue.object(json).utf8Bytes + [0x0a]
    }

    private var program: JSONValue {
        guard let program = incident.record.program else { return .null }
        var json = JSONObject()
        json["name"] = .string(program.name)
        json["path"] = JSONValue(program.path)
        json["arguments"] = .integer(Int64(program.argumentCount))
        json["argv"] = program.arguments.map { .array($0.map { .string($0) }) } ?? .null
        if program.leftOutArgumentCount > 0 {
            json["argv_left_out"] = .integer(Int64(program.leftOutArgumentCount))
        }
        json["cwd"] = JSONValue(program.workingDirectory)
        json["pid"] = JSONValue(program.pid)
        json["uid"] = JSONValue(program.user)
        return .object(json)
    }

    private var exit: JSONValue {
        guard let told = incident.told else { return .null }
        var json = JSONObject()
        json["code"] = JSONValue(told.code)
        json["signal"] = JSONValue(told.signal)
        json["signal_name"] = JSONValue(told.signal.map(Signal.name))
        json["core_dumped"] = .bool(told.hasDumpedCore)
        json["probably"] = told.hiddenSignal.map { .string(Signal.name($0)) }
        return .object(json)
    }

    private func time(_ milliseconds: Int64?) -> JSONValue {
        JSONValue(milliseconds.map { RFC3339.string(milliseconds: $0) })
    }

    private var stderr: JSONValue {
        let excerpt = incident.stderr
        guard excerpt.byteCount > 0 else { return .null }
        // The end may begin within a character.
        let isCut = UInt64(excerpt.tail.count) < excerpt.byteCount
        let tail = isCut ? Array(excerpt.tail.drop { $0 & 0xc0 == 0x80 }) : excerpt.tail
        let isText = [excerpt.head, tail].allSatisfy { String(validating: $0, as: UTF8.self) != nil }
        func text(_ bytes: [UInt8]) -> JSONValue {
            .string(isText ? String(decoding: bytes, as: UTF8.self) : Base64.encode(bytes))
        }
        var json = JSONObject()
        json["bytes"] = JSONValue(excerpt.byteCount)
        json["head"] = text(excerpt.head)
        json["tail"] = text(tail)
        json["dropped"] = JSONValue(incident.stderrText?.droppedByteCount ?? excerpt.byteCount)
        json["base64"] = .bool(!isText)
        json["crash"] = .string(incident.crashText.map { $0.isMarked ? "head" : "tail" } ?? "none")
        return .object(json)
    }

    private var files: [JSONValue] {
        zip(incident.parts, ids).map { part, id in
            JSONValue.object(["id": id.hex, "name": part.name, "format": part.format])
        }
    }

    /// How many of the files that are left out are named at most.
    private static let leftOutCount = 1_000

    /// The files that were in the run's directory and are not in the spool.
    private var leftOut: [JSONValue] {
        incident.reports.compactMap { report -> JSONValue? in
            guard case .none(let reason) = report.content else { return nil }
            return .object(["name": report.name.description, "left_out": reason])
        }
    }
}
