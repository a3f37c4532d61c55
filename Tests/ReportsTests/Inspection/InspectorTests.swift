import Background
import Digests
import DurableIO
import Foundation
import Reports
import SystemPackage
import TestSupport
import Testing

@Suite("Looking at a spool")
struct InspectorTests {
    private func list(
        _ harness: SpoolHarness, _ selection: SpoolInspector.Selection = SpoolInspector.Selection()
    ) throws -> [ReportView] {
        var views: [ReportView] = []
        try SpoolInspector(spool: harness.spool).forEachReport(selection) { views.append($0) }
        return views
    }

    /// Rows, published entries and drops, each a second newer than the one before.
    private func fill(_ harness: SpoolHarness) async throws -> [ContentHash] {
        var ids: [ContentHash] = []
        for (number, state) in [TransferState.rejected, .delivered, .queued].enumerated() {
            ids.append(try await harness.make(state, text: "row \(number)"))
            harness.clock.advance(by: 1_000)
        }
        ids.append(try harness.add("published", kind: .log))
        harness.clock.advance(by: 1_000)
        try harness.drop("b", "drop b")
        try harness.drop("a", "drop a")
        try harness.drop(".skipped", "")
        return ids
    }

    @Test("drops come first, then reports by time of collection, newest first, wherever they lie")
    func order() async throws {
        try await withSpool { harness in
            let ids = try await fill(harness)
            let views = try list(harness)
            #expect(
                views.prefix(3).map { $0.name.map { String(decoding: $0, as: UTF8.self) } } == [".skipped", "a", "b"])
            #expect(views.prefix(3).allSatisfy { $0.id == nil && $0.state == "incoming" })
            #expect(views[0].reason?.hasPrefix("skipped: ") == true)
            #expect(views.dropFirst(3).map(\.id) == ids.reversed().map(\.hex))
            #expect(views.dropFirst(3).map(\.state) == ["queued", "queued", "delivered", "rejected"])
        }
    }

    @Test("entries merge among the rows by their time")
    func merging() async throws {
        try await withSpool { harness in
            let old = try await harness.make(.queued, text: "old")
            harness.clock.advance(by: 1_000)
            let entry = try harness.add("entry")
            harness.clock.advance(by: 1_000)
            let young = ContentHash.of("young")
            try await harness.change { store in
                try store.insert(
                    NewTransfer(
                        identifier: young.hex, label: "crash", metadata: "{}", byteCount: 1,
                        seenWall: harness.clock.wallMilliseconds))
            }
            #expect(try list(harness).map(\.id) == [young.hex, entry.hex, old.hex])
        }
    }

    @Test("a row wins over an entry of the same id")
    func rowWins() async throws {
        try await withSpool { harness in
            try await harness.make(.delivered)
            try harness.add("one")
            #expect(try list(harness).map(\.state) == ["delivered"])
        }
    }

    @Test("states, kind and limit select")
    func selection() async throws {
        try await withSpool { harness in
            let ids = try await fill(harness)
            #expect(try list(harness, .init(states: ["incoming"])).count == 3)
            #expect(try list(harness, .init(states: ["queued"])).map(\.id) == [ids[3].hex, ids[2].hex])
            #expect(try list(harness, .init(states: ["rejected", "delivered"])).map(\.id) == [ids[1].hex, ids[0].hex])
            #expect(try list(harness, .init(states: ["held"])).isEmpty)
            #expect(try list(harness, .init(kind: "log")).map(\.id) == [ids[3].hex])
            #expect(
                try list(harness, .init(states: ["queued", "rejected"], kind: "crash", limit: 1)).map(\.id) == [
                    ids[2].hex
                ])
            #expect(try list(harness, .init(limit: 0)).isEmpty)
        }
    }

    @Test("many rows come a page at a time, each once", arguments: [nil, ["queued", "delivered"]] as [Set<String>?])
    func paging(states: Set<String>?) async throws {
        try await withSpool { harness in
            try await harness.change { store in
                for number in 0..<1_203 {
                    let identifier = ContentHash.of("\(number)").hex
                    try store.insert(
                        NewTransfer(
                            identifier: identifier, label: "crash", metadata: "{}", byteCount: 1,
                            seenWall: Int64(number / 7)))
                    if number % 3 == 0 { try store.end(identifier, as: .delivered, reason: .rejected) }
                }
            }
            let views = try list(harness, .init(states: states))
            #expect(views.count == 1_203)
            #expect(Set(views.compactMap(\.id)).count == 1_203)
            #expect(zip(views, views.dropFirst()).allSatisfy { ($0.collectedAt ?? 0) >= ($1.collectedAt ?? 0) })
        }
    }

    @Test("it works while an owner works, and takes nothing from it")
    func besideAnOwner() async throws {
        try await withSpool { harness in
            let id = try harness.add("one")
            let answer = Gate()
            harness.transport.answer { _ in
                await answer.wait()
                return .status(200)
            }
            async let summary = harness.submit()
            await harness.transport.waitForSent(count: 1)
            #expect(try list(harness).map(\.state) == ["sending"])
            let status = try SpoolInspector(spool: harness.spool).status()
            #expect(status.hasOwner)
            #expect(status.states.first { $0.name == "sending" }?.count.count == 1)
            var payload: [UInt8] = []
            try SpoolInspector(spool: harness.spool).writePayload(of: id.hex) { payload += $0 }
            #expect(payload == Array("one".utf8))
            answer.open()
            #expect(try await summary.delivered == 1)
        }
    }

    @Test(
        "where nothing may be written, the ledger is read all the same, and nothing is left of a private copy",
        .enabled(if: geteuid() == 0))
    func readOnlyDirectory() async throws {
        try await withSpool { harness in
            let id = try await harness.make(.rejected)
            let path = harness.path
            // An owner at work has a WAL with rows that are not in the ledger's file yet.
            let owner = try #require(try await harness.own())
            try await owner.queue.change { store in try store.note(.rebuilt, on: id.hex) }
            for directory in ["", "/incoming", "/taken", "/tmp", "/collected", "/queued", "/parked"] {
                chmod(path + directory, 0o755)
            }
            for name in try harness.entries("") where name.hasPrefix("ledger") { chmod("\(path)/\(name)", 0o644) }
            chmod(path + "/VERSION", 0o644)
            chmod(URL(fileURLWithPath: path).deletingLastPathComponent().path, 0o755)
            let before = try harness.entries("")
            let reason = try withFiles(asUser: 65_534) { () -> String? in
                let spool = try ReportSpool.open(FilePath(path), isCreating: false)
                guard let spool else { return "no spool" }
                return try SpoolInspector(spool: spool).record(id.hex)?.reason?.rawValue
            }
            #expect(reason == EndReason.rebuilt.rawValue)
            try await owner.resign()
            // As a copy of the spool on another medium has it. A process that is killed while it looks leaves what is
            // there while the inspector lives.
            for side in ["-wal", "-shm"] { try FileManager.default.removeItem(atPath: path + "/ledger.sqlite" + side) }
            nonisolated(unsafe) var inspector: SpoolInspector?
            _ = try withFiles(asUser: 65_534) {
                guard let spool = try ReportSpool.open(FilePath(path), isCreating: false) else { return }
                inspector = try SpoolInspector(spool: spool)
            }
            let open = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")
                .compactMap { try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/" + $0) }
                .filter { $0.contains("/reports-") && $0.contains("ledger.sqlite") }
            #expect(!open.isEmpty)
            #expect(open.allSatisfy { $0.hasSuffix(" (deleted)") }, "\(open)")
            #expect(try inspector?.record(id.hex)?.state == .rejected)
            #expect(try harness.entries("") == before.filter { !$0.hasSuffix("-wal") && !$0.hasSuffix("-shm") })
        }
    }

    enum Trouble: String, CaseIterable, Sendable { case missing, damaged }

    @Test("with the ledger gone or damaged it lists from the files and says so", arguments: Trouble.allCases)
    func withoutLedger(trouble: Trouble) async throws {
        try await withSpool { harness in
            let queued = try await harness.make(.queued, text: "queued")
            harness.clock.advance(by: 1_000)
            let parked = try await harness.make(.rejected, text: "parked")
            try harness.loseLedger()
            if trouble == .damaged {
                try Data(repeating: 0x5a, count: 9_000).write(to: URL(fileURLWithPath: "\(harness.path)/ledger.sqlite"))
            }
            let inspector = try SpoolInspector(spool: harness.spool)
            #expect(inspector.ledgerProblem?.contains("the next submit rebuilds it") == true)
            let views = try list(harness)
            #expect(views.map(\.id) == [parked.hex, queued.hex])
            #expect(views.map(\.state) == ["rejected", "queued"])
            #expect(views.allSatisfy { $0.reason == "no ledger" })
            #expect(try inspector.resolve(String(queued.hex.prefix(8))) == queued.hex)
            #expect(try inspector.report(queued.hex).kind == "crash")
            let counts = try inspector.status().states.filter { $0.count.count > 0 }.map(\.name)
            #expect(counts == ["queued", "rejected"])
        }
    }

    @Test("a prefix of six digits or more names one report, or says why not")
    func resolving() async throws {
        try await withSpool { harness in
            let id = try await harness.make(.queued)
            let inspector = try SpoolInspector(spool: harness.spool)
            #expect(try inspector.resolve(String(id.hex.prefix(6))) == id.hex)
            #expect(try inspector.resolve(id.hex) == id.hex)
            for (prefix, code) in [
                (String(id.hex.prefix(5)), ReportsError.Code.badIdentifier), ("ABCDEF", .badIdentifier),
                ("zzzzzz", .badIdentifier), ("000000", .noSuchReport), (id.hex + "0", .badIdentifier),
            ] {
                let error = #expect(throws: ReportsError.self) { try inspector.resolve(prefix) }
                #expect(error?.code == code)
            }
        }
    }

    @Test("a payload whose bytes are gone or damaged is told as such")
    func payloadTrouble() async throws {
        try await withSpool { harness in
            let gone = try await harness.make(.delivered, text: "gone")
            let damaged = try await harness.make(.rejected, text: "damaged")
            try harness.damage(damaged, in: "parked")
            let inspector = try SpoolInspector(spool: harness.spool)
            let first = #expect(throws: ReportsError.self) { try inspector.writePayload(of: gone.hex) { _ in } }
            #expect(first?.code == .noSuchReport)
            let second = #expect(throws: ReportsError.self) { try inspector.writePayload(of: damaged.hex) { _ in } }
            #expect(second?.code == .badPayload)
        }
    }
}
