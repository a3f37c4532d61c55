import Background
import Digests
import DurableIO
import Foundation
import TestSupport
import Testing

@testable import Reports

/// Drops that are one gzip member with a header of our own, as another user's `add` and `reports run` write them.
@Suite("Packed drops")
struct PackedDropTests {
    private static let panic = "thread 'main' panicked at src/main.rs:2:5:\nindex out of bounds\n"

    private func view(_ payload: String, _ harness: SpoolHarness) throws -> ReportView {
        try SpoolInspector(spool: harness.spool).report(ContentHash.of(payload).hex)
    }

    // MARK: - What arrives

    @Test("the payload arrives under its own hash, with the kind, name, annotations and time of the header")
    func arrives() async throws {
        try await withSpool { harness in
            let drop = PackedDrop(
                "a payload",
                properties: """
                    {"v":1,"kind":"hang","kind_from":"given","name":"shop.log",\
                    "collected_at":"2001-02-03T04:05:06.007Z",\
                    "annotations":{"version":"2.1","user":"é"},"snapshot":true}
                    """)
            try harness.drop(bytes: drop.bytes)
            #expect(try await harness.submit().delivered == 1)
            let view = try view("a payload", harness)
            #expect(view.kind == "hang")
            #expect(view.name == Array("shop.log".utf8))
            #expect(view.annotations == ["version": "2.1", "user": "é"])
            #expect(view.collectedAt == RFC3339.milliseconds("2001-02-03T04:05:06.007Z"))
            #expect(view.size == 9)
            #expect(view.isSnapshot)
            #expect(view.format == "text")
            let fields = try #require(harness.transport.sent.first).request.fields
            #expect(fields.contains { $0.name.canonicalName == "report-kind" && $0.value == "hang" })
            #expect(try harness.entries("incoming") + harness.entries("taken") + harness.entries("tmp") == [])
        }
    }

    @Test("a kind that was recognised elsewhere, or is none, is recognised anew from the payload")
    func recognised() async throws {
        for (number, properties) in [
            #"{"kind":"log","kind_from":"recognised"}"#, #"{"kind":"log","kind_from":"default"}"#,
            #"{"kind":"nonsense","kind_from":"given"}"#, #"{"kind":7}"#, "{}",
        ].enumerated() {
            try await withSpool { harness in
                try harness.drop(bytes: PackedDrop(Self.panic + "\(number)", properties: properties).bytes)
                #expect(try await harness.submit().delivered == 1)
                let view = try view(Self.panic + "\(number)", harness)
                #expect(view.kind == "crash", "\(properties)")
                #expect(view.name == nil)
                #expect(view.format == "rust-panic", "\(properties)")
            }
        }
    }

