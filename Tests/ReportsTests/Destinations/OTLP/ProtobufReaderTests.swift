import Diagnosis
import Testing

@testable import Reports

/// What is a message of a protocol buffer, and what only begins like one.
@Suite("Reading protocol buffers strictly")
struct ProtobufReaderTests {
    private static let message = ProtobufWriter.message { writer in
        writer.write(1, varint: 300)
        writer.write(2, text: "text")
        writer.write(3, fixed: 7)
        writer.write(4) { $0.write(1, varint: .max) }
    }

    @Test("a whole message has all its fields, and one that is cut within a field is none")
    func whole() throws {
        let fields = try #require(ProtobufReader.fields(of: Self.message[...]))
        #expect(fields.map(\.number) == [1, 2, 3, 4])
        #expect(fields[0].value.number == 300 && fields[1].value.longText == "text")
        #expect(fields[3].value.bytes.flatMap { ProtobufReader.fields(of: $0) }?.first?.value.number == .max)
        #expect(ProtobufReader.fields(of: [])?.isEmpty == true)
        let ends = [0, 3, 9, 18, Self.message.count]
        for count in 0...Self.message.count {
            #expect((ProtobufReader.fields(of: Self.message.prefix(count)) != nil) == ends.contains(count))
        }
    }

    @Test("texts are no messages", arguments: ["ok", "OK\n", "success", "404 page not found", "{}", "<html>", "[1]"])
    func texts(text: String) {
        #expect(ProtobufReader.fields(of: Array(text.utf8)[...]) == nil)
    }
}
