import Background
import Digests
import DurableIO
import Foundation
import Reports
import TestSupport
import Testing

@Suite("Doctor")
struct DoctorTests {
    private func repair(_ harness: SpoolHarness) async throws -> [String] {
        try await Doctor(spool: harness.spool).repair()
    }

    @Test("a sound spool has no finding, and there is nothing to repair")
    func sound() async throws {
        try await withSpool { harness in
            for state in TransferState.allCases where state != .sending {
                try await harness.make(state, text: state.rawValue)
            }
            try harness.add("published")
            #expect(try harness.findings() == [])
            #expect(try harness.findings(.note) == [])
            #expect(try await repair(harness) == [])
        }
    }

    @Test("damaged bytes are found, parked by repair, and then only noted", arguments: ["queued", "parked"])
    func damaged(room: String) async throws {
        try await withSpool { harness in
            let id = try await harness.make(room == "queued" ? .queued : .rejected)
            try harness.damage(id, in: room)
            let before = try harness.findings() + harness.findings(.note)
            #expect(before == ["\(room)/\(id.hex).gz: damaged: its bytes are not what was stored"])
            #expect(try harness.findings().isEmpty == (room == "parked"))
            _ = try await repair(harness)
            #expect(try harness.state(id) == .rejected)
            #expect(try harness.rooms(of: id) == ["parked"])
            #expect(try harness.findings() == [])
            #expect(try await harness.submit().delivered == 0)
        }
    }

    @Test(
        "a file that is no report at all can be repaired and removed, with or without a ledger",
        arguments: ["queued", "parked"])
    func noReport(room: String) async throws {
        try await withSpool { harness in
            let id = ContentHash.of("nothing")
            try Data("nothing".utf8).write(to: harness.file(id, in: room))
            chmod(harness.file(id, in: room).path, 0o600)
            #expect(try harness.findings().contains { $0.hasPrefix("\(room)/\(id.hex).gz: damaged") })
            _ = try await repair(harness)
            #expect(try harness.findings() == [])
            #expect(try harness.state(id) == .rejected)
            #expect(try await repair(harness) == [])
            _ = try await OrderDispatch(spool: harness.spool).carryOut(.remove, ids: [id.hex])
            #expect(try harness.rooms(of: id) == [])
        }
    }

    @Test(
        "missing bytes are an error, and a note once the ledger says so", arguments: [TransferState.queued, .rejected])
    func missing(state: TransferState) async throws {
        try await withSpool { harness in
            let id = try await harness.make(state)
            try harness.remove(id, in: state == .queued ? "queued" : "parked")
            #expect(try harness.findings() == ["\(id.hex): its bytes are missing"])
            #expect(try await repair(harness).count == 1)
            #expect(try harness.state(id) == (state == .queued ? .removed : .rejected))
            #expect(try harness.findings() == [])
            #expect(try harness.findings(.note).count == 1)
        }
    }

    @Test("a drop that is still being written is named, with what ends it")
    func beingWritten() async throws {
        try await withSpool { harness in
            try harness.drop("open.log", "half")
            let writer = try FileHandle(forWritingTo: URL(fileURLWithPath: "\(harness.path)/incoming/open.log"))
            let note = "incoming/open.log: not taken: is still being written, and is taken once its writer closes it"
            #expect(try harness.findings(.note) == [note])
            try writer.close()
            #expect(try harness.findings(.note) == [])
        }
    }

    @Test("files in the wrong room and files without a row are found and put right")
    func misplaced() async throws {
        try await withSpool { harness in
            let parked = try await harness.make(.rejected, text: "parked")
            let delivered = try await harness.make(.queued, text: "delivered")
            try await harness.change { try $0.end(delivered.hex, as: .delivered, reason: .rejected) }
            try FileManager.default.moveItem(
                at: harness.file(parked, in: "parked"), to: harness.file(parked, in: "queued"))
            #expect(
                try harness.findings().sorted()
                    == [
                        "queued/\(delivered.hex).gz: the ledger says delivered: 'reports doctor --repair' puts it right",
                        "queued/\(parked.hex).gz: the ledger says rejected: 'reports doctor --repair' puts it right",
                    ].sorted())
            _ = try await repair(harness)
            #expect(try harness.findings() == [])
            #expect(try harness.rooms(of: parked) == ["parked"])
            #expect(try harness.rooms(of: delivered) == [])
        }
    }

    @Test("what others may read is found and closed again")
    func permissions() async throws {
        try await withSpool { harness in
            let id = try await harness.make(.queued)
            let loose = ["", "/queued", "/incoming", "/ledger.sqlite", "/owner.lock", "/queued/\(id.hex).gz"]
            for path in loose { #expect(chmod(harness.path + path, 0o755) == 0) }
            let findings = try harness.findings()
            #expect(findings.allSatisfy { $0.contains("has mode 755") })
            // SQLite gives the files beside the ledger the ledger's own mode; they may be named, too.
            let subjects = Set(findings.map { String($0.prefix { $0 != ":" }) })
            #expect(subjects.isSuperset(of: loose.map { $0.isEmpty ? "." : String($0.dropFirst()) }))
            _ = try await repair(harness)
            #expect(try harness.findings() == [])
        }
    }

    @Test("drops that are not taken are noted, no error")
    func skippedDrops() async throws {
        try await withSpool { harness in
            try harness.drop("a.tmp", "x")
            try harness.drop("fine", "x")
            #expect(try harness.findings() == [])
            #expect(try harness.findings(.note).count == 1)
        }
    }

    @Test("a missing ledger is an error, and rebuilt by repair")
    func ledger() async throws {
        try await withSpool { harness in
            let id = try await harness.make(.queued)
            try harness.loseLedger()
            #expect(try harness.findings().contains { $0.hasPrefix("ledger.sqlite: ") })
            #expect(try await repair(harness).contains { $0.contains("rebuilt") })
            #expect(try harness.findings() == [])
            #expect(try harness.state(id) == .queued)
        }
    }

    @Test("a page of the ledger that went bad is found, and repair sets the ledger aside")
    func damagedPage() async throws {
        try await withSpool { harness in
            for number in 0..<60 { try harness.add("report \(number)") }
            try await harness.takeIn()
            try LedgerLossTests.Loss.pageDamaged.strike(harness)
            #expect(try harness.findings().first?.hasPrefix("ledger.sqlite: the ledger is damaged") == true)
            #expect(try await repair(harness).contains { $0.contains("set aside") })
            #expect(try harness.findings() == [])
            #expect(try await harness.submit().delivered == 60)
        }
    }

    @Test("repair does not work beside another owner")
    func besideAnOwner() async throws {
        try await withSpool { harness in
            let owner = try #require(try await harness.own())
            let error = await #expect(throws: ReportsError.self) { try await repair(harness) }
            #expect(error?.code == .spoolNotUsable)
            try await owner.resign()
        }
    }
}
