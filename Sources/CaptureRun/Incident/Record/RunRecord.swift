import Diagnosis
import DurableIO

/// What `run.json` says of a run: enough to tell of it when the process that watched it is gone.
///
/// The environment is not in it, and of the arguments only their number, unless somebody has asked for more.
struct RunRecord: Equatable, Sendable {
    let incident: String
    var program: ProgramFacts?
    var wishes = RunWishes()
    var surroundings = Surroundings()
    /// How the program ended; written down before the reports are made.
    var end: ToldEnd?

    init(incident: String) {
        self.incident = incident
    }

    /// Of a file that another user may have written: nothing in it is trusted to be there, or small.
    init(incident: String, _ bytes: [UInt8]) {
        self.init(incident: incident)
        guard let json = try? JSONValue.parse(bytes) else { return }
        program = ProgramFacts(json["program"])
        wishes = RunWishes(json["wishes"])
        surroundings = Surroundings(json["surroundings"])
        end = ToldEnd(json["end"])
    }

    /// The largest file that is written and read, in bytes.
    static let maximumByteCount = 256 << 10
    /// How many blanks a new record ends with, for what is known later: paths, the control group, the end. A disk that is
    /// full by then does not keep it from being written.
    static let spareByteCount = 16 << 10

    /// The contents of the file. What is too large for it is left out: first arguments, then annotations.
    /// - Parameters:
    ///   - spare: how many blanks stand at the end.
    ///   - byteCount: how many bytes there are at least, filled up by blanks.
    /// - Returns: one object of JSON, and the end of its line.
    func bytes(spare: Int = 0, atLeast byteCount: Int = 0) -> [UInt8] {
        var record = self
        var bytes = record.json
        while bytes.count + spare >= Self.maximumByteCount, record.shorten() { bytes = record.json }
        let blankCount = max(spare, byteCount - bytes.count - 1)
        bytes.reserveCapacity(bytes.count + blankCount + 1)
        bytes.append(contentsOf: repeatElement(UInt8(ascii: " "), count: blankCount))
        bytes.append(UInt8(ascii: "\n"))
        return bytes
    }

    /// - Returns: `false` where there is nothing left to leave out.
    private mutating func shorten() -> Bool {
        if let count = program?.arguments?.count, count > 0 {
            program?.arguments?.removeLast((count + 1) / 2)
            return true
        }
        // Who crashed goes last.
        let others = wishes.annotations.keys.filter { !["service", "version"].contains($0) }
        guard !others.isEmpty || !wishes.annotations.isEmpty else { return false }
        for key in others.sorted().suffix((others.count + 1) / 2) { wishes.annotations[key] = nil }
        if others.isEmpty { wishes.annotations = [:] }
        return true
    }

    private var json: [UInt8] {
        var json = JSONObject()
        json["version"] = .integer(1)
        json["incident"] = .string(incident)
        json["program"] = program?.json
        json["wishes"] = wishes.json
        json["surroundings"] = surroundings.json
        json["end"] = end?.json
        return JSONValue.object(json).utf8Bytes
    }
}

/// What is told of a program: of its arguments their number, unless somebody has asked for them.
struct ProgramFacts: Hashable, Sendable {
    var name: String
    var path: String?
    var argumentCount = 0
    /// The program as it was called, and its arguments, up to ``maximumArgumentByteCount``.
    var arguments: [String]?
    var workingDirectory: String?
    var pid: Int32?
    var startTicks: UInt64?
    var bootID: String?
    var startedAt: Int64
    var user: UInt32?
    var cgroup: String?

    /// The most of the arguments that is told, in bytes. A command line may have megabytes.
    private static let maximumArgumentByteCount = 32 << 10
    /// The longest name, in bytes.
    private static let maximumNameByteCount = 1_021

    /// How many of the arguments are not told although they were to be.
    var leftOutArgumentCount: Int { arguments.map { max(0, argumentCount + 1 - $0.count) } ?? 0 }

    /// Of a program that is about to be started.
    init(_ command: [String], tellsArguments: Bool, startedAt: Int64) {
        name = (command.first.map { $0.split(separator: "/").last.map(String.init) ?? $0 } ?? "")
            .beginning(byteCount: Self.maximumNameByteCount)
        argumentCount = max(0, command.count - 1)
        arguments = tellsArguments ? Self.beginning(of: command) : nil
        self.startedAt = startedAt
    }

