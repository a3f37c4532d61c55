import Diagnosis
import DurableIO
import Testing

@testable import Reports

/// The bytes of messages, against those that opentelemetry-proto's classes make.
@Suite("Protocol buffers")
struct ProtobufWriterTests {
    @Test("a whole request is the same byte for byte")
    func request() throws {
        let vector = try #require(OTLPVector.requests.first { $0.name == "app.crash" })
        let json = try #require(vector.record)
        func number(_ name: String) -> UInt64? { json[name]?.stringValue.flatMap { UInt64($0) } }
        var record = OTLPRecord(
            time: try #require(number("timeUnixNano")), observedTime: try #require(number("observedTimeUnixNano")),
            severity: .fatal, eventName: json["eventName"]?.stringValue,
            body: try #require(json["body"]?["stringValue"]?.stringValue), scope: ("reports", "0.1.0"))
        record.attributes = try Self.attributes(json["attributes"])
        record.resource = try Self.attributes(vector.resource?["attributes"])
        #expect(record.attributes.items.count == 15)
        #expect(record.request == vector.protobuf)
    }

    private static func attributes(_ json: JSONValue?) throws -> OTLPAttributes {
        var attributes = OTLPAttributes()
        for item in try #require(json?.arrayValue) {
            let key = try #require(item["key"]?.stringValue)
            if let text = item["value"]?["stringValue"]?.stringValue {
                attributes.add(key, .text(text))
            } else {
                attributes.add(key, try #require(item["value"]?["intValue"]?.stringValue.flatMap { Int64($0) }))
            }
        }
        return attributes
    }

    @Test("values that have their default, and a negative number, are written as others write them")
    func values() throws {
        let vector = try #require(OTLPVector.requests.first { $0.name == "every kind of value" })
        func bytes(_ value: OTLPAttributes.Value) -> [UInt8] { ProtobufWriter.message { $0.write(value) } }
        for value in [
            OTLPAttributes.Value.text(""), .text("x"), .text("v"), .truth(false), .number(-1),
        ] {
            let value = bytes(value)
            // With its length before it, as it stands in a list of values.
            #expect(vector.protobuf.firstRange(of: [UInt8(value.count)] + value) != nil, "\(value)")
        }
        #expect(bytes(.number(-1)).count == 11)
        #expect(bytes(.number(0)) == [0x18, 0])
        #expect(bytes(.truth(true)) == [0x10, 1])
    }

    @Test(
        "numbers of any size are read as they were written",
        arguments: [0, 1, 127, 128, 300, 1 << 32, UInt64(Int64.max), .max])
    func numbers(value: UInt64) {
        let message = ProtobufWriter.message { writer in
            writer.write(1, varint: value)
            writer.write(16, fixed: value)
            writer.write(2_047, message: { $0.write(3, text: "größe 🦀") })
        }
        let fields = Array(ProtocolBuffer(message[...]))
        #expect(fields.map(\.number) == [1, 16, 2_047])
        #expect(fields[0].value.number == value && fields[1].value.number == value)
        var content = fields[2].value.message
        #expect(content.next()?.value.longText == "größe 🦀")
    }
}
