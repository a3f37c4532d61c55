import Background
import DurableIO
import Foundation
import Reports
import SystemPackage
import TestSupport
import Testing

@Suite("Making a spool whole")
struct SpoolMakingTests {
    private static let ledgerNames = ["ledger.sqlite", "ledger.sqlite-shm", "ledger.sqlite-wal"]

    private func inodes(_ harness: SpoolHarness, of names: [String]) throws -> [String: UInt64] {
        var inodes: [String: UInt64] = [:]
        for name in names {
            let entry = try #require(EntryName(name))
            inodes[name] = try harness.spool.files.metadata(of: entry, in: harness.spool.root)?.inode ?? 0
        }
        return inodes
    }

    private func expectSound(_ harness: SpoolHarness, delivering text: String = "one") async throws {
        let id = try harness.add(text)
        #expect(try await harness.submit().repairs == [])
        #expect(try harness.state(id) == .delivered)
        #expect(try harness.findings() == [])
        let aside = try harness.entries("").filter { $0.contains(".corrupt-") }
        #expect(aside == [])
    }

    @Test("deliveries make no file anew, and leave the log empty")
    func nothingNew() async throws {
        try await withSpool { harness in
            let names = Self.ledgerNames + ["owner.lock"]
            let made = try inodes(harness, of: names)
            #expect(!made.values.contains(0))
            for text in ["one", "two"] {
                try await expectSound(harness, delivering: text)
                #expect(try inodes(harness, of: names) == made)
                let log = harness.path + "/ledger.sqlite-wal"
                #expect(try Data(contentsOf: URL(fileURLWithPath: log)).isEmpty)
            }
        }
    }

    @Test("on a disk on which no file can be made any more, what was added before is delivered")
    func withoutInodes() async throws {
        try await withTemporaryDirectory { directory in
            let isFull = Gate()
            let files = FaultingFileSystem { call throws(FileSystemError) in
                guard isFull.isOpen, call.operation == .create || call.operation == .makeDirectory else { return }
                throw FileSystemError(.open, "a full disk", .noSpace)
            }
            let harness = try SpoolHarness(directory + "/spool", files: files)
            let ids = try ["one", "two"].map { try harness.add($0) }
            isFull.open()
            try harness.drop("later", "three")
            let summary = try await harness.submit()
            #expect(summary.delivered == 2)
            #expect(summary.skipped == 1)
            for id in ids { #expect(try harness.state(id) == .delivered) }
        }
    }

    @Test("a spool made by mkdir is made whole, what was dropped into it is delivered", arguments: [true, false])
    func madeByHand(hasDropZone: Bool) async throws {
        try await withTemporaryDirectory { directory in
            let path = directory + "/spool"
            try FileManager.default.createDirectory(
                atPath: path + (hasDropZone ? "/incoming" : ""), withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700])
            chmod(path, 0o700)
            if hasDropZone { try Data("dropped".utf8).write(to: URL(fileURLWithPath: path + "/incoming/drop")) }
            let harness = try SpoolHarness(path)
            #expect(Set(try harness.entries("")).isSuperset(of: Self.ledgerNames + ["VERSION", "owner.lock"]))
            harness.clock.advance(by: 3_000)
            #expect(try await harness.clock.racing { try await harness.submit() }.delivered == (hasDropZone ? 1 : 0))
            try await expectSound(harness)
        }
    }