    private static func beginning(of words: [String]) -> [String] {
        var (kept, rest): ([String], Int) = ([], maximumArgumentByteCount)
        for word in words where rest > 0 {
            kept.append(word.beginning(byteCount: rest))
            rest -= word.utf8.count + 1
        }
        return kept
    }

    init(_ start: ProgramStart, tellsArguments: Bool) {
        self.init(start.command, tellsArguments: tellsArguments, startedAt: start.startedAt)
        path = start.path
        workingDirectory = start.workingDirectory
        pid = start.pid
        startTicks = start.startTicks
        bootID = start.bootID
        user = start.user
        cgroup = start.cgroup
    }

    init?(_ json: JSONValue?) {
        guard let json, let name = json["name"]?.stringValue else { return nil }
        self.name = name
        path = json["path"]?.stringValue
        argumentCount = json["arguments"]?.integerValue.map { Int(clamping: $0) } ?? 0
        arguments = json["argv"]?.arrayValue?.compactMap(\.stringValue)
        workingDirectory = json["cwd"]?.stringValue
        pid = json["pid"]?.integerValue.flatMap { Int32(exactly: $0) }
        startTicks = json["start_ticks"]?.integerValue.flatMap { UInt64(exactly: $0) }
        bootID = json["boot_id"]?.stringValue
        startedAt = json["started_at"]?.integerValue ?? 0
        user = json["uid"]?.integerValue.flatMap { UInt32(exactly: $0) }
        cgroup = json["cgroup"]?.stringValue
    }

    var json: JSONValue {
        var json = JSONObject()
        json["name"] = .string(name)
        json["path"] = path.map { .string($0) }
        json["arguments"] = .integer(Int64(argumentCount))
        json["argv"] = arguments.map { .array($0.map { .string($0) }) }
        if leftOutArgumentCount > 0 { json["argv_left_out"] = .integer(Int64(leftOutArgumentCount)) }
        json["cwd"] = workingDirectory.map { .string($0) }
        json["pid"] = pid.map { JSONValue($0) }
        json["start_ticks"] = startTicks.map { JSONValue($0) }
        json["boot_id"] = bootID.map { .string($0) }
        json["started_at"] = .integer(startedAt)
        json["uid"] = user.map { JSONValue($0) }
        json["cgroup"] = cgroup.map { .string($0) }
        return .object(json)
    }
}

/// What of the options the reports depend on.
struct RunWishes: Hashable, Sendable {
    /// The annotations of all reports: the service and version as well, and the variables that were asked for.
    var annotations: [String: String] = [:]
    var release: String?
    /// The names of the variables that may be told.
    var variables: Set<String> = []
    var tellsArguments = false
    /// The ends that are told of.
    var occasions: RunOptions.Occasions = [.crash, .file]

    init() {}

    init(_ json: JSONValue?) {
        for member in json?["annotations"]?.objectValue?.members ?? [] {
            annotations[member.key] = member.value.stringValue
        }
        release = json?["release"]?.stringValue
        variables = Set((json?["variables"]?.arrayValue ?? []).compactMap(\.stringValue))
        tellsArguments = json?["argv"]?.boolValue ?? false
        if let words = json?["on"]?.arrayValue {
            let names = words.compactMap(\.stringValue)
            occasions = RunOptions.Occasions(names.compactMap { RunOptions.Occasions(name: $0) })
        }
    }

    var json: JSONValue {
        var json = JSONObject()
        json["annotations"] = .object(annotations)
        json["release"] = release.map { .string($0) }
        json["variables"] = .array(variables.sorted().map { .string($0) })
        json["argv"] = .bool(tellsArguments)
        json["on"] = .array(occasions.names.map { .string($0) })
        return .object(json)
    }
}

extension JSONValue {
    /// An object of texts, in the order of the keys.
    static func object(_ texts: [String: String]) -> JSONValue {
        .object(JSONObject(texts.sorted { $0.key < $1.key }.map { .init(key: $0.key, value: .string($0.value)) }))
    }
}
