import Diagnosis
import DurableIO
import Foundation
import Testing

/// What opentelemetry-proto's own classes make of requests and responses.
struct OTLPVector: Sendable {
    let name: String
    let json: JSONValue
    let protobuf: [UInt8]

    /// The log record and the resource of a request.
    var record: JSONValue? { json["resourceLogs"]?[0]?["scopeLogs"]?[0]?["logRecords"]?[0] }
    var resource: JSONValue? { json["resourceLogs"]?[0]?["resource"] }

    static let requests: [OTLPVector] = read("requests") { entry in
        OTLPVector(
            name: entry["name"]?.stringValue ?? "", json: entry["json"] ?? .null,
            protobuf: entry["protobuf_base64"]?.stringValue.flatMap { Base64.decode($0) } ?? [])
    }

    /// The bytes of a response, how many records it says were refused, and its message.
    static let responses: [(bytes: [UInt8], rejected: Int64, message: String)] = read("responses") { entry in
        (
            entry["protobuf_base64"]?.stringValue.flatMap { Base64.decode($0) } ?? [],
            entry["rejected"]?.integerValue ?? -1, entry["message"]?.stringValue ?? ""
        )
    }

    private static func read<Entry>(_ member: String, _ make: (JSONValue) -> Entry) -> [Entry] {
        let url = ScriptedAnswer.fixtures.appending(path: "otlp.json")
        guard let data = try? Data(contentsOf: url), let json = try? JSONValue.parse([UInt8](data)) else { return [] }
        return (json[member]?.arrayValue ?? []).map(make)
    }
}
