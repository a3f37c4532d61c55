import Diagnosis

/// The end of a program, and what it was found to be.
struct ToldEnd: Equatable, Sendable {
    var end: ProgramEnd
    var cause: Death.Cause
    /// See ``Death/isDeath``.
    var isDeath: Bool
    var hiddenSignal: Int32?
    var memory = MemoryFacts()
    /// The line of the kernel's log.
    var kernelLine: String?

    init(_ end: ProgramEnd, _ death: Death) {
        self.end = end
        (cause, isDeath, hiddenSignal) = (death.cause, death.isDeath, death.hiddenSignal)
    }

    /// The code with which it ended by itself.
    var code: Int32? {
        if case .exited(let code) = end.status { code } else { nil }
    }

    /// The signal that ended it.
    var signal: Int32? {
        if case .signalled(let signal, _) = end.status { signal } else { nil }
    }

    var hasDumpedCore: Bool {
        if case .signalled(_, let hasDumped) = end.status { hasDumped } else { false }
    }

    // MARK: - In a run's record

    init?(_ json: JSONValue?) {
        guard let json, let cause = json["cause"]?.stringValue.flatMap(Death.Cause.init) else { return nil }
        func number(_ key: String) -> Int64? { json[key]?.integerValue }
        let signal = number("signal").flatMap { Int32(exactly: $0) }
        let code = number("code").flatMap { Int32(exactly: $0) }
        end = ProgramEnd(
            signal.map { .signalled($0, dumpedCore: json["core"]?.boolValue ?? false) } ?? .exited(code: code ?? 0),
            endedAt: number("ended_at") ?? 0, uptimeMilliseconds: number("uptime_ms") ?? 0,
            millisecondsSinceRequest: number("since_request_ms"))
        end.usage.userMilliseconds = number("user_ms") ?? 0
        end.usage.systemMilliseconds = number("system_ms") ?? 0
        end.usage.maximumResidentKiB = number("max_rss_kib") ?? 0
        end.usage.majorFaults = number("major_faults") ?? 0
        self.cause = cause
        isDeath = json["death"]?.boolValue ?? true
        hiddenSignal = number("hidden_signal").flatMap { Int32(exactly: $0) }
        memory = MemoryFacts(json["memory"])
        kernelLine = json["kernel"]?.stringValue
    }

    var json: JSONValue {
        var json = JSONObject()
        json["cause"] = .string(cause.rawValue)
        json["death"] = .bool(isDeath)
        json["code"] = code.map { JSONValue($0) }
        json["signal"] = signal.map { JSONValue($0) }
        json["core"] = .bool(hasDumpedCore)
        json["hidden_signal"] = hiddenSignal.map { JSONValue($0) }
        json["ended_at"] = .integer(end.endedAt)
        json["uptime_ms"] = .integer(end.uptimeMilliseconds)
        json["since_request_ms"] = end.millisecondsSinceRequest.map { .integer($0) }
        for (key, value) in end.usage.members { json[key] = value }
        json["memory"] = memory.json
        json["kernel"] = kernelLine.map { .string($0) }
        return .object(json)
    }
}

extension ProgramEnd.Usage {
    var members: [(String, JSONValue)] {
        [
            ("user_ms", .integer(userMilliseconds)), ("system_ms", .integer(systemMilliseconds)),
            ("max_rss_kib", .integer(maximumResidentKiB)), ("major_faults", .integer(majorFaults)),
        ]
    }
}

extension MemoryFacts {
    init(_ json: JSONValue?) {
        self.init()
        func number(_ key: String) -> UInt64? { json?[key]?.integerValue.flatMap { UInt64(exactly: $0) } }
        group = json?["cgroup"]?.stringValue
        (limit, peak, kills) = (number("limit"), number("peak"), number("oom_kills"))
    }

    var json: JSONValue {
        var json = JSONObject()
        json["cgroup"] = JSONValue(group)
        json["limit"] = JSONValue(limit)
        json["peak"] = JSONValue(peak)
        json["oom_kills"] = JSONValue(kills)
        return .object(json)
    }
}
