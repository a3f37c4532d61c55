import TestSupport
import Testing

@testable import Reports

@Suite("Sources that were left")
struct LeftSourcesTests {
    @Test("the reason of a drop that is collected beside the looks is known whenever it is told")
    func betweenLooks() {
        let left = LeftSources()
        let key = LeftSources.Key("taken/0123456789abcdef.core", inode: 1, size: 2, modified: 3)
        left.beginLook()
        // As while the last look's reasons are being written.
        left.note(key, .notCollected("is too large"))
        left.beginLook()
        #expect(left.cause(of: key)?.text == "is too large")
        left.beginLook()
        #expect(left.cause(of: key)?.text == nil)
    }

    @Test("a look keeps the reason of a drop whose collecting has failed, and still counts as under way")
    func underWay() async throws {
        try await withTemporaryDirectory { directory in
            let harness = try SpoolHarness(directory + "/spool")
            let owner = try #require(try await harness.own())
            try harness.drop("core", "too large")
            var list = IntakeList(Intake(owner))
            var found: DropOrder.Entry?
            // A drop may be complete only at the second look.
            for _ in 0..<100 where found == nil {
                try await list.look()
                found = list.drops.popSmall()
            }
            _ = list.intake.open(try #require(found), &list.summary)
            var key: LeftSources.Key?
            try await list.look(besides: { entry in
                key = Intake.Source(entry).key
                return true
            })
            owner.left.note(try #require(key), .notCollected("is too large"))
            try await list.look(besides: { _ in true })
            try await list.endLook(isLast: true)
            #expect(try SpoolInspector(spool: harness.spool).leftReasons().values.sorted() == ["is too large"])
            try await owner.resign()
        }
    }

    @Test("a source that changes again and again, and is left for the same reason, costs a commit every 10 s")
    func versions() async throws {
        try await withTemporaryDirectory { directory in
            let harness = try SpoolHarness(directory + "/spool")
            let owner = try #require(try await harness.own())
            func look(
                _ version: UInt64, _ reason: String, at now: Int64, isLast: Bool = false
            ) async throws -> [String] {
                let key = LeftSources.Key("incoming/x", inode: 1, size: version, modified: 1)
                owner.left.beginLook()
                owner.left.note(key, .notTaken(reason))
                try await owner.left.endLook(owner.queue, at: now, isLast: isLast)
                return try SpoolInspector(spool: harness.spool).leftReasons().keys.sorted()
            }
            func key(_ version: Int) -> String { "left/incoming/x/1-\(version)-1" }
            #expect(try await look(1, "no", at: 0) == [key(1)])
            #expect(try await look(2, "no", at: 9_999) == [key(1)])
            #expect(try await look(3, "no", at: 10_000) == [key(3)])
            #expect(try await look(4, "never", at: 10_001) == [key(4)])
            #expect(try await look(5, "never", at: 10_002) == [key(4)])
            #expect(try await look(5, "never", at: 10_003, isLast: true) == [key(5)])
            try await owner.resign()
        }
    }

    @Test("people are told again of a reason that has not held for more than 10 minutes")
    func news() {
        let left = LeftSources()
        #expect(left.isNews("no", of: "incoming/x", at: 0))
        #expect(left.isNews("never", of: "incoming/x", at: 0))
        #expect(left.isNews("no", of: "incoming/y", at: 0))
        #expect(!left.isNews("no", of: "incoming/x", at: 600_000))
        #expect(!left.isNews("no", of: "incoming/x", at: 1_200_000))
        #expect(left.isNews("no", of: "incoming/x", at: 1_800_001))
    }
}