    @Test("an ordinary gzip file stays what it is, with an extra field or without")
    func ordinary() async throws {
        try await withSpool { harness in
            var foreign = PackedDrop("foreign", properties: nil)
            foreign.otherFields = PackedDrop.field("BC", [1, 0])
            let drops = [foreign.bytes, PackedDrop("plain", properties: nil).bytes]
            for (number, bytes) in drops.enumerated() { try harness.drop(bytes: bytes, as: "\(number).gz") }
            #expect(try await harness.submit().delivered == 2)
            for bytes in drops { #expect(try harness.state(.of(bytes: bytes)) == .delivered) }
        }
    }

    @Test("a stored report that is dropped again is the same report, whatever it was")
    func droppedAgain() async throws {
        try await withSpool { harness in
            for text in ["", "text", Self.panic, String(repeating: "long ", count: 100_000)] {
                let id = try harness.add(text, kind: .log, annotations: ["version": "1"])
                try await harness.takeIn()
                try whileNothingStarts {
                    try FileManager.default.copyItem(
                        at: harness.file(id, in: "queued"), to: URL(fileURLWithPath: "\(harness.path)/incoming/again"))
                }
                try await harness.takeIn()
                #expect(try harness.record(id)?.seen == 2)
                #expect(try harness.entries("incoming") + harness.entries("taken") == [])
            }
            #expect(try harness.entries("queued").count == 4)
            #expect(try await harness.submit().delivered == 4)
        }
    }

    @Test("a packed payload that is itself a packed drop is unpacked once")
    func nested() async throws {
        try await withSpool { harness in
            let inner = PackedDrop("inner").bytes
            try harness.drop(bytes: PackedDrop(inner).bytes)
            #expect(try await harness.submit().delivered == 1)
            #expect(try harness.state(.of(bytes: inner)) == .delivered)
        }
    }

    // MARK: - What is never believed

    @Test("nothing in a header sends a report elsewhere, or says what the owner finds out itself")
    func notBelieved() async throws {
        try await withSpool { harness in
            var drop = PackedDrop(
                "evil",
                properties: """
                    {"v":99,"id":"\(ContentHash.of("other").hex)","size":1,"format":"elf-core",
                    "content_type":"text/evil\\r\\nX: y",
                    "summary":"lies","source":"source/x","url":"http://evil.example/","endpoint":"http://evil.example/",
                    "headers":["Authorization"],"lane":"@http://evil.example:80","destination":"evil","rank":0,
                    "request":{"method":"PUT","url":"http://evil.example/","headers":[]}}
                    """)
            drop.otherFields = PackedDrop.field("RD", [1] + [UInt8](repeating: 0xff, count: 40))
            drop.fileName = Array("../../etc/passwd".utf8)
            try harness.drop(bytes: drop.bytes)
            #expect(try await harness.submit().delivered == 1)
            let sent = try #require(harness.transport.sent.first)
            #expect(sent.name == ContentHash.of("evil").hex)
            #expect(sent.request.endpoint.description == "http://collector.example/reports/\(sent.name)")
            let record = try #require(try harness.record(.of("evil")))
            #expect(record.request == nil)
            #expect(record.lane == .main)
            for word in ["evil.example", "passwd", "lies", "source/x", "elf-core"] {
                #expect(!record.metadata.contains(word), "\(record.metadata)")
            }
            let view = try view("evil", harness)
            #expect((view.format, view.summary) == ("text", "evil"))
            #expect(view.size == 4)
            #expect(view.request == nil)
        }
    }

    @Test("what breaks the rules of annotations is left out, and the payload comes in")
    func annotations() async throws {
        let long = String(repeating: "v", count: 1_025)
        for (members, expected) in [
            ((0..<65).map { #""k\#($0)":"v""# }.joined(separator: ","), (0..<64).map { "k\($0)" }),
            (#""good":"1","bad key":"2","":"3","é":"4","number":5,"null":null,"list":[]"#, ["good"]),
            (#""Version":"1","version":"2""#, ["Version"]),
            (#""long":"\#(long)","\#(String(repeating: "k", count: 65))":"1","good":"1""#, ["good"]),
        ] {
            try await withSpool { harness in
                try harness.drop(bytes: PackedDrop("p", properties: #"{"annotations":{\#(members)}}"#).bytes)
                #expect(try await harness.submit().delivered == 1)
                #expect(try view("p", harness).annotations.keys.sorted() == expected.sorted())
            }
        }
    }

    @Test("annotations that do not fit into a stored report are left out, the last ones first")
    func annotationsThatGrow() async throws {
        // Each of these is one byte here and six where it is stored.
        let value = String(repeating: "\u{7f}", count: 1_000)
        let members = (10..<50).map { #""k\#($0)":"\#(value)""# }.joined(separator: ",")
        try await withSpool { harness in
            let properties = #"{"annotations":{\#(members)}}"#
            #expect(properties.utf8.count < 48 << 10)
            try harness.drop(bytes: PackedDrop("p", properties: properties).bytes)
            #expect(try await harness.submit().delivered == 1)
            let keys = try view("p", harness).annotations.keys.sorted()
            #expect(!keys.isEmpty)
            #expect(keys == (10..<50).map { "k\($0)" }.prefix(keys.count).map(\.self))
        }
    }

    @Test(
        "a name is one that a file can have",
        arguments: [
            (#""name":"../../etc/passwd""#, ".._.._etc_passwd"), (#""name":"a\u0000b\n\u001b[31m""#, "a_b__[31m"),
            (#""name":"/""#, "_"), (#""name":"..""#, nil), (#""name":"""#, nil), (#""name":7"#, nil),
            (#""name":"x","name_b64":"Li4vL8M=""#, ".._/\u{c3}"),
        ] as [(String, String?)])
    func names(member: String, expected: String?) async throws {
        try await withSpool { harness in
            try harness.drop(bytes: PackedDrop("p", properties: "{\(member)}").bytes, as: "dropped.gz")
            #expect(try await harness.submit().delivered == 1)
            let name = try view("p", harness).name
            if member.contains("b64") {
                #expect(name == Array(".._".utf8) + [UInt8(ascii: "_"), 0xc3])
            } else {
                #expect(name.map { String(decoding: $0, as: UTF8.self) } == expected)
            }
        }
    }

    @Test(
        "a time that has not come, lies before 1970 or is none counts as the owner's own",
        arguments: [
            "9999-01-01T00:00:00.000Z", "1969-12-31T23:59:59.999Z", "0001-01-01T00:00:00.000Z", "yesterday", "",
        ])
    func times(text: String) async throws {
        try await withSpool { harness in
            try harness.drop(bytes: PackedDrop("p", properties: #"{"collected_at":"\#(text)"}"#).bytes)
            let now = harness.clock.wallMilliseconds
            #expect(try await harness.submit().delivered == 1)
            let collectedAt = try #require(try view("p", harness).collectedAt)
            #expect((now...harness.clock.wallMilliseconds).contains(collectedAt))
        }
    }

    // MARK: - What is no packed drop

    /// Bytes that begin like a packed drop and are none.
    private static let others: [(String, [UInt8])] = {
        let sound = PackedDrop("a payload", properties: #"{"kind":"crash","kind_from":"given"}"#).bytes
        var checksum = sound
        checksum[sound.count - 8] ^= 1
        var length = sound
        length[sound.count - 4] += 1
        var shorter = sound
        shorter[sound.count - 4] -= 1
        return [
            ("cut in the trailer", sound.dropLast()), ("cut in the payload", sound.dropLast(10)),
            ("cut in the header", Array(sound.prefix(30))), ("cut behind the header", sound.dropLast(8 + 5 + 9)),
            ("a byte behind it", sound + [0]),
            ("a page of zeros behind it", sound + [UInt8](repeating: 0, count: 4_096)),
            ("two members", sound + sound),
            ("an ordinary member behind it", sound + PackedDrop("x", properties: nil).bytes),
            ("a wrong checksum", checksum), ("a length that is too large", length), ("one that is too small", shorter),
            ("an RP that is no JSON", PackedDrop("a payload", properties: "{").bytes),
            ("an RP that is no object", PackedDrop("a payload", properties: "[1]").bytes),
            ("an empty RP", PackedDrop("a payload", properties: "").bytes),
            (
                "an RP of more than 48 KiB",
                PackedDrop("p", properties: "{}" + String(repeating: " ", count: 48 << 10)).bytes
            ),
        ]
    }()

    @Test("what turns out to be no packed drop gets nothing of the header that it seemed to have")
    func headerOfNone() async throws {
        try await withSpool { harness in
            let drop = PackedDrop("a payload", properties: #"{"v":1,"annotations":{"service":"evil"}}"#)
            let bytes = drop.bytes + Array("behind it".utf8)
            try harness.drop(bytes: bytes)
            _ = try await harness.submit()
            let view = try SpoolInspector(spool: harness.spool).report(ContentHash.of(bytes: bytes).hex)
            #expect(view.annotations == [:])
        }
    }

    @Test("a damaged one, one with anything behind it, and one without a readable RP arrive as they are")
    func asTheyAre() async throws {
        try await withSpool { harness in
            for (number, other) in Self.others.enumerated() {
                try harness.drop(bytes: other.1, as: "other-\(number).gz")
            }
            #expect(try await harness.submit().delivered == Self.others.count)
            for (number, (what, bytes)) in Self.others.enumerated() {
                let view = try SpoolInspector(spool: harness.spool).report(ContentHash.of(bytes: bytes).hex)
                #expect(view.state == "delivered", "\(what)")
                #expect(view.name == Array("other-\(number).gz".utf8), "\(what)")
                #expect(view.kind != "crash" || what.contains("RP"), "\(what)")
            }
            #expect(try harness.entries("tmp") + harness.entries("taken") == [])
            #expect(try harness.findings() == [])
        }
    }

    @Test("of bytes changed at random each drop arrives, as its payload or as it is")
    func changedAtRandom() async throws {
        var generator = SeededGenerator(seed: 16)
        let sound = PackedDrop(Self.panic, properties: #"{"kind":"log","annotations":{"a":"b"}}"#).bytes
        try await withSpool { harness in
            var ids: Set<ContentHash> = []
            for number in 0..<300 {
                var bytes = sound
                for _ in 0..<Int.random(in: 1...3, using: &generator) {
                    bytes[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8.random(
                        in: 0...255, using: &generator)
                }
                ids.insert(.of(bytes: bytes))
                try harness.drop(bytes: bytes, as: "\(number)")
            }
            try await harness.submit()
            #expect(try harness.entries("incoming") + harness.entries("taken") + harness.entries("tmp") == [])
            for id in ids where try harness.state(id) == nil {
                #expect(try harness.state(.of(Self.panic)) == .delivered)
            }
            for name in harness.sent {
                #expect(ids.contains { $0.hex == name } || name == ContentHash.of(Self.panic).hex)
            }
        }
    }
}

extension SpoolHarness {
    /// Drops bytes as any program does.
    func drop(bytes: [UInt8], as name: String = "packed.gz") throws {
        try whileNothingStarts {
            try Data(bytes).write(to: URL(fileURLWithPath: "\(path)/incoming/\(name)"))
        }
    }
}
