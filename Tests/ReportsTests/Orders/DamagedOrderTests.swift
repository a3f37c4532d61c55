import Foundation
import Reports
import TestSupport
import Testing

@Suite("Orders that are none, or not for this program")
struct DamagedRequestTests {
    @Test(
        "a request whose id is no id is no request, and never means all",
        arguments: [#""id":7,"#, #""id":"","#, #""id":"0123","#, #""id":["a"],"#, ""])
    func damagedIdentifier(_ member: String) {
        let text = #"{"action":"retry",\#(member)"filed_at":1}"#
        #expect(throws: Order.Problem.damaged) { try Order(bytes: Array(text.utf8)) }
    }

    @Test(
        "what is written is read again, with an id and for all",
        arguments: [nil, String(repeating: "a1", count: 32)])
    func roundTrip(_ id: String?) throws {
        let request = Order(.retry, id.map { .report($0) } ?? .all, filedAt: 12)
        #expect(try Order(bytes: request.bytes) == request)
    }

    @Test("an order to try is about all, and never about one report")
    func tryOrder() throws {
        let order = Order(.submit, .all, filedAt: 12)
        #expect(try Order(bytes: order.bytes) == order)
        let bytes = Order(.submit, .report(String(repeating: "a1", count: 32)), filedAt: 12).bytes
        #expect(throws: Order.Problem.damaged) { try Order(bytes: bytes) }
    }

    /// Contents of an order file, and what `doctor` calls it.
    static let strangers: [(text: String, level: Doctor.Finding.Level, words: String)] = [
        (#"{"action":"purge","id":null,"filed_at":1}"#, .note, #"an order to "purge", which this program"#),
        (#"{"action":"hold","until":7}"#, .note, #"an order to "hold""#),
        ("no JSON", .error, "an order that is damaged"), ("", .error, "an order that is damaged"),
        (#"{"action":"remove","id":null,"filed_at":1}"#, .error, "an order that is damaged"),
    ]

    @Test("an order that this program cannot carry out stays, is named, and nobody waits for it", arguments: strangers)
    func stranger(text: String, level: Doctor.Finding.Level, words: String) async throws {
        try await withSpool { harness in
            let path = harness.path + "/collected/0123456789abcdef.request"
            try Data(text.utf8).write(to: URL(fileURLWithPath: path))
            chmod(path, 0o600)
            let id = try harness.add("one")
            #expect(try await harness.submit().delivered == 1)
            #expect(try await harness.submit().delivered == 0)
            #expect(harness.sent == [id.hex])
            #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == Data(text.utf8))
            let findings = try harness.findings(level)
            #expect(findings.count == 1)
            #expect(findings.first?.hasPrefix("collected/0123456789abcdef.request: \(words)") == true, "\(findings)")
            // Beside an owner with nothing else to do, a submit is done at once.
            let owner = try #require(try await harness.own())
            #expect(try await !harness.submit().isOwnedElsewhere)
            try await owner.resign()
        }
    }

    @Test("an order that cannot be read does not keep reports from being sent")
    func directory() async throws {
        try await withSpool { harness in
            try FileManager.default.createDirectory(
                atPath: harness.path + "/collected/0123.request", withIntermediateDirectories: false)
            try harness.add("one")
            #expect(try await harness.submit().delivered == 1)
            let words = "collected/0123.request: an order that cannot be read"
            #expect(try harness.findings().contains { $0.hasPrefix(words) })
        }
    }
}
