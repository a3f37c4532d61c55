import Background
import DurableIO
import Foundation
import TestSupport
import Testing

@testable import Reports

/// What a packed drop may cost, and when it is taken.
@Suite("Packed drops: bounds and order")
struct PackedDropBoundTests {
    private static let panic = "thread 'main' panicked at src/main.rs:2:5:\nindex out of bounds\n"

    /// A member of our own making: deflated.
    private func packed(_ payload: [UInt8], properties: String = #"{"v":1}"#) throws -> [UInt8] {
        try makeMember(payload, header: .sample(properties: properties)).sink.member
    }

    @Test("a bomb is given up at the largest report's size, stays with its reason, and keeps nothing else back")
    func bomb() async throws {
        var limits = SpoolLimits()
        limits.maximumReportByteCount = 1 << 20
        try await withSpool(limits: limits) { harness in
            let bomb = try packed([UInt8](repeating: 0, count: 64 << 20))
            #expect(bomb.count < 1 << 20)
            try harness.drop(bytes: bomb, as: "bomb.gz")
            try harness.drop("good", "good")
            #expect(try await harness.submit().delivered == 1)
            let reason = try #require(try harness.reason(ofDrop: "bomb.gz"))
            #expect(
                reason == "skipped: unpacks to more than the limit of 1048576 bytes: raise max_report_size to take it")
            #expect(try harness.takenNames() == ["bomb.gz"])
            #expect(try harness.entries("tmp") == [])
        }
    }

    @Test("one that would be more than all reports may take together is given up, too")
    func bombInAll() async throws {
        var limits = SpoolLimits()
        limits.maximumTotalByteCount = 64 << 10
        try await withSpool(limits: limits) { harness in
            var generator = SeededGenerator(seed: 1)
            try harness.drop(bytes: PackedDrop(generator.noise(1 << 20)).bytes)
            #expect(try await harness.submit().delivered == 0)
            #expect(try harness.takenNames() == ["packed.gz"])
            let notes = try harness.findings(.note)
            #expect(notes.contains { $0.contains("raise max_total_size") }, "\(notes)")
        }
    }

    @Test("one that yields more than its trailer says is read no further than that")
    func lyingTrailer() async throws {
        try await withSpool { harness in
            var bytes = try packed([UInt8](repeating: 0, count: 32 << 20))
            bytes.replaceSubrange(bytes.count - 4..<bytes.count, with: [1, 0, 0, 0])
            try harness.drop(bytes: bytes)
            let file = try harness.spool.files.openFile("packed.gz", in: harness.spool.incoming)
            let header = try #require(
                try DropHeader.read(of: file, size: UInt64(bytes.count), files: harness.spool.files))
            let facts = try harness.spool.files.metadata(of: file)
            var reading = try UnpackedReading(file, facts: facts, header: header, files: harness.spool.files)
            var steps = 0
            #expect(throws: ZlibError.self) {
                while !reading.isAtEnd {
                    steps += 1
                    try reading.fill()
                }
            }
            #expect(steps == 1)
            #expect(reading.bytes.count <= 2)
            #expect(try await harness.submit().delivered == 1)
            #expect(try harness.state(.of(bytes: bytes)) == .delivered)
        }
    }

    @Test("one that holds megabytes and yields nothing is read in short steps")
    func yieldsNothing() async throws {
        var drop = PackedDrop("")
        let empty: [UInt8] = [0, 0, 0, 0xff, 0xff]
        let bytes =
            drop.header + [[UInt8]](repeating: empty, count: 400_000).joined() + PackedDrop("x").bytes.suffix(14)
        drop.payload = Array("x".utf8)
        try await withSpool { harness in
            try harness.drop(bytes: bytes)
            let file = try harness.spool.files.openFile("packed.gz", in: harness.spool.incoming)
            let header = try #require(
                try DropHeader.read(of: file, size: UInt64(bytes.count), files: harness.spool.files))
            let facts = try harness.spool.files.metadata(of: file)
            var reading = try UnpackedReading(file, facts: facts, header: header, files: harness.spool.files)
            var steps = 0
            while !reading.isAtEnd {
                try reading.fill()
                steps += 1
            }
            #expect(steps > 5)
            #expect(try await harness.submit().delivered == 1)
            #expect(try harness.state(.of("x")) == .delivered)
        }
    }

    @Test(
        "payloads of every size around the buffers are unpacked whole",
        arguments: [0, 1, 262_143, 262_144, 262_145, 1 << 20])
    func sizes(count: Int) async throws {
        try await withSpool { harness in
            for (number, payload) in [
                SamplePayload.zeros(count), SamplePayload.text(count), SamplePayload.random(count),
            ]
            .enumerated() {
                try harness.drop(bytes: try packed(payload), as: "deflated-\(number)")
                try harness.drop(bytes: PackedDrop(payload).bytes, as: "stored-\(number)")
                try await harness.submit()
                #expect(try harness.state(.of(bytes: payload)) == .delivered)
            }
            #expect(harness.sent.count == (count == 0 ? 1 : 3))
        }
    }

    // MARK: - The order

    @Test("a given crash and a payload that begins like one go before the others; a given kind counts more than a look")
    func order() throws {
        try withTemporaryDirectory { directory in
            let harness = try SpoolHarness(directory + "/spool")
            let long = String(repeating: "x", count: 1_000)
            let padding = #""annotations":{"padding":"\#(long)","more":"\#(long)"}"#
            try harness.drop(bytes: PackedDrop("tiny").bytes, as: "a")
            try harness.drop(bytes: PackedDrop("given", properties: #"{"kind":"crash",\#(padding)}"#).bytes, as: "b")
            try harness.drop(bytes: PackedDrop(Self.panic, properties: "{\(padding)}").bytes, as: "c")
            try harness.drop(bytes: PackedDrop(Self.panic, properties: #"{"kind":"log"}"#).bytes, as: "d")
            try harness.drop(bytes: PackedDrop(Self.panic, properties: nil).bytes, as: "e")
            var order = DropOrder()
            let zone = DropZone(spool: harness.spool)
            _ = zone.look(into: &order, tries: { _, _ in 0 }, leave: { _ in })
            zone.readHeads(into: &order)
            var names: [String] = []
            while let next = order.popSmall() { names.append(next.name.description) }
            #expect(Set(names.prefix(3)) == ["b", "c", "e"])
            #expect(names.suffix(2) == ["a", "d"])
        }
    }

    @Test("one that is small and holds much is collected by itself, like any large drop")
    func largeWithin() async throws {
        try await withTemporaryDirectory { directory in
            let harness = try SpoolHarness(directory + "/spool", largeDropByteCount: 1 << 20)
            let payload = SamplePayload.zeros(4 << 20)
            let bytes = try packed(payload)
            #expect(bytes.count < 64 << 10)
            try harness.drop(bytes: bytes)
            var order = DropOrder(largeByteCount: 1 << 20)
            let zone = DropZone(spool: harness.spool)
            _ = zone.look(into: &order, tries: { _, _ in 0 }, leave: { _ in })
            #expect(zone.readHeads(into: &order))
            #expect(order.popSmall() == nil)
            #expect(order.popLarge()?.name == "packed.gz")
            #expect(try await harness.submit().delivered == 1)
            #expect(try harness.state(.of(bytes: payload)) == .delivered)
        }
    }

    @Test(
        "before anybody has read its beginning it counts as small; the group leaves it, and it is collected by itself")
    func largeWithinUnread() async throws {
        try await withTemporaryDirectory { directory in
            let harness = try SpoolHarness(directory + "/spool", largeDropByteCount: 1 << 20)
            try harness.drop(bytes: packed(SamplePayload.zeros(4 << 20)))
            var order = DropOrder(largeByteCount: 1 << 20)
            _ = DropZone(spool: harness.spool).look(into: &order, tries: { _, _ in 0 }, leave: { _ in })
            let first = order.popSmall()
            let entry = try #require(first)
            let owner = try #require(try await harness.own())
            let intake = Intake(owner)
            var summary = Intake.Summary()
            guard let taken = intake.open(entry, &summary) else { throw CocoaError(.fileNoSuchFile) }
            let candidate = intake.candidate(of: taken, betweenBlocks: {}, &summary)
            #expect(candidate == nil)
            #expect(summary.young == 1)
            try await takeIn(as: owner)
            try await owner.resign()
            #expect(try harness.state(.of(bytes: SamplePayload.zeros(4 << 20))) == .queued)
        }
    }

    // MARK: - Readers

    @Test("list shows kind, name and annotations before it is taken")
    func listed() async throws {
        try await withSpool { harness in
            let properties = #"{"kind":"crash","name":"shop.core","annotations":{"version":"2.1"}}"#
            try harness.drop(bytes: PackedDrop("p", properties: properties).bytes)
            var views: [ReportView] = []
            try SpoolInspector(spool: harness.spool).forEachReport(.init(states: ["incoming"])) { views.append($0) }
            let view = try #require(views.first)
            #expect(view.id == nil)
            #expect(view.kind == "crash")
            #expect(view.name == Array("shop.core".utf8))
            #expect(view.annotations == ["version": "2.1"])
        }
    }
}
