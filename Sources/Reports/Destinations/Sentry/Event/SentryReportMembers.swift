import Diagnosis
import DurableIO

/// The members that every event has, whatever its payload: what is known of the report.
struct SentryReportMembers {
    private let report: StoredReport
    private let crash: Crash?
    private let format: String
    private let id: String
    private let host: String
    private let omittedAttachment: Bool
    private let annotations: SentryAnnotations

    init(_ report: StoredReport, _ diagnosis: Diagnosis?, id: String, host: String, omittedAttachment: Bool) {
        self.report = report
        crash = diagnosis?.crash
        format = report.properties.format
        self.id = id
        self.host = host
        self.omittedAttachment = omittedAttachment
        annotations = SentryAnnotations(
            report.properties.annotations, program: crash?.program.flatMap { $0.isEmpty ? nil : $0 },
            version: crash?.version)
    }

    /// An event without a crash. The server groups such events by their text and their format. A minidump is a crash
    /// that the server reads by itself.
    var message: JSONObject {
        let isMinidump = format == "minidump" && !omittedAttachment
        let isOfApple = format == "apple-crash"
        var event = JSONObject()
        event["platform"] = .string(isMinidump || isOfApple ? "native" : "other")
        if !isMinidump, !isOfApple {
            event["fingerprint"] = .array([.string("{{ default }}"), .string(format)])
        }
        add(to: &event, level: isMinidump ? "fatal" : Self.level(of: report.properties.kind), contexts: JSONObject())
        return event
    }

    /// Adds the members to an event.
    /// - Parameters:
    ///   - event: has the members that are made of the crash.
    ///   - level: how grave it is.
    ///   - contexts: the contexts that are made of the crash.
    func add(to event: inout JSONObject, level: String, contexts: JSONObject) {
        event["event_id"] = .string(id)
        let time = report.properties.occurredAt ?? crash?.occurredAt ?? report.properties.collectedAt
        event["timestamp"] = .string(RFC3339.string(milliseconds: time))
        event["level"] = .string(level)
        event["logentry"] = .object(JSONObject([.init(key: "formatted", value: .string(summary))]))
        event["sdk"] = .object(Self.sdk)
        event["server_name"] = Self.value(annotations.host ?? SentryText.line(host, SentryText.Limit.serverName))
        event["release"] = Self.value(annotations.release)
        event["environment"] = Self.value(annotations.environment)
        event["dist"] = Self.value(annotations.distribution)
        event["transaction"] = Self.value(annotations.transaction)
        if !annotations.user.members.isEmpty { event["user"] = .object(annotations.user) }
        event["tags"] = .object(tags)
        if !annotations.extra.isEmpty { event["extra"] = .object(JSONObject(annotations.extra)) }
        var contexts = contexts
        contexts["report"] = .object(reportContext)
        event["contexts"] = .object(contexts)
    }

    /// Says who sends the event; the envelope's header says the same.
    static let sdk = JSONObject([
        .init(key: "name", value: .string("reports.swift")),
        .init(key: "version", value: .string(ReportsVersion.current)),
    ])

    static func level(of kind: ReportKind) -> String {
        switch kind {
        case .crash: "fatal"
        case .hang: "error"
        case .diagnostic: "warning"
        default: "info"
        }
    }

    private var summary: String {
        SentryText.line(report.properties.summary, SentryText.Limit.message) ?? "\(format) report"
    }

    private var tags: JSONObject {
        JSONObject(
            [
                .init(key: "report.kind", value: .string(report.properties.kind.rawValue)),
                .init(key: "report.format", value: .string(SentryText.line(format, SentryText.Limit.tag) ?? "unknown")),
            ] + annotations.tags)
    }

    private var reportContext: JSONObject {
        var object = JSONObject()
        object["id"] = .string(report.id.hex)
        object["size"] = Int64(exactly: report.size).map { .integer($0) }
        object["collected_at"] = .string(RFC3339.string(milliseconds: report.properties.collectedAt))
        object["pid"] = crash?.process.map { .string(String($0)) }
        if report.properties.isSnapshot { object["snapshot"] = .bool(true) }
        if omittedAttachment { object["attachment"] = .string("omitted: \(ByteSize.text(report.size))") }
        return object
    }

    private static func value(_ text: String?) -> JSONValue? { text.map { .string($0) } }
}
