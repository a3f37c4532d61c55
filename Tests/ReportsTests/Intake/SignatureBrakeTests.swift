import Background
import DurableIO
import Foundation
import Reports
import TestSupport
import Testing

/// The limit of a signature: what comes in, what is left out, and what counts.
@Suite("The brake on crash loops")
struct SignatureBrakeTests {
    private static let hour: Int64 = 3_600_000

    /// Runs `body` with a spool that takes in so many reports of one signature within an hour.
    private func withBrake(
        _ count: Int = 3, files: any FileSystem = POSIXFileSystem(), _ body: (SpoolHarness) async throws -> Void
    ) async throws {
        try await withSpool(files: files, limits: .braking(count)) { try await body($0) }
    }

    private func states(_ ids: [ContentHash], _ harness: SpoolHarness) throws -> [TransferState?] {
        try ids.map { try harness.state($0) }
    }

    /// Takes in so many crashes of one fault, one after another.
    private func crash(
        _ numbers: Range<Int>, of function: String = "checkout", _ harness: SpoolHarness
    ) async throws -> [ContentHash] {
        let ids = try numbers.map { number in
            defer { harness.clock.advance(by: 1) }
            return try harness.add(CrashText.python(number, of: function))
        }
        try await harness.takeIn()
        return ids
    }

    @Test("crashes of one fault are one signature, whatever their messages say; those of another are another")
    func signatures() async throws {
        try await withBrake { harness in
            let loop = try await crash(0..<2, harness)
            let ids = loop + (try await crash(0..<1, of: "refund", harness))
            let signatures = try ids.map { try SpoolInspector(spool: harness.spool).report($0.hex).signature }
            #expect(signatures[0] != nil && signatures[0] == signatures[1] && signatures[1] != signatures[2])
        }
    }

