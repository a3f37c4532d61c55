import Background
import DurableIO
import Foundation
import Reports
import Synchronization
import TestSupport
import Testing

@Suite("Loss of the ledger")
struct LedgerLossTests {
    enum Loss: String, CaseIterable, Sendable {
        case deleted, zeroLength, garbage, pageDamaged, walOnlyLeft

        func strike(_ harness: SpoolHarness) throws {
            let ledger = URL(fileURLWithPath: "\(harness.path)/ledger.sqlite")
            switch self {
            case .deleted: try harness.loseLedger()
            case .zeroLength: try Data().write(to: ledger)
            case .garbage: try Data(repeating: 0x5a, count: 40_000).write(to: ledger)
            case .pageDamaged:
                var bytes = try Data(contentsOf: ledger)
                let start = bytes.count / 4_096 / 2 * 4_096
                bytes.replaceSubrange(start..<start + 4_096, with: Data(repeating: 0xa5, count: 4_096))
                try bytes.write(to: ledger)
            case .walOnlyLeft: try FileManager.default.removeItem(at: ledger)
            }
        }
    }

    @Test("the next owner rebuilds it, says so, and delivers what is to be delivered", arguments: Loss.allCases)
    func rebuilt(after loss: Loss) async throws {
        try await withSpool { harness in
            let parked = try await harness.make(.rejected, text: "parked")
            let held = try await harness.make(.held, text: "held")
            let queued = try harness.add("queued")
            try await harness.takeIn()
            try await harness.crash()
            try loss.strike(harness)

            let summary = try await harness.submit()
            #expect(summary.repairs.contains { $0.contains("rebuilt from the files") })
            #expect(summary.delivered == 2)
            #expect(try harness.state(queued) == .delivered)
            #expect(try harness.state(held) == .delivered)
            #expect(try harness.state(parked) == .rejected)
            #expect(try harness.rooms(of: parked) == ["parked"])
            #expect(try harness.findings() == [])
            #expect(try await harness.submit().repairs == [])
        }
    }

    @Test(
        "nor does damage to the tables' definitions, which SQLite takes at their word, stop it",
        arguments: [
            ("(state = 'sending')", "(state = 'xending')"), ("due_at INTEGER", "duexat INTEGER"),
            ("is_suspect INTEGER", "is_suspect XNTEGER"),
        ])
    func damagedDefinition(original: String, damaged: String) async throws {
        try await withSpool { harness in
            let id = try harness.add("queued")
            try await harness.takeIn()
            let ledger = URL(fileURLWithPath: "\(harness.path)/ledger.sqlite")
            var bytes = try Data(contentsOf: ledger)
            let place = try #require(bytes.range(of: Data(original.utf8)))
            bytes.replaceSubrange(place, with: Data(damaged.utf8))
            try bytes.write(to: ledger)

            let summary = try await harness.submit()
            #expect(summary.repairs.contains { $0.contains("rebuilt from the files") })
            #expect(try harness.state(id) == .delivered)
            #expect(try harness.findings() == [])
        }
    }

    @Test("the damaged file is kept beside the new one", arguments: [Loss.garbage, .pageDamaged])
    func setAside(loss: Loss) async throws {
        try await withSpool { harness in
            try await harness.make(.queued)
            try await harness.crash()
            try loss.strike(harness)
            let damaged = try Data(contentsOf: URL(fileURLWithPath: "\(harness.path)/ledger.sqlite"))
            try await harness.submit()
            let aside = "ledger.sqlite.corrupt-\(harness.clock.wallMilliseconds)"
            #expect(try Data(contentsOf: URL(fileURLWithPath: "\(harness.path)/\(aside)")) == damaged)
        }
    }

