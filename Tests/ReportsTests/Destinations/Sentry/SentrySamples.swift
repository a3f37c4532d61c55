import Diagnosis
import Digests
import DurableIO
import TestSupport

@testable import Reports

extension StoredReport {
    /// A report as the spool stores it, of a payload that was diagnosed.
    static func sample(
        _ payload: [UInt8], _ diagnosis: Diagnosis, name: String = "", annotations: [String: String] = [:],
        collectedAt: Int64 = 1_796_126_400_000
    ) -> StoredReport {
        var properties = ReportProperties(
            kind: .other, from: .default, format: "binary", contentType: "", name: Array(name.utf8),
            collectedAt: collectedAt, annotations: annotations, summary: "")
        properties.describe(diagnosis, keepingKind: false)
        properties.occurredAt = diagnosis.crash?.occurredAt
        let id = ContentHash(of: payload)
        return StoredReport(
            id: id, properties: properties, size: UInt64(payload.count), wireSize: UInt64(payload.count), wireHash: id,
            headerByteCount: 10)
    }
}

/// Diagnoses a payload as a report on its way out is.
func diagnose(_ payload: [UInt8], name: String = "") -> Diagnosis {
    let window = PayloadWindow(
        head: payload.prefix(PayloadWindow.largeHeadByteCount), tail: payload.suffix(PayloadWindow.tailByteCount),
        byteCount: payload.count, name: Array(name.utf8))
    return Diagnosis.recognize(window) { _, _ in nil }
}

extension SentryEvent {
    /// The event of a payload on a machine called `vm1`.
    init(
        of payload: [UInt8], name: String = "", annotations: [String: String] = [:], omittedAttachment: Bool = false
    ) {
        let diagnosis = diagnose(payload, name: name)
        let report = StoredReport.sample(payload, diagnosis, name: name, annotations: annotations)
        self.init(report, diagnosis, host: "vm1", omittedAttachment: omittedAttachment)
    }

    /// The event of a text.
    init(of text: String, annotations: [String: String] = [:]) {
        self.init(of: Array(text.utf8), annotations: annotations)
    }

    /// The event of a crash that some format may have.
    init(of crash: Crash, format: String = "gdb", kind: Diagnosis.Kind = .crash, annotations: [String: String] = [:]) {
        let diagnosis = Diagnosis(
            format: format, contentType: "text/plain", kind: kind, summary: crash.summary(), crash: crash)
        let report = StoredReport.sample([1, 2, 3], diagnosis, annotations: annotations)
        self.init(report, diagnosis, host: "vm1")
    }

    /// The last exception: the one that ended the program.
    var exception: JSONValue? { json["exception"]?["values"]?.arrayValue?.last }

    /// The frames of the last exception, the outermost first.
    var frames: [JSONValue] { exception?["stacktrace"]?["frames"]?.arrayValue ?? [] }
}
