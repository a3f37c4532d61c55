import Background
import Digests
import DurableIO
import TestSupport
import Testing

@testable import Reports

/// One report's long annotations keep neither it nor the others from a server that takes short header fields only.
@Suite("Annotations that a server does not take", .timeLimit(.minutes(1)))
struct LongAnnotationsTests {
    private static let long = Dictionary(
        uniqueKeysWithValues: (0..<12).map { ("key\($0)", String(repeating: "x", count: 1_000)) })

    private func hasAnnotations(_ sent: ScriptedTransport.Sent) -> Bool {
        sent.request.fields.contains { $0.name.rawName == "Report-Annotations" }
    }

    @Test("the report goes once more at once without them, and its receipt says so", arguments: [431, 400])
    func again(status: Int) async throws {
        try await withSpool { harness in
            harness.transport.answer { sent in
                let length = sent.request.fields.reduce(0) { $0 + $1.value.utf8.count }
                return .status(length > 8_192 ? status : 201)
            }
            for index in 0..<6 { try harness.add("long \(index)", annotations: Self.long) }
            try harness.add("short", annotations: ["key": "value"])
            let summary = try await harness.submit()
            #expect(summary.delivered == 7)
            #expect(harness.transport.sent.count == 13)
            let id = ContentHash(of: Array("long 0".utf8))
            #expect(try harness.record(id)?.receipt?.contains(#""left_out":["annotations"]"#) == true)
            #expect(try harness.record(id)?.attempts == 1)
        }
    }

    @Test("a server that refuses all the same has the last word", arguments: [431, 400])
    func refused(status: Int) async throws {
        try await withSpool { harness in
            harness.transport.answer { _ in .status(status) }
            try harness.add("long", annotations: Self.long)
            let summary = try await harness.submit()
            #expect(summary.rejected == 1)
            #expect(harness.transport.sent.map(hasAnnotations) == [true, false])
        }
    }

    @Test(
        "short annotations are not to blame for a 400, and none for a 431",
        arguments: [(400, ["a": "b"]), (431, [:])])
    func notToBlame(status: Int, annotations: [String: String]) async throws {
        try await withSpool { harness in
            harness.transport.answer { _ in .status(status) }
            try harness.add("short", annotations: annotations)
            #expect(try await harness.submit().rejected == 1)
            #expect(harness.transport.sent.count == 1)
        }
    }
}