    @Test("a WAL without its ledger is set aside, not wiped", arguments: [Loss.zeroLength, .walOnlyLeft])
    func orphanedWAL(loss: Loss) async throws {
        try await withSpool { harness in
            try await harness.make(.queued)
            let wal = Data("a WAL of whatever ledger".utf8)
            try wal.write(to: URL(fileURLWithPath: "\(harness.path)/ledger.sqlite-wal"))
            try loss.strike(harness)
            try await harness.submit()
            let aside = "ledger.sqlite.corrupt-\(harness.clock.wallMilliseconds)-wal"
            #expect(try Data(contentsOf: URL(fileURLWithPath: "\(harness.path)/\(aside)")) == wal)
        }
    }

    @Test("a page damaged after an orderly end is found and mended in the same submission")
    func damageAfterOrderlyEnd() async throws {
        try await withSpool { harness in
            for number in 0..<60 { try harness.add("report \(number)") }
            try await harness.takeIn()
            try Loss.pageDamaged.strike(harness)
            let summary = try await harness.submit()
            #expect(summary.delivered == 60)
            #expect(try harness.entries("queued") == [])
        }
    }

    @Test("what is sent does not hang on the ledger's sums, and sums that are gone are found")
    func sumsGone() async throws {
        try await withSpool { harness in
            for number in 1...3 { try harness.add("report \(number)") }
            try await harness.takeIn()
            try tamper(with: harness.path + "/ledger.sqlite", "DELETE FROM tally")
            #expect(try harness.findings().contains { $0.contains("disagree") })
            #expect(try await harness.submit().delivered == 3)
            #expect(try harness.entries("queued") == [])
        }
    }

    @Test("a word that is no state is damage, for which the ledger is made anew")
    func noState() async throws {
        try await withSpool { harness in
            try harness.add("report")
            try await harness.takeIn()
            try tamper(
                with: harness.path + "/ledger.sqlite",
                "PRAGMA ignore_check_constraints=ON; UPDATE tally SET state='queuee'")
            let summary = try await harness.submit()
            #expect(summary.delivered == 1)
            #expect(summary.repairs.contains { $0.contains("set aside") })
        }
    }

    @Test("tombstones and due times that can be read are saved")
    func salvaged() async throws {
        try await withSpool { harness in
            let delivered = try await harness.make(.delivered, text: "delivered")
            // The axis of an old ledger has gone far when it is lost.
            try harness.add("waiting")
            harness.clock.advance(by: 40 * 86_400_000)
            let waiting = try await harness.make(.waiting, text: "waiting")
            for number in 0..<200 { try harness.add("filler \(number)") }
            try await harness.takeIn()
            let due = try await Self.delay(of: waiting, harness)
            try await harness.crash()
            try damageLastTransferPage(harness)

            let repairs = try await harness.reconcile()
            #expect(repairs.contains { $0.contains("rows saved") })
            #expect(try harness.state(delivered) == .delivered)
            #expect(try await Self.delay(of: waiting, harness) == due)
            // Delivered before, so it is only counted.
            try harness.add("delivered")
            #expect(try await harness.takeIn().duplicates == 1)
        }
    }

