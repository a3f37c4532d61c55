import Diagnosis
import Foundation
import TestSupport
import Testing

@testable import Reports

/// One crash of a Swift program, field by field, against an event that a Sentry-compatible server stored.
@Suite("an event of a Swift crash")
struct SentryExampleTests {
    private let event: SentryEvent
    private let stored: JSONValue

    init() throws {
        let name = "shopd-2740-0.0.json"
        event = try SentryEvent(
            of: CorpusFile.bytes(of: name), name: name,
            annotations: ["version": "2.1.0", "environment": "lab", "site": "berlin", "user.id": "u-17"])
        stored = try JSONValue.parse(
            [UInt8](Data(contentsOf: ScriptedAnswer.fixtures.appending(path: "sentry-event.json"))))
    }

    @Test("whose it is, and what it is")
    func members() {
        for key in [
            "event_id", "platform", "level", "logentry", "sdk", "server_name", "environment", "release", "user", "tags",
            "debug_meta", "threads",
        ] {
            #expect(Self.sorted(event.json[key]) == Self.sorted(stored[key]), "\(key)")
        }
        // The reader of times has no microseconds.
        #expect(event.json["timestamp"]?.stringValue == "2026-11-22T11:13:03.038Z")
        #expect(event.id == "ae05a4c05bfe4eaba38e002a9600beda")
        #expect(event.attachmentType == "event.attachment")
        #expect(event.json["fingerprint"] == nil)
        #expect(event.json["extra"] == nil)
    }

    @Test("what the program ran on")
    func contexts() {
        let (own, other) = (event.json["contexts"], stored["contexts"])
        for key in ["runtime", "os", "device", "app"] { #expect(own?[key] == other?[key], "\(key)") }
        for key in ["id", "size", "pid"] { #expect(own?["report"]?[key] == other?["report"]?[key], "\(key)") }
        #expect(own?["report"]?["collected_at"]?.stringValue == "2026-12-01T12:00:00.000Z")
    }

    @Test("the exception says what the signal is, and leaves the title to the function")
    func exception() throws {
        let other = stored["exception"]?["values"]?[0]
        #expect(event.json["exception"]?["values"]?.arrayValue?.count == 1)
        #expect(event.exception?["type"] == other?["type"])
        #expect(event.exception?["value"]?.stringValue == "Illegal instruction at 0x7f380faf9361")
        #expect(event.exception?["thread_id"] == other?["thread_id"])
        let mechanism = event.exception?["mechanism"]
        for key in ["type", "handled", "synthetic", "meta"] { #expect(mechanism?[key] == other?["mechanism"]?[key]) }
        #expect(mechanism?["data"]?["relevant_address"]?.stringValue == "0x7f380faf9361")
    }

    @Test("the frames, with the addresses of the calls, and the registers")
    func stack() throws {
        let (own, other) = (event.exception?["stacktrace"], stored["exception"]?["values"]?[0]?["stacktrace"])
        #expect(own?["registers"] == other?["registers"])
        #expect(own?["instruction_addr_adjustment"] == other?["instruction_addr_adjustment"])
        let frames = try #require(other?["frames"]?.arrayValue)
        #expect(event.frames.count == frames.count)
        for (index, (frame, expected)) in zip(event.frames, frames).enumerated() {
            #expect(Self.sorted(frame) == Self.sorted(expected), "frame \(index)")
        }
    }

    /// The value with the members of all objects in one order.
    private static func sorted(_ value: JSONValue?) -> JSONValue? {
        switch value {
        case .object(let object):
            let members = object.members.sorted { $0.key < $1.key }
            return .object(JSONObject(members.map { .init(key: $0.key, value: sorted($0.value) ?? .null) }))
        case .array(let list): return .array(list.compactMap(sorted))
        default: return value
        }
    }
}
