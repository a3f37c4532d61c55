import Diagnosis
import DurableIO

/// STUB until the mapping is merged.
struct SentryEvent {
    let json: JSONValue
    let id: String
    let attachmentType = "event.attachment"
    init(_ report: StoredReport, _ diagnosis: Diagnosis?, host: String, omittedAttachment: Bool = false) {
        id = String(report.id.hex.prefix(32))
        json = .object(JSONObject())
    }
}
