import Diagnosis

/// The members of an event that are made of a crash, in as much detail as fits.
struct SentryCrashMembers {
    private let crash: Crash
    private let format: SentryFormat
    private let kind: ReportKind
    private let images: SentryImages
    private let threads: SentryThreads

    init(_ crash: Crash, _ format: SentryFormat, kind: ReportKind) {
        self.crash = crash
        self.format = format
        self.kind = kind
        images = SentryImages(crash, format)
        threads = SentryThreads(crash)
    }

    /// How much of a crash an event has.
    private struct Detail {
        var hasThreads = false
        /// The most frames of a stack.
        let frameCount: Int
        /// The most images.
        let imageCount: Int
        var hasRegisters = true
        var hasEarlierCauses = true

        /// From all to little; what helps a person least goes first.
        static let all = [
            Detail(hasThreads: true, frameCount: 250, imageCount: 256),
            Detail(frameCount: 250, imageCount: 256),
            Detail(frameCount: 125, imageCount: 64),
            Detail(frameCount: 64, imageCount: 64),
            Detail(frameCount: 32, imageCount: 64),
            Detail(frameCount: 16, imageCount: 16, hasRegisters: false),
            Detail(frameCount: 16, imageCount: 16, hasRegisters: false, hasEarlierCauses: false),
            Detail(frameCount: 4, imageCount: 0, hasRegisters: false, hasEarlierCauses: false),
        ]
    }

    /// The whole event. The stacks of other threads are in it as far as they fit.
    func event(_ report: SentryReportMembers) -> JSONObject {
        var frameLimit = Int.max
        for detail in Detail.all where detail.frameCount <= frameLimit {
            var event = self.event(report, detail)
            let byteCount = JSONValue.object(event).utf8Bytes.count
            guard byteCount <= SentryEvent.byteLimit else {
                // Somewhat fewer frames are no use where it is too large by far.
                if byteCount > 8 * SentryEvent.byteLimit { frameLimit = 32 }
                continue
            }
            if event["threads"] != nil {
                let list = threads.json(stack(detail), byteCount: SentryEvent.byteLimit - byteCount)
                event["threads"] = Self.values(list)
            }
            return event
        }
        return report.message
    }

    private func event(_ report: SentryReportMembers, _ detail: Detail) -> JSONObject {
        var event = JSONObject()
        event["platform"] = .string(format.platform)
        let isListed = detail.hasThreads && threads.isTelling
        var exceptions = SentryExceptions(
            crash: crash, format: format, stack: stack(detail), isUnhandled: kind == .crash,
            thread: isListed ? threads.faultingNumber : nil)
        exceptions.hasEarlierCauses = detail.hasEarlierCauses
        event["exception"] = Self.values(exceptions.json)
        if isListed { event["threads"] = Self.values(threads.json.map { .object($0) }) }
        let list = images.json(of: crash.crashedThread?.frames ?? [], limit: detail.imageCount)
        if !list.isEmpty { event["debug_meta"] = .object(JSONObject([.init(key: "images", value: .array(list))])) }
        event["fingerprint"] = fingerprint
        report.add(to: &event, level: level, contexts: contexts)
        return event
    }

    private func stack(_ detail: Detail) -> SentryStack {
        SentryStack(
            format: format, images: images, frameLimit: detail.frameCount, hasRegisters: detail.hasRegisters)
    }

    private static func values(_ list: [JSONValue]) -> JSONValue {
        .object(JSONObject([.init(key: "values", value: .array(list))]))
    }

    private var level: String {
        kind == .diagnostic && format.findsErrors ? "error" : SentryReportMembers.level(of: kind)
    }

    /// What Sentry groups by where the crash names no function and says nothing: the program and the cause. Everything
    /// else differs from one such crash to the next.
    private var fingerprint: JSONValue? {
        let frames = crash.crashedThread?.frames ?? []
        guard crash.cause.message == nil || format.isMemoryDump,
            !frames.contains(where: \.isNamed)
        else { return nil }
        let parts = [format.name, crash.program ?? "", crash.cause.type]
        return .array(parts.map { .string(SentryText.line($0, SentryText.Limit.fact) ?? "unknown") })
    }

    private var contexts: JSONObject {
        var contexts = JSONObject()
        contexts["runtime"] = Self.context([("name", crash.runtime?.name), ("version", crash.runtime?.version)])
        contexts["os"] = system
        contexts["device"] = Self.context([("arch", crash.system.architecture)])
        contexts["app"] = Self.context([("app_name", crash.program), ("app_version", crash.version)])
        return contexts
    }

    /// `12.3.1 (21E258)` has the version and the build. The name of a distribution is no version of Linux.
    private var system: JSONValue? {
        let text = crash.system.version ?? ""
        guard let first = text.utf8.first, (0x30...0x39).contains(first) else {
            return Self.context([("name", crash.system.name), ("raw_description", text)])
        }
        let version = text.prefix { $0 != " " && $0 != "(" }
        let rest = text[version.endIndex...]
        let isBuild = rest.hasPrefix(" (") && rest.hasSuffix(")")
        return Self.context([
            ("name", crash.system.name), ("version", isBuild ? String(version) : text),
            ("build", isBuild ? String(rest.dropFirst(2).dropLast()) : nil),
        ])
    }

    private static func context(_ members: [(key: String, value: String?)]) -> JSONValue? {
        let known = members.compactMap { member in
            SentryText.line(member.value, SentryText.Limit.fact).map {
                JSONObject.Member(key: member.key, value: .string($0))
            }
        }
        return known.isEmpty ? nil : .object(JSONObject(known))
    }
}
