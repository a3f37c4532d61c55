import Background
import Digests
import DurableIO
import Foundation
import Reports
import SystemPackage
import TestSupport
import Testing

/// A report counts how often it was handed in, neither more nor less, wherever the owner that takes it in dies.
@Suite("Exact occurrences")
struct OccurrenceTests {
    /// How often each text is handed in, by every way in and to every fate.
    private static let occurrences = [
        "new": 4, "dropped": 2, "known": 3, "queued": 3, "removed": 3, "removed, dropped": 2, "evicted": 2,
        "rejected": 3,
    ]

    /// What there is before the life that dies.
    private func prepare(_ harness: SpoolHarness) async throws {
        try await harness.make(.delivered, text: "known")
        for text in ["removed", "removed, dropped"] { try await harness.make(.removed, text: text) }
        try await harness.make(.evicted, text: "evicted")
        try await harness.make(.rejected, text: "rejected")
        try harness.add("queued")
        try await harness.takeIn()

        try harness.add("new")
        try harness.add("new")
        try harness.drop("new a", "new")
        try harness.drop("new b", "new")
        try harness.drop("dropped a", "dropped")
        try harness.drop("dropped b", "dropped")
        for text in ["known", "queued", "rejected"] {
            try harness.add(text)
            try harness.drop(text, text)
        }
        try harness.add("removed")
        try harness.add("removed")
        try harness.drop("removed, dropped", "removed, dropped")
        try harness.add("evicted")
    }

    /// A life in which no change to the disk is made from the n-th on.
    /// - Returns: whether it came so far.
    private func die(at point: Int, _ path: String, _ clock: ManualClock) async -> Bool {
        let files = FaultingFileSystem(killedAt: point)
        _ = try? await SpoolHarness(path, clock: clock, files: files).submit()
        return files.isDead
    }

    private func expectExact(_ path: String, _ clock: ManualClock, _ point: String) async throws {
        let harness = try SpoolHarness(path, clock: clock)
        try await harness.submit()
        _ = try await OrderDispatch(spool: harness.spool).carryOut(.retry, ids: nil)
        try await harness.submit()
        for (text, count) in Self.occurrences {
            let record = try #require(try harness.record(.of(text)), "\(point): \(text)")
            #expect(record.seen == count, "\(point): \(text)")
            #expect(record.state == .delivered, "\(point): \(text)")
        }
        for room in ["incoming", "taken", "tmp", "collected", "queued", "parked"] {
            #expect(try harness.entries(room) == [], "\(point): \(room)")
        }
        #expect(try harness.findings() == [], "\(point)")
    }

    @Test("each time a report is handed in counts once, whichever change its owner dies at", .timeLimit(.minutes(10)))
    func dead() async throws {
        var point = 0
        var isThrough = false
        while !isThrough {
            point += 1
            try await withTemporaryDirectory { directory in
                let (path, clock) = (directory + "/spool", ManualClock())
                try await prepare(SpoolHarness(path, clock: clock))
                isThrough = await !die(at: point, path, clock)
                try await expectExact(path, clock, "dead at change \(point)")
            }
        }
        #expect(point > 40)
    }

    @Test("nor when the next owner dies, and the one after it", .timeLimit(.minutes(10)), arguments: 0..<24)
    func deadAgain(seed: Int) async throws {
        var generator = SeededGenerator(seed: UInt64(seed))
        try await withTemporaryDirectory { directory in
            let (path, clock) = (directory + "/spool", ManualClock())
            try await prepare(SpoolHarness(path, clock: clock))
            var points: [Int] = []
            for _ in 0..<4 {
                points.append(Int.random(in: 1...40, using: &generator))
                _ = await die(at: points.last ?? 1, path, clock)
            }
            try await expectExact(path, clock, "dead at changes \(points)")
        }
    }
}

/// What the ledger remembers of sources, and for how long.
@Suite("Marks of sources")
struct SourceMarkTests {
    /// A spool whose owner died between the commit that counts a drop and the unlinking of it.
    private func withUnlinkedDrop(_ body: (SpoolHarness) async throws -> Void) async throws {
        try await withTemporaryDirectory { directory in
            let (path, clock) = (directory + "/spool", ManualClock())
            let files = FaultingFileSystem { call throws(FileSystemError) in
                guard call.operation == .remove, call.room == "taken" else { return }
                throw FileSystemError(.remove, "taken", .ioError)
            }
            let first = try SpoolHarness(path, clock: clock, files: files)
            try first.drop("drop", "one")
            try await first.takeIn()
            #expect(try first.takenNames() == ["drop"])
            try await body(SpoolHarness(path, clock: clock))
        }
    }

    @Test("a report that a person removes does not come back with a drop that was left behind")
    func removedStaysRemoved() async throws {
        try await withUnlinkedDrop { harness in
            _ = try await OrderDispatch(spool: harness.spool).carryOut(.remove, ids: [ContentHash.of("one").hex])
            try await harness.submit()
            #expect(try harness.state(.of("one")) == .removed)
            #expect(try harness.record(.of("one"))?.seen == 1)
            #expect(harness.sent == [])
            #expect(try harness.entries("taken") == [])
        }
    }

    @Test("a drop left behind brings its bytes back when the stored ones are lost")
    func lostBytes() async throws {
        try await withUnlinkedDrop { harness in
            try harness.remove(.of("one"), in: "queued")
            #expect(try await harness.submit().delivered == 1)
        }
    }

    /// The tokens of sources and orders that the ledger remembers.
    private func remembered(_ harness: SpoolHarness) throws -> [[String]] {
        try rows(of: "SELECT token FROM consumed_token", in: "\(harness.path)/ledger.sqlite")
    }

    @Test("they go with the next group, and all of them at an orderly end", arguments: [false, true])
    func forgotten(asDrop: Bool) async throws {
        try await withSpool { harness in
            try await harness.make(.delivered)
            let owner = try #require(try await harness.own())
            for number in 0..<3 {
                if asDrop { try harness.drop("drop", "one") } else { try harness.add("one") }
                harness.clock.advance(by: 1)
                try await takeIn(as: owner)
                #expect(try remembered(harness).count == 1, "\(number)")
            }
            try await owner.resign()
            #expect(try remembered(harness) == [])
            #expect(try harness.record(.of("one"))?.seen == 4)
        }
    }

    @Test("a copy of a drop with its name, size and time is counted, even in its place on the disk")
    func copies() async throws {
        try await withSpool { harness in
            let owner = try #require(try await harness.own())
            for _ in 0..<4 {
                try harness.drop("drop", "one")
                try FileManager.default.setAttributes(
                    [.modificationDate: Date(timeIntervalSince1970: 1_700_000_000)],
                    ofItemAtPath: "\(harness.path)/incoming/drop")
                try await takeIn(as: owner)
            }
            try await owner.resign()
            #expect(try harness.record(.of("one"))?.seen == 4)
        }
    }
}