    @Test("a log without its ledger is left to the owner, who sets it aside and wipes nothing")
    func orphanedLog() async throws {
        try await withTemporaryDirectory { directory in
            let path = directory + "/spool"
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
            let log = Data(repeating: 0x37, count: 5_000)
            try log.write(to: URL(fileURLWithPath: path + "/ledger.sqlite-wal"))
            let harness = try SpoolHarness(path)
            #expect(try !harness.entries("").contains("ledger.sqlite"))
            #expect(try Data(contentsOf: URL(fileURLWithPath: path + "/ledger.sqlite-wal")) == log)
            let id = try harness.add("one")
            try await harness.submit()
            #expect(try harness.state(id) == .delivered)
            let aside = try harness.entries("").filter { $0.contains(".corrupt-") && $0.hasSuffix("-wal") }
            #expect(aside.count == 1)
            for name in aside { #expect(try Data(contentsOf: URL(fileURLWithPath: "\(path)/\(name)")) == log) }
        }
    }

    @Test("an empty log without its ledger is no orphan")
    func emptyLog() async throws {
        try await withSpool { harness in
            try FileManager.default.removeItem(atPath: harness.path + "/ledger.sqlite")
            try await expectSound(harness)
        }
    }

    @Test("beside files that no ledger knows no empty ledger is laid: the owner rebuilds it and says so")
    func besideFiles() async throws {
        try await withSpool { harness in
            let id = try await harness.make(.queued)
            try harness.loseLedger()
            try FileManager.default.removeItem(atPath: harness.path + "/VERSION")
            let again = try SpoolHarness(harness.path)
            #expect(try !again.entries("").contains("ledger.sqlite"))
            #expect(try await again.submit().repairs == ["the ledger was missing: rebuilt from the files"])
            #expect(try again.state(id) == .delivered)
        }
    }

    @Test("a maker beside an owner leaves the owner's files alone")
    func besideAnOwner() async throws {
        try await withSpool { harness in
            let id = try await harness.make(.rejected)
            let owner = try #require(try await harness.own())
            try await owner.queue.change { store in try store.note(.rebuilt, on: id.hex) }
            let before = try inodes(harness, of: Self.ledgerNames + ["owner.lock"])
            try FileManager.default.removeItem(atPath: harness.path + "/VERSION")
            let other = try SpoolHarness(harness.path, clock: harness.clock)
            #expect(try inodes(other, of: Self.ledgerNames + ["owner.lock"]) == before)
            #expect(try await other.own() == nil)
            #expect(try other.record(id)?.reason?.rawValue == EndReason.rebuilt.rawValue)
            try await owner.resign()
            try await expectSound(other, delivering: "two")
        }
    }

    @Test("of many makers at once one makes each file")
    func atOnce() async throws {
        try await withTemporaryDirectory { directory in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<8 {
                    group.addTask { try SpoolHarness(directory + "/spool").add("report \(number)") }
                }
                try await group.waitForAll()
            }
            let harness = try SpoolHarness(directory + "/spool")
            #expect(try harness.entries("tmp") == [])
            #expect(try await harness.submit().delivered == 8)
            #expect(try harness.findings() == [])
        }
    }

    @Test("wherever one maker stands, another makes the spool, uses it, and is not disturbed")
    func atEachPoint() async throws {
        var point = 0
        var isThrough = false
        while !isThrough {
            point += 1
            try await withTemporaryDirectory { directory in
                let path = directory + "/spool"
                let files = FaultingFileSystem { [point] call throws(FileSystemError) in
                    guard call.change == point else { return }
                    #expect(throws: Never.self) { try SpoolHarness(path).add("other") }
                }
                let harness = try SpoolHarness(path, files: files)
                isThrough = files.changes < point
                let made = try inodes(harness, of: Self.ledgerNames)
                try harness.add("own")
                #expect(try await harness.submit().delivered == 2, "at \(point)")
                #expect(try harness.entries("tmp") == [])
                #expect(try harness.findings() == [], "at \(point)")
                #expect(try inodes(harness, of: Self.ledgerNames) == made)
            }
        }
        #expect(point > 15)
    }

    @Test("where nothing may be written nothing is made, and the reason is told", .enabled(if: geteuid() == 0))
    func readOnly() throws {
        try withTemporaryDirectory { directory in
            chmod(directory, 0o755)
            try FileManager.default.createDirectory(
                atPath: directory + "/spool/incoming", withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o755])
            let message = try withFiles(asUser: 65_534) { () -> String in
                do throws(ReportsError) {
                    _ = try ReportSpool.open(FilePath(directory + "/spool"), isCreating: true)
                    return "made"
                } catch {
                    return error.code == .spoolNotUsable ? error.message : "\(error.code)"
                }
            }
            #expect(message?.contains("no permission") == true, "\(message ?? "")")
            #expect(try FileManager.default.subpathsOfDirectory(atPath: directory + "/spool") == ["incoming"])
        }
    }
}