    @Test("a replacement that an owner died over is finished by the next, which says what was saved")
    func finished() async throws {
        let dies = Mutex(false)
        let files = FaultingFileSystem { call throws(FileSystemError) in
            guard dies.withLock({ $0 }), call.operation == .rename,
                call.name?.description.hasPrefix("ledger.salvaged-") == true
            else { return }
            throw FileSystemError(.rename, "a process that was killed", .ioError)
        }
        try await withSpool(files: files) { harness in
            let delivered = try await harness.make(.delivered)
            try makeUnreleased(harness)
            dies.withLock { $0 = true }
            await #expect(throws: FileSystemError.self) { try await harness.reconcile() }
            dies.withLock { $0 = false }
            let aside = "ledger.sqlite.corrupt-\(harness.clock.wallMilliseconds)"
            let repairs = try await harness.reconcile()
            #expect(
                repairs.first
                    == "the ledger had version 4, which was never released: set aside as \(aside), 1 rows saved, "
                    + "rebuilt from the files")
            #expect(try harness.state(delivered) == .delivered)
            #expect(try await harness.reconcile() == [])
        }
    }

    @Test("without space for the rows of a damaged ledger all is made anew from the files, and delivered")
    func noSpaceForRows() async throws {
        let path = Mutex<String?>(nil)
        let files = FaultingFileSystem { call throws(FileSystemError) in
            guard call.operation == .create, call.room == "tmp", let path = path.withLock({ $0 }),
                FileManager.default.fileExists(atPath: path + "/ledger.sqlite")
            else { return }
            throw FileSystemError(.create, "a full disk", .noSpace)
        }
        try await withSpool(files: files) { harness in
            let ids = try (1...3).map { try harness.add("report \($0)") }
            try await harness.takeIn()
            try makeUnreleased(harness)
            path.withLock { $0 = harness.path }
            let summary = try await harness.submit()
            #expect(summary.repairs.contains { $0.hasSuffix("0 rows saved, rebuilt from the files") })
            #expect(summary.delivered == 3)
            #expect(try ids.allSatisfy { try harness.state($0) == .delivered })
            #expect(try harness.findings() == [])
        }
    }

    /// Makes of the ledger one that is set aside at the next open, and whose rows can be read.
    private func makeUnreleased(_ harness: SpoolHarness) throws {
        let ledger = URL(fileURLWithPath: "\(harness.path)/ledger.sqlite")
        // `user_version` lies at offset 60 of the file's header; 4 was never released.
        var bytes = try Data(contentsOf: ledger)
        bytes.replaceSubrange(60..<64, with: [0, 0, 0, 4])
        try bytes.write(to: ledger)
    }

    /// How long until it is due, in milliseconds.
    private static func delay(of id: ContentHash, _ harness: SpoolHarness) async throws -> Int64 {
        try #require(try harness.record(id)?.due) - (try await harness.now())
    }

    /// Somewhere in the middle, which is rows.
    private func damageLastTransferPage(_ harness: SpoolHarness) throws {
        let ledger = URL(fileURLWithPath: "\(harness.path)/ledger.sqlite")
        var bytes = try Data(contentsOf: ledger)
        let pageCount = bytes.count / 4_096
        try #require(pageCount > 20)
        let start = (pageCount / 2) * 4_096
        bytes.replaceSubrange(start..<start + 4_096, with: Data(repeating: 0xa5, count: 4_096))
        try bytes.write(to: ledger)
    }

    // MARK: - Newer versions

    @Test("a ledger of a newer version is refused and not touched")
    func newerLedger() async throws {
        try await withSpool { harness in
            try await harness.make(.queued)
            let ledger = URL(fileURLWithPath: "\(harness.path)/ledger.sqlite")
            // `user_version` lies at offset 60 of the file's header (sqlite.org/fileformat.html).
            var bytes = try Data(contentsOf: ledger)
            bytes.replaceSubrange(60..<64, with: [0, 0, 0, 99])
            try bytes.write(to: ledger)
            let error = await #expect(throws: ReportsError.self) { try await harness.submit() }
            #expect(error?.code == .spoolNotUsable)
            #expect(error?.message.contains("99") == true)
            #expect(throws: ReportsError.self) { try SpoolInspector(spool: harness.spool) }
            #expect(try Data(contentsOf: ledger) == bytes)
            #expect(harness.sent == [])
        }
    }

    @Test("a spool of a newer version is refused and not touched", arguments: ["2\n", "no number\n"])
    func newerSpool(version: String) throws {
        try withTemporaryDirectory { directory in
            let path = directory + "/spool"
            _ = try SpoolHarness(path)
            try Data(version.utf8).write(to: URL(fileURLWithPath: path + "/VERSION"))
            try FileManager.default.removeItem(atPath: path + "/parked")
            let error = #expect(throws: ReportsError.self) { try SpoolHarness(path) }
            #expect(error?.code == .spoolNotUsable)
            #expect(!FileManager.default.fileExists(atPath: path + "/parked"))
        }
    }
}
