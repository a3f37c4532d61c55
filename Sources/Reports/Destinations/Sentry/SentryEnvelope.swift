import Diagnosis
import DurableIO

/// The text before the payload in what a Sentry server is sent: an envelope with one event, and the header of its
/// attachment.
///
/// An envelope is lines of JSON: its own header, then for each item a header and the item. The event comes first, since
/// some servers stop at an item that they do not know, and the attachment last and without a newline, so that the
/// payload ends the request as it is. Source: Sentry's documentation for authors of SDKs, "Envelopes".
struct SentryEnvelope {
    let event: SentryEvent
    let report: StoredReport
    /// When it is sent, in milliseconds since 1970. It is written at each attempt, because servers shift the times of an
    /// event by what their clock says more than this.
    let sentAt: Int64
    let hasAttachment: Bool

    /// All of the request before the payload.
    var beginning: [UInt8] {
        let json = event.json.description
        var text = line([
            ("event_id", .string(event.id)), ("sent_at", .string(RFC3339.string(milliseconds: sentAt))),
            ("sdk", event.json["sdk"] ?? .null),
        ])
        text += line([
            ("type", .string("event")), ("content_type", .string("application/json")),
            ("length", JSONValue(json.utf8.count)),
        ])
        text += json
        guard hasAttachment else { return Array(text.utf8) }
        text += "\n"
        text += line([
            ("type", .string("attachment")), ("length", JSONValue(report.size)), ("filename", .string(fileName)),
            ("content_type", .string(report.properties.contentType)),
            ("attachment_type", .string(event.attachmentType)),
        ])
        return Array(text.utf8)
    }

    /// The beginning of the report's id, with an ending that says what it is. Never the name of the file, which may tell
    /// of a person.
    private var fileName: String {
        let type = report.properties.contentType.prefix { $0 != ";" }
        return "\(report.id.hex.prefix(12)).\(Self.endings[String(type)] ?? "bin")"
    }

    private static let endings = [
        "application/gzip": "gz", "application/json": "json", "application/vnd.fdo.journal": "journal",
        "application/x-coredump": "core", "application/x-dmp": "dmp", "application/x-ndjson": "ndjson",
        "application/xml": "xml", "application/zstd": "zst", "text/plain": "txt",
    ]

    private func line(_ members: [(String, JSONValue)]) -> String {
        JSONValue.object(JSONObject(members.map { JSONObject.Member(key: $0, value: $1) })).description + "\n"
    }
}
