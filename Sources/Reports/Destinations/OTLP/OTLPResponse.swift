import Background
import Diagnosis
import DurableIO

/// What a collector says in the body of its answer, in protobuf or in JSON: what it did not take of a request, or why it
/// took nothing.
struct OTLPResponse: Sendable {
    /// How many records were refused although the status is 200.
    private(set) var rejectedCount: Int64 = 0
    /// What is wrong; or a warning, where nothing was refused.
    private(set) var message: String?

    /// How much of an answer is looked at, in bytes.
    static let byteCount = 4 << 10

    init(_ answer: TransferAnswer) {
        let isSuccess = (200...299).contains(answer.status)
        let type = answer.fields[.contentType]?.prefix { $0 != ";" && $0 != " " }.lowercased()
        // A body of another type is a page of something in between: the status counts, and the body proves nothing.
        switch type {
        case "application/json": readJSON(answer.body, isSuccess: isSuccess)
        case "application/x-protobuf", "application/protobuf": readProtobuf(answer.body, isSuccess: isSuccess)
        default: break
        }
    }

    /// An `ExportLogsServiceResponse`, else a `google.rpc.Status`.
    private mutating func readProtobuf(_ body: [UInt8], isSuccess: Bool) {
        for (number, value) in ProtocolBuffer(body[...]) {
            switch (isSuccess, number) {
            case (true, 1):
                for (number, value) in value.message {
                    if number == 1 { rejectedCount = value.signedNumber ?? 0 }
                    if number == 2 { message = Self.words(value.longText) }
                }
            case (false, 2): message = Self.words(value.longText)
            default: break
            }
        }
    }

    private mutating func readJSON(_ body: [UInt8], isSuccess: Bool) {
        guard let json = try? JSONValue.parse(body) else { return }
        guard isSuccess else {
            message = Self.words(json["message"]?.stringValue)
            return
        }
        // Some servers write the names as they stand in the schema.
        let partial = json["partialSuccess"] ?? json["partial_success"]
        let count = partial?["rejectedLogRecords"] ?? partial?["rejected_log_records"]
        rejectedCount = count?.integerValue ?? count?.stringValue.flatMap { Int64($0) } ?? 0
        message = Self.words((partial?["errorMessage"] ?? partial?["error_message"])?.stringValue)
    }

    /// A text of the server's, fit for one line of a note.
    private static func words(_ text: String?) -> String? {
        guard let text, !text.isEmpty else { return nil }
        let line = "\(QuotedText(text, limit: maximumByteCount))"
        let cut = OTLPPayloadPart.beginning(of: line, byteCount: maximumByteCount)
        return cut == line ? line : cut + "…"
    }

    /// Of a message in a note, in bytes.
    private static let maximumByteCount = 160
}
