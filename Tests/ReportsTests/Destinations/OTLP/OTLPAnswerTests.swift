import Background
import Diagnosis
import TestSupport
import Testing

@testable import Reports

/// What the answers of a collector mean, and what is kept of them.
@Suite("Answers by OTLP")
struct OTLPAnswerTests {
    private static func answer(_ status: Int, _ body: [UInt8], _ type: String) throws -> TransferAnswer {
        let result = TransportResult.status(status, headers: [("Content-Type", type)])
        guard case .answer(var answer) = result else { throw NoAnswer.interrupted }
        answer.body = body
        answer.isLoopback = false
        return answer
    }

    private static func judge(
        _ status: Int, _ body: [UInt8], _ type: String = "application/x-protobuf"
    ) throws -> Judgement {
        try Destination.otlp(endpoint: "https://collector.example").kind().judge(
            answer(status, body, type), to: DestinationContractTests.report(), DestinationContractTests.context())
    }

    @Test("a partial success is read as opentelemetry-proto writes it")
    func vectors() throws {
        try #require(OTLPVector.responses.count == 4)
        for (bytes, rejected, message) in OTLPVector.responses {
            let response = OTLPResponse(try Self.answer(200, bytes, "application/x-protobuf"))
            #expect(response.rejectedCount == rejected)
            #expect(response.message ?? "" == message)
            let judgement = try Self.judge(200, bytes)
            #expect(judgement.disposition == (rejected > 0 ? .rejected : .delivered))
            #expect(message.isEmpty || judgement.receipt?.contains(message) == true)
        }
    }

