import Diagnosis
import DurableIO

/// All that is known of one death, and the reports that are made of it.
///
/// One of them is the crash: what the runtime has left, else what standard error tells, else the document. The others
/// are diagnostic, and an annotation joins them.
struct Incident {
    let record: RunRecord
    let reports: [RuntimeReport]
    let stderr: StderrExcerpt
    let stderrText: StderrText?
    /// When the reports are made, in milliseconds since 1970.
    let now: Int64
    /// The user whose run another user's spool has taken over.
    var foreignUser: UInt32?

    init(_ record: RunRecord, _ reports: [RuntimeReport], _ stderr: StderrExcerpt, now: Int64) {
        self.record = record
        self.reports = reports
        self.stderr = stderr
        self.now = now
        stderrText = StderrText(stderr, of: record.end?.end.status)
    }

    /// `nil` where the watching process died before it knew.
    var told: ToldEnd? { record.end }
    var cause: Death.Cause { told?.cause ?? .lost }

    /// A report of the runtime that is the crash. That of the program itself comes before those of its children.
    private var crashReport: Int? {
        let crashes = reports.indices.filter { reports[$0].isCrash }
        let pid = record.program?.pid.map(Int64.init)
        return crashes.first { pid != nil && reports[$0].diagnosis.crash?.process == pid } ?? crashes.first
    }

    var message: String {
        let spoken = isLog && crashReport == nil ? nil : RunMessage.of(stderrText)
        return (isSpoken ? spoken : nil) ?? crashMessage ?? spoken ?? RunMessage.of(told)
    }

    /// What standard error tells of the crash.
    var crashText: StderrText? { stderrText.flatMap { $0.isCrash && !isLog ? $0 : nil } }

    /// Whether standard error does not tell why the program ended, whatever is in it: it ended well, or on request, or
    /// the kernel has said what it died of. A program tells there of errors that it survives as well.
    private var isLog: Bool {
        guard let told else { return false }
        return !told.isDeath || told.cause == .oom || told.end.isAnswerToRequest
    }

    /// Whether standard error has the words of the crash: Swift's reports tell only which instruction was a trap.
    private var isSpoken: Bool {
        guard let crashReport, let stderrText else { return true }
        let hasWords = stderrText.diagnosis.crash?.cause.message?.isEmpty == false
        return reports[crashReport].diagnosis.format.hasPrefix("swift-") && stderrText.isCrash && hasWords
    }

    private var crashMessage: String? {
        guard let crashReport, let cause = reports[crashReport].diagnosis.crash?.cause,
            cause.message?.isEmpty == false
        else { return nil }
        return RunMessage.of(reports[crashReport].diagnosis)
    }

    /// Whether it is told of where the watching process died before it had judged the end: what it has noted decides.
    ///
    /// A program that was killed together with its watcher after a request to end has not ended in the time that it got.
    /// That is no crash, as long as nothing else tells of one.
    func isTold(whenLeftWith marks: RunMarks) -> Bool {
        if told != nil || !reports.isEmpty { return true }
        // Its watcher died before there was a program.
        if record.program?.pid == nil, !marks.hasStarted { return false }
        guard marks.request != nil, record.wishes.occasions.isDisjoint(with: [.kill, .any]) else { return true }
        return stderrText?.isCrash ?? false
    }

    /// When the program died, in milliseconds since 1970; `nil` where nothing tells it.
    var occurredAt: Int64? { told.map(\.end.endedAt) ?? reports.map(\.modifiedAt).max() }

    /// A payload of the incident.
    struct Payload {
        let name: String
        let content: RuntimeReport.Content
        let format: String
        let isCrash: Bool
    }

    /// The payloads besides the document, which names them.
    var parts: [Payload] {
        let crash = crashReport
        var parts = reports.indices.compactMap { index -> Payload? in
            let report = reports[index]
            if case .none = report.content { return nil }
            return Payload(
                name: report.name.description, content: report.content, format: report.diagnosis.format,
                isCrash: index == crash)
        }
        if let text = crashText {
            parts.append(
                Payload(
                    name: "stderr-\(record.incident).txt", content: .bytes(line + text.bytes),
                    format: text.diagnosis.format, isCrash: crash == nil))
        }
        return parts
    }

    /// The first line of the text of a crash. Many deaths leave the same words, and each is a report of its own: the same
    /// bytes would be the same report.
    private var line: [UInt8] { Array("[incident \(record.incident)]\n".utf8) }

    /// The document, once the other payloads have their ids.
    func document(naming ids: [ContentHash]) -> Payload {
        let isCrash = !parts.contains(where: \.isCrash) && told?.isDeath ?? true
        return Payload(
            name: "run-\(record.incident).json", content: .bytes(RunDocument(self, ids: ids).bytes),
            format: "reports-run", isCrash: isCrash)
    }

    /// The annotations of all payloads.
    var annotations: [String: String] {
        var annotations = facts
        var rest = Self.annotationByteCount - annotations.reduce(0) { $0 + Self.byteCount($1.key, $1.value) }
        // Who crashed comes first.
        let own = record.wishes.annotations.sorted { Self.order($0.key) < Self.order($1.key) }
        for (key, value) in own where annotations[key] == nil && annotations.count < Self.annotationCount {
            let byteCount = Self.byteCount(key, value)
            guard byteCount <= rest else { continue }
            annotations[key] = Self.value(value)
            rest -= byteCount
        }
        return annotations
    }

    /// The user's annotations for which a report has no room, by their keys.
    var leftOutAnnotations: [String] {
        let annotations = annotations
        return record.wishes.annotations.keys.filter { annotations[$0] == nil }.sorted()
    }

    private static func order(_ key: String) -> String { ["service", "version"].contains(key) ? "" : key }

    private static func byteCount(_ key: String, _ value: String) -> Int {
        key.utf8.count + JSONValue.string(Self.value(value)).utf8Bytes.count + 4
    }

    private var facts: [String: String] {
        var facts = ["incident": record.incident, "run.cause": cause.rawValue, "run.message": message]
        facts["run.exit"] = told?.code.map { "\($0)" }
        facts["run.signal"] = told?.signal.map(Signal.name)
        facts["run.program"] = record.program?.name
        facts["run.release"] = record.wishes.release
        facts["run.uptime-ms"] = told.map { "\($0.end.uptimeMilliseconds)" }
        facts["drop.uid"] = foreignUser.map { "\($0)" }
        return facts.mapValues(Self.value)
    }

    /// The most annotations of a report, and the most bytes of all of them in the description of a drop.
    private static let annotationCount = 64
    private static let annotationByteCount = PackedDropWriter.maximumDescriptionByteCount - (4 << 10)

    /// A text as it may stand in an annotation: of 1,021 bytes at most, and the sign of a cut on top.
    static func value(_ text: String) -> String { text.beginning(byteCount: 1_021) }
}
