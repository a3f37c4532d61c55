import Background
import DurableIO
import Foundation
import Reports
import TestSupport
import Testing

@Suite("What readers say of drops and reports that such runs do not finish")
struct UnfinishedTests {
    private func incoming(_ harness: SpoolHarness) throws -> [ReportView] {
        var views: [ReportView] = []
        try SpoolInspector(spool: harness.spool).forEachReport(.init(states: ["incoming"])) { views.append($0) }
        return views
    }

    private static let poison = DropZone.poisonous(deaths: 3)

    @Test("a drop over which the program died three times has the reason poison, and what to do")
    func poisonous() async throws {
        try await withSpool { harness in
            let path = try await harness.begin("core.1", deaths: 3)
            let view = try #require(try incoming(harness).first)
            #expect(view.id == nil && view.reason == "poison" && view.note == Self.poison)
            #expect(view.name == Array("core.1".utf8))
            #expect(try harness.findings(.note) == ["\(path): \(Self.poison)"])
            let notices = try SpoolInspector(spool: harness.spool).status().notices
            #expect(notices.map(\.reason) == ["poison"])
            #expect(notices.map(\.subject) == ["core.1"])
        }
    }

    @Test("a drop that was begun and not finished twice says how often, and that its runs are too short")
    func unfinished() async throws {
        try await withSpool { harness in
            try await harness.begin("once", cuts: 1)
            let path = try await harness.begin("twice", nonce: "1123456789abcdef", cuts: 2)
            let note =
                "was begun 2 times and not finished: run submit without --deadline, or raise the unit's time-out"
            #expect(try incoming(harness).map(\.note) == [nil, note])
            #expect(try incoming(harness).allSatisfy { $0.reason == "is being taken" })
            #expect(try harness.findings(.note).contains("\(path): \(note)"))
            let notices = try SpoolInspector(spool: harness.spool).status().notices
            #expect(notices.map(\.message) == [note])
            #expect(notices.map(\.reason) == ["unfinished"])
        }
    }

    @Test("the try that a living owner is at is not counted as unfinished")
    func underWay() async throws {
        try await withSpool { harness in
            try await harness.begin("core.1", cuts: 1)
            let owner = try #require(try await harness.own())
            let mark = try #require(DropZone(spool: harness.spool).takenMarks().first)
            try await owner.queue.change { try $0.begin(drop: mark) }
            #expect(try incoming(harness).map(\.note) == [nil])
            try await owner.queue.change { try $0.closeDrops() }
            #expect(try incoming(harness).first?.note?.hasPrefix("was begun 2 times and not finished") == true)
            try await owner.resign()
        }
    }

    @Test("of a drop that may have killed a process the doctor says that it is collected last and alone")
    func suspect() async throws {
        try await withSpool { harness in
            let path = try await harness.begin("core.1", deaths: 1)
            let words =
                "is collected last and alone, because the program died while it lay here (1 of 3 times "
                + "until it is left alone)"
            #expect(try harness.findings(.note) == ["\(path): \(words)"])
            #expect(try incoming(harness).map(\.note) == [nil])
        }
    }

    // MARK: - Reports

    private static let note = "needs about 12 s at 256 KiB/s, more than the deadline of 5 s"

    /// As the engine leaves a row behind whose body did not fit the deadline.
    private func makeSlow(_ harness: SpoolHarness, _ id: ContentHash) throws {
        try tamper(
            with: harness.path + "/ledger.sqlite",
            """
            UPDATE transfer SET state='waiting', reason='deadline', note='\(Self.note)', cuts=2, due_at=due_at+21600000
              WHERE identifier='\(id.hex)'
            """)
    }

    @Test("a report that does not fit the deadline says how long it needs, and what to do")
    func slow() async throws {
        try await withSpool { harness in
            let id = try await harness.make(.queued)
            try makeSlow(harness, id)
            let inspector = try SpoolInspector(spool: harness.spool)
            let view = try inspector.report(id.hex)
            #expect(view.reason == "deadline" && view.note == Self.note)
            #expect(view.json["note"] == .string(Self.note))
            #expect(view.explanation == Self.note + ": run submit without --deadline")
            #expect(try inspector.slowReports(limit: 5).map(\.id) == [id.hex])
            let notices = try inspector.status().notices
            #expect(notices.map(\.subject) == [id.hex])
            #expect(notices.map(\.message) == [view.explanation])
            #expect(notices.map(\.reason) == ["deadline"])
        }
    }

    @Test("with a ledger of an earlier release, or without one, there is nothing to say", arguments: [true, false])
    func withoutRows(isEarlier: Bool) async throws {
        try await withSpool { harness in
            try await harness.begin("core.1", cuts: 2)
            if isEarlier {
                try tamper(
                    with: harness.path + "/ledger.sqlite",
                    """
                    DROP INDEX transfer_first; DROP INDEX transfer_slow; ALTER TABLE begun DROP COLUMN is_open;
                    ALTER TABLE begun DROP COLUMN deaths; PRAGMA user_version=5;
                    """)
            } else {
                try harness.loseLedger()
            }
            let inspector = try SpoolInspector(spool: harness.spool)
            #expect(try inspector.slowReports(limit: 5).isEmpty)
            #expect(try inspector.status().notices.map(\.reason) == (isEarlier ? ["unfinished"] : []))
            #expect(try incoming(harness).map(\.reason) == ["is being taken"])
        }
    }
}