    @Test(
        "in JSON, a number may be a text, and names may have underscores",
        arguments: [
            (#"{"partialSuccess":{"rejectedLogRecords":"1","errorMessage":"old"}}"#, 1, "old"),
            (#"{"partialSuccess":{"rejectedLogRecords":1}}"#, 1, nil),
            (#"{"partial_success":{"rejected_log_records":2,"error_message":"old"}}"#, 2, "old"),
            (#"{"partialSuccess":null}"#, 0, nil), (#"{}"#, 0, nil), (#"[1]"#, 0, nil), ("ok", 0, nil),
            (#"{"partialSuccess":{"rejectedLogRecords":"x","errorMessage":7}}"#, 0, nil),
            (#"{"partialSuccess":{"rejectedLogRecords":-1}}"#, -1, nil),
            (#"{"partialSuccess":{"rejectedLogRecords":1.0}}"#, 1, nil),
            (#" {"partialSuccess":{"rejectedLogRecords":"2.0"}}"#, 2, nil),
            (#"{"partialSuccess":{"rejectedLogRecords":0.5}}"#, 0, nil),
        ] as [(String, Int64, String?)])
    func json(text: String, rejected: Int64, message: String?) throws {
        let response = OTLPResponse(try Self.answer(200, Array(text.utf8), "application/json; charset=utf-8"))
        #expect(response.rejectedCount == rejected)
        #expect(response.message == message)
        let judgement = try Self.judge(200, Array(text.utf8), "application/json")
        #expect(judgement.disposition == (rejected > 0 ? .rejected : .delivered))
    }

    @Test("a refusal says why, in a line that fits")
    func notes() throws {
        let partial = #"{"partialSuccess":{"rejectedLogRecords":"1","errorMessage":"too old"}}"#
        #expect(
            try Self.judge(200, Array(partial.utf8), "application/json").note
                == "the server answered 200 and refused the record: too old")
        #expect(
            try Self.judge(500, Array(#"{"code":13,"message":"internal"}"#.utf8), "application/json").note
                == "the server answered 500: internal")
        // A google.rpc.Status.
        #expect(try Self.judge(400, [0x08, 3, 0x12, 3] + Array("bad".utf8)).note == "the server answered 400: bad")
        let long = #"{"message":"\#(String(repeating: "\\u202eü", count: 900))"}"#
        for status in [400, 403, 415, 500] {
            let note = try #require(try Self.judge(status, Array(long.utf8), "application/json").note)
            #expect(note.utf8.count <= 256)
            #expect(note.unicodeScalars.allSatisfy { !$0.steersTerminals })
        }
    }

    @Test("only what the specification allows is tried again", arguments: 300...599)
    func retries(status: Int) throws {
        let judgement = try Self.judge(status, [])
        let waits = [.notNow, .wait].contains(judgement.disposition)
        #expect(waits == [429, 502, 503, 504].contains(status))
        #expect(judgement.disposition != .delivered)
    }

    @Test(
        "a refusal is one whatever the type of its body",
        arguments: ["text/plain; charset=utf-8", "application/octet-stream", "", "application/json"])
    func wrongTypes(type: String) throws {
        let binary = try #require(OTLPVector.responses.first { $0.rejected > 0 })
        let text = #"{"partialSuccess":{"rejectedLogRecords":"1","errorMessage":"old"}}"#
        for body in [binary.bytes, Array(text.utf8)] {
            #expect(try Self.judge(200, body, type).disposition == .rejected)
        }
        #expect(
            try Self.judge(400, Array(#"{"message":"bad"}"#.utf8), type).note == "the server answered 400: bad")
    }

    @Test("a refusal of some KiB is read, and a body that is too long to be read proves no delivery")
    func longAnswers() throws {
        let long = { (count: Int) in
            let message = String(repeating: "x", count: count)
            return Array(#"{"partialSuccess":{"errorMessage":"\#(message)","rejectedLogRecords":1}}"#.utf8)
        }
        let limit = try #require(Destination.otlp(endpoint: "https://collector.example").kind().answerByteCount)
        #expect(limit == 64 << 10)
        #expect(try Self.judge(200, long(60 << 10), "application/json").disposition == .rejected)
        let cut = Array(long(limit).prefix(limit))
        let judgement = try Self.judge(200, cut, "application/json")
        #expect(judgement.disposition == .hold(.acknowledgement))
        #expect(judgement.note?.contains("more than 64 KiB") == true)
        let message = String(repeating: "x", count: limit)
        let partial = ProtobufWriter.message { $0.write(1, message: { $0.write(2, text: message) }) }
        #expect(try Self.judge(200, Array(partial.prefix(limit))).disposition == .hold(.acknowledgement))
    }

    @Test(
        "a page is no delivery, over https and on this machine too, unless the user takes any answer",
        arguments: [
            ("text/html; charset=utf-8", "Welcome"), ("application/xhtml+xml", ""), ("text/plain", "<html>"),
            ("", "\r\n <!DOCTYPE html>"),
        ])
    func pages(type: String, body: String) throws {
        let report = try DestinationContractTests.report()
        for (url, isLoopback) in [("https://collector.example", false), ("http://127.0.0.1:4318", true)] {
            var answer = try Self.answer(200, Array(body.utf8), type)
            answer.isLoopback = isLoopback
            var destination = Destination.otlp(endpoint: url)
            let judgement = try destination.kind().judge(answer, to: report, DestinationContractTests.context())
            #expect(judgement.disposition == .hold(.acknowledgement))
            #expect(judgement.note == "the server answered 200 with a page, as no collector does")
            destination.acknowledgement = .any
            let any = try destination.kind().judge(answer, to: report, DestinationContractTests.context())
            #expect(any.disposition == .delivered)
        }
    }

    @Test("another body proves nothing, and a message beside no refusal is a warning in the receipt")
    func warnings() throws {
        let garbage = try Self.judge(200, Array("ok".utf8), "text/plain")
        #expect(garbage.disposition == .delivered)
        let warning = try Self.judge(200, OTLPVector.responses[2].bytes)
        #expect(warning.disposition == .delivered && warning.note == nil)
        let receipt = try JSONValue.parse(Array((warning.receipt ?? "").utf8))
        #expect(receipt["message"]?.stringValue == "deprecated attribute")
        #expect(receipt["left_out"] == nil)
    }
}
