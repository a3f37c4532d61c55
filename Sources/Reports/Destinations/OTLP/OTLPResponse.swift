import Background
import Diagnosis
import DurableIO

/// What a collector says in the body of its answer, in protobuf or in JSON: what it did not take of a request, or why it
/// took nothing.
///
/// Servers name the type of a body wrongly, or not at all, so the body itself tells which of the two it is.
struct OTLPResponse: Sendable {
    /// How many records were refused although the status is 200.
    private(set) var rejectedCount: Int64 = 0
    /// What is wrong; or a warning, where nothing was refused.
    private(set) var message: String?
    /// Why the answer proves nothing although its status is 2xx, as the end of a sentence; `nil` if nothing is wrong.
    private(set) var doubt: String?

    /// How much of an answer is looked at, in bytes.
    static let byteCount = 64 << 10

    init(_ answer: TransferAnswer) {
        let isSuccess = (200...299).contains(answer.status)
        let body = answer.body
        let first = body.first { ![0x20, 0x09, 0x0a, 0x0d].contains($0) }
        let isJSON = first == UInt8(ascii: "{") && readJSON(body, isSuccess: isSuccess)
        let isRead = isJSON || readProtobuf(body, isSuccess: isSuccess)
        // Other bodies prove nothing, and the status counts; but a collector has no reason to answer with a page.
        if ResponseDisposition.isHTML(answer.fields[.contentType]) || first == UInt8(ascii: "<") {
            doubt = "with a page, as no collector does"
        } else if !isRead, body.count >= Self.byteCount {
            doubt = "with more than \(Self.byteCount >> 10) KiB, which may say that it refused the record"
        }
    }

    /// An `ExportLogsServiceResponse`, else a `google.rpc.Status`.
    /// - Returns: whether the body is one.
    private mutating func readProtobuf(_ body: [UInt8], isSuccess: Bool) -> Bool {
        guard let fields = ProtobufReader.fields(of: body[...]) else { return false }
        guard isSuccess else {
            message = Self.words(fields.last { $0.number == 2 }?.value.longText)
            return true
        }
        for (number, value) in fields where number == 1 {
            guard let bytes = value.bytes, let partial = ProtobufReader.fields(of: bytes) else { return false }
            rejectedCount = partial.last { $0.number == 1 }?.value.signedNumber ?? rejectedCount
            message = Self.words(partial.last { $0.number == 2 }?.value.longText) ?? message
        }
        return true
    }

    /// The same in JSON.
    private mutating func readJSON(_ body: [UInt8], isSuccess: Bool) -> Bool {
        guard let json = try? JSONValue.parse(body) else { return false }
        guard isSuccess else {
            message = Self.words(json["message"]?.stringValue)
            return true
        }
        // Some servers write the names as they stand in the schema.
        let partial = json["partialSuccess"] ?? json["partial_success"]
        let count = partial?["rejectedLogRecords"] ?? partial?["rejected_log_records"]
        rejectedCount = count.flatMap(Self.wholeNumber) ?? 0
        message = Self.words((partial?["errorMessage"] ?? partial?["error_message"])?.stringValue)
        return true
    }

    /// A number, also one that is written as a text or with a point.
    private static func wholeNumber(_ value: JSONValue) -> Int64? {
        switch value {
        case .integer(let number): number
        case .double(let number): Int64(exactly: number)
        case .string(let text): Int64(text) ?? Double(text).flatMap { Int64(exactly: $0) }
        default: nil
        }
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
