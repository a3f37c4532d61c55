import Background
import Diagnosis
import DurableIO

/// What a ledger row keeps of a report, as JSON: its description and the payload's size.
package struct ReportMetadata: Hashable, Sendable {
    package let properties: ReportProperties
    /// Of the payload, in bytes.
    package let size: UInt64

    package init(_ report: StoredReport) {
        properties = report.properties
        size = report.size
    }

    /// Reads a row's JSON; what is unreadable becomes the value that promises least.
    package init(text: String) {
        let json = (try? JSONValue.parse(Array(text.utf8))) ?? .object(JSONObject())
        properties = ReportProperties(json: json)
        size = UInt64(clamping: json["size"]?.integerValue ?? 0)
    }

    package var text: String {
        var object = properties.json.objectValue ?? JSONObject()
        object["size"] = JSONValue(size)
        return JSONValue.object(object).description
    }
}