    @Test(
        "the first ones stay, the others are evicted at once and named; nothing of theirs stays",
        arguments: [false, true])
    func firstOnesStay(asDrops: Bool) async throws {
        try await withBrake { harness in
            let texts = (0..<8).map { CrashText.python($0) }
            for (number, text) in texts.enumerated() {
                if asDrops { try harness.drop("\(number).txt", text) } else { try harness.add(text) }
            }
            let summary = try await harness.submit()
            #expect((summary.delivered, summary.evicted, summary.braked, summary.duplicates) == (3, 5, 5, 0))
            let records = try texts.map { try #require(try harness.record(.of($0))) }
            #expect(records.count { $0.state == .delivered } == 3)
            for record in records where record.state != .delivered {
                #expect((record.state, record.reason) == (.evicted, .ended(.signatureLimit)))
                #expect(record.note == "at most 3 per 1 h of one signature are kept")
            }
            for room in ["incoming", "taken", "tmp", "collected", "queued", "parked"] {
                #expect(try harness.entries(room) == [], "\(room)")
            }
            for level in [Doctor.Finding.Level.error, .note] { #expect(try harness.findings(level) == []) }
            #expect(try SpoolInspector(spool: harness.spool).status().evictions.map(\.count) == [5])
        }
    }

    @Test("a braked report never has a file in queued/, and is not synced")
    func noFile() async throws {
        let placed = CallCounter()
        let files = FaultingFileSystem { call throws(FileSystemError) in placed.count(call) }
        try await withBrake(files: files) { harness in
            // Fewer than are synced together.
            for number in 0..<9 { try harness.drop("\(number).txt", CrashText.python(number)) }
            let synced = placed.syncedFiles
            try await harness.takeIn()
            #expect(placed.placed == 3)
            #expect(placed.syncedFiles - synced == 3)
        }
    }

    @Test("reports of another signature, and those without one, come in as if alone")
    func others() async throws {
        try await withBrake { harness in
            let loop = try await crash(0..<6, harness)
            let others = try await crash(0..<3, of: "refund", harness)
            let logs = try (0..<6).map { try harness.add("INFO a line of a log, number \($0)", kind: .log) }
            try await harness.takeIn()
            #expect(try states(loop, harness).count { $0 == .evicted } == 3)
            #expect(try states(others + logs, harness).allSatisfy { $0 == .queued })
        }
    }

    @Test("the limit is off by default")
    func off() async throws {
        try await withSpool { harness in
            let ids = try await crash(0..<12, harness)
            #expect(try states(ids, harness).allSatisfy { $0 == .queued })
        }
    }

    // MARK: - What counts

    @Test("when the time is over others come in, and no jump of the clock ends it")
    func time() async throws {
        try await withBrake { harness in
            _ = try await crash(0..<3, harness)
            harness.clock.setWall(harness.clock.wallMilliseconds + 1_000 * 86_400_000)
            harness.clock.advance(by: Self.hour / 2)
            let early = try await crash(3..<4, harness)
            #expect(try states(early, harness) == [.evicted])
            harness.clock.advance(by: Self.hour / 2)
            let late = try await crash(4..<8, harness)
            #expect(try states(late, harness).count { $0 == .queued } == 3)
        }
    }

    @Test("one that was let in counts, whatever became of it", arguments: TransferState.allCases)
    func whateverBecame(state: TransferState) async throws {
        try await withBrake(1) { harness in
            try await harness.make(state, text: CrashText.python(0), reason: .countLimit)
            let next = try await crash(1..<2, harness)
            #expect(try states(next, harness) == [.evicted])
        }
    }

    @Test("one that was left out does not count")
    func leftOut() async throws {
        try await withBrake { harness in
            _ = try await crash(0..<20, harness)
            harness.clock.advance(by: Self.hour - 100)
            _ = try await crash(20..<25, harness)
            harness.clock.advance(by: 101)
            let ids = try await crash(25..<28, harness)
            #expect(try states(ids, harness) == [.queued, .queued, .queued])
        }
    }

    @Test("a retry brings nothing in, so it neither needs room nor takes it")
    func retry() async throws {
        try await withBrake { harness in
            harness.transport.answer { _ in .status(404) }
            let ids = try (0..<3).map { try harness.add(CrashText.python($0)) }
            #expect(try await harness.submit().rejected == 3)
            harness.clock.advance(by: Self.hour + 1)
            _ = try await OrderDispatch(spool: harness.spool).carryOut(.retry, ids: nil)
            #expect(try states(ids, harness) == [.waiting, .waiting, .waiting])
            let next = try await crash(3..<6, harness)
            #expect(try states(next, harness) == [.queued, .queued, .queued])
        }
    }

    @Test("a caller who gives a request for a report gets it sent, and takes no room from others")
    func ownRequest() async throws {
        try await withBrake(1) { harness in
            let producer = ReportProducer(spool: harness.spool)
            let own = try (0..<3).map { number in
                let request = CallerRequest(method: "PUT", url: "http://own.example/\(number)", headerNames: [])
                let prepared = try producer.prepare(
                    .bytes(Array(CrashText.python(number).utf8)),
                    as: ReportCollector.Description(kind: .crash, request: request), from: "own")
                try producer.store([prepared])
                return prepared.report.id
            }
            let others = try await crash(3..<5, harness)
            #expect(try states(own, harness) == [.queued, .queued, .queued])
            #expect(try states(others, harness).count { $0 == .queued } == 1)
        }
    }

    @Test("after the loss of the ledger, files count for as long as they are there")
    func rebuilt() async throws {
        try await withBrake { harness in
            let old = try await crash(0..<3, harness)
            harness.clock.advance(by: Self.hour + 1)
            let young = try await crash(3..<5, harness)
            try harness.loseLedger()
            let next = try await crash(5..<8, harness)
            #expect(try states(old + young, harness).allSatisfy { $0 == .queued })
            #expect(try states(next, harness).count { $0 == .queued } == 1)
        }
    }

    // MARK: - The same bytes again

    @Test("the same bytes again are counted in their row, also of a report that was left out")
    func again() async throws {
        try await withBrake(1) { harness in
            let first = try await crash(0..<1, harness)
            let ids = first + (try await crash(1..<2, harness))
            for text in [0, 1, 1] { try harness.drop("again-\(text).txt", CrashText.python(text)) }
            try harness.add(CrashText.python(1))
            let summary = try await harness.takeIn()
            #expect((summary.duplicates, summary.evicted) == (3, 0))
            #expect(try ids.map { try harness.record($0)?.seen } == [2, 3])
            #expect(try states(ids, harness) == [.queued, .evicted])
            #expect(try SpoolInspector(spool: harness.spool).status().evictions.map(\.count) == [1])
        }
    }

    @Test("a report that was left out comes in when there is room by the time its bytes come again")
    func againWithRoom() async throws {
        try await withBrake(1) { harness in
            let first = try await crash(0..<1, harness)
            let ids = first + (try await crash(1..<2, harness))
            harness.clock.advance(by: Self.hour + 1)
            _ = try await crash(1..<2, harness)
            #expect(try harness.state(ids[1]) == .queued)
            #expect(try harness.rooms(of: ids[1]) == ["queued"])
            #expect(try harness.record(ids[1])?.note == nil)
            let next = try await crash(2..<3, harness)
            #expect(try states(next, harness) == [.evicted])
            #expect(try await harness.submit().delivered == 2)
        }
    }

    @Test(
        "a report that somebody or another limit ended comes again: it needs room, unless it is counted already",
        arguments: [TransferState.removed, .evicted], [true, false])
    func endedAgain(state: TransferState, isCounted: Bool) async throws {
        try await withBrake(1) { harness in
            let id = try await harness.make(state, text: CrashText.python(0), reason: .countLimit)
            if !isCounted {
                harness.clock.advance(by: Self.hour + 1)
                _ = try await crash(1..<2, harness)
            }
            try harness.add(CrashText.python(0))
            let summary = try await harness.takeIn()
            let record = try #require(try harness.record(id))
            #expect(record.state == (isCounted ? .queued : .evicted))
            #expect(record.reason == (isCounted ? nil : .ended(.signatureLimit)))
            #expect(record.seen == 2)
            #expect(summary.braked == (isCounted ? 0 : 1))
            #expect(try harness.rooms(of: id) == (isCounted ? ["queued"] : []))
            #expect(try harness.entries("collected") == [])
        }
    }

    @Test("a report that lost its bytes while it waits gets them again, though there is no room")
    func lostBytes() async throws {
        try await withBrake(1) { harness in
            let id = try await harness.make(.waiting, text: CrashText.python(0))
            harness.clock.advance(by: Self.hour + 1)
            _ = try await crash(1..<2, harness)
            try harness.remove(id, in: "queued")
            _ = try await crash(0..<1, harness)
            #expect(try harness.state(id) == .queued)
            #expect(try harness.rooms(of: id) == ["queued"])
        }
    }

    // MARK: - Told

    @Test("figures, check and status tell of a loop and of nothing lost; show says what to do")
    func told() async throws {
        try await withBrake { harness in
            let ids = try await crash(0..<7, harness)
            _ = try await crash(0..<4, of: "refund", harness)
            let inspector = try SpoolInspector(spool: harness.spool)
            let figures = try inspector.figures(evictedWithin: 86_400_000)
            #expect(figures.recentEvictionCount == 0)
            #expect(figures.lastEviction == nil)
            #expect(figures.recentlyBraked == .init(reports: 5, signatures: 2))
            #expect(figures.brakedNow == .init(reports: 5, signatures: 2))
            let check = SpoolCheck(figures)
            #expect(check.problems.map(\.code) == ["braked"])
            #expect(check.level == .warning)
            #expect(
                check.line.hasPrefix(
                    "REPORTS WARNING - 2 crashes in a loop: 5 reports beyond max_per_signature left out in the last 24 h; "
                        + "the first ones are kept, 'reports list --group' shows them | "))
            #expect(check.line.contains(" evicted=0;;0;0 braked=5;0;;0 "))
            let metrics = SpoolMetrics(figures, spool: "s").text(as: .openMetrics)
            for line in [
                #"reports_evicted_total{spool="s",destination="",limit="max_per_signature"} 5"#,
                #"reports_braked_signatures{spool="s"} 2"#,
            ] {
                #expect(metrics.contains(line), "\(metrics)")
            }
            #expect(metrics.contains("reports_last_braked_timestamp_seconds{"))
            #expect(!metrics.contains("reports_last_eviction_timestamp_seconds{"))
            let braked = try inspector.status().braked
            #expect(braked.map(\.count) == [4, 1])
            let left = try #require(try ids.first { try harness.state($0) == .evicted })
            let view = try inspector.report(left.hex)
            #expect(braked.first?.signature == view.signature)
            #expect(braked.first?.summary?.contains("ValueError") == true)
            #expect(view.isBraked)
            let error = #expect(throws: ReportsError.self) { try inspector.requireBytes(left.hex, for: .retry) }
            #expect(error?.message.contains("raise max_per_signature and add them again") == true)

            harness.clock.advance(by: Self.hour + 1)
            #expect(try SpoolInspector(spool: harness.spool).status().braked == [])
            let later = try SpoolInspector(spool: harness.spool).figures(evictedWithin: 86_400_000)
            #expect(later.brakedNow == .init())
            #expect(SpoolCheck(later).problems.map(\.code) == ["braked"])
        }
    }

    @Test("beside other evictions, those of the limit of a signature hide nothing")
    func besideOthers() async throws {
        var limits = SpoolLimits.braking(2)
        limits.maximumCount = 3
        try await withSpool(limits: limits) { harness in
            for number in 0..<4 { try harness.add("INFO a line of a log, number \(number)", kind: .log) }
            for number in 0..<5 { try harness.add(CrashText.python(number)) }
            let summary = try await harness.takeIn()
            #expect((summary.evicted, summary.braked) == (6, 3))
            let figures = try SpoolInspector(spool: harness.spool).figures(evictedWithin: 86_400_000)
            #expect((figures.recentEvictionCount, figures.recentlyBraked.reports) == (3, 3))
            #expect(figures.lastEviction != nil)
            let json = summary.json
            #expect((json["evicted"]?.integerValue, json["braked"]?.integerValue) == (6, 3))
        }
    }

    @Test("each report that comes in beyond the limit lets two old records go")
    func oldRecordsGo() async throws {
        try await withBrake(1) { harness in
            _ = try await crash(0..<7, harness)
            harness.clock.advance(by: TransferStore.brakedAge + 1)
            // Of one life, so that it is no close that forgets them.
            let owner = try #require(try await harness.own())
            try harness.add(CrashText.python(7))
            try harness.add(CrashText.python(8))
            try await takeIn(as: owner)
            #expect(try await owner.queue.look { try $0.tally() }[.evicted].count == 6 + 1 - 2)
            try await owner.resign()
        }
    }
}
