import Background
import Digests
import DurableIO
import Foundation
import Reports
import SystemPackage
import TestSupport
import Testing

/// What another user's `add` does in the drop zone of a shared spool, played by this user. Two real users are in
/// `SharedSpoolTests`.
@Suite("Drop zone of a shared spool", .timeLimit(.minutes(5)))
struct SharedDropZoneTests {
    private func share(_ harness: SpoolHarness, mode: UInt32 = 0o3733) throws -> ReportSpool {
        try harness.spool.files.setPermissions(mode, of: harness.spool.incoming)
        return try #require(
            try ReportSpool.open(
                FilePath(harness.path), isCreating: false, files: harness.spool.files, clock: harness.clock))
    }

    /// Adds reports, and lets go of their files as the end of `add` does.
    /// - Returns: the ids that were told.
    private func add(_ texts: [String], _ producer: ReportProducer) throws -> [ContentHash] {
        let prepared = try texts.map { try prepare($0, producer) }
        try producer.store(prepared)
        return prepared.map(\.report.id)
    }

    private func prepare(_ text: String, _ producer: ReportProducer) throws -> ReportProducer.Prepared {
        try producer.prepare(
            .bytes(Array(text.utf8)),
            as: .init(kind: .hang, name: Array("shop.log".utf8), annotations: ["version": "2.1"]), from: text)
    }

    @Test("what another user adds arrives with kind, name, annotations and time, under the id that was told")
    func arrives() async throws {
        try await withSpool { harness in
            let producer = ReportProducer(zone: try SharedDropZone(of: share(harness)))
            let addedAt = harness.clock.wallMilliseconds
            let ids = try add(["one", "two"], producer)
            #expect(ids == [.of("one"), .of("two")])
            harness.clock.advance(by: 3_600_000)
            #expect(try harness.entries("collected") + harness.entries("tmp") == [])
            #expect(try await harness.submit().delivered == 2)
            for id in ids {
                let view = try SpoolInspector(spool: harness.spool).report(id.hex)
                #expect(view.kind == "hang")
                #expect(view.name == Array("shop.log".utf8))
                #expect(view.annotations == ["version": "2.1"])
                #expect(view.collectedAt == addedAt)
            }
        }
    }

    @Test(
        "a file's name tells nothing; its mode lets the owner's group read it, or everybody without such a group"
    )
    func namesAndModes() throws {
        for (mode, expected) in [(0o3733, 0o640), (0o1733, 0o644)] as [(UInt32, UInt32)] {
            try withTemporaryDirectory { directory in
                let harness = try SpoolHarness(directory + "/spool")
                let producer = ReportProducer(zone: try SharedDropZone(of: share(harness, mode: mode)))
                let prepared = try prepare("secret", producer)
                let draft = try #require(harness.entries("incoming").first)
                #expect(draft.hasPrefix(".adding-"))
                try producer.store([prepared])
                let name = try #require(harness.entries("incoming").first)
                #expect(name.wholeMatch(of: /[0-9a-f]{32}\.gz/) != nil)
                #expect(!prepared.report.id.hex.hasPrefix(name.prefix(8)))
                let entry = try #require(EntryName(name))
                let facts = try #require(try harness.spool.files.metadata(of: entry, in: harness.spool.incoming))
                #expect(facts.permissions == expected)
            }
        }
    }

    @Test(
        "what is being added is not taken and named as being written; what a killed add left goes with the next owner")
    func leftBehind() async throws {
        try await withSpool { harness in
            let spool = try share(harness)
            let producer = ReportProducer(zone: try SharedDropZone(of: spool))
            var living: ReportProducer.Prepared? = try prepare("living", producer)
            let names = [".adding-0123", ".hidden", "dropped"]
            for name in names { try harness.drop(name, name) }
            let submission = Submission(spool: spool, configuration: harness.configuration())
            #expect(try await submission.run().delivered == 1)
            #expect(try harness.entries("incoming").filter { $0 == ".adding-0123" } == [])
            #expect(try harness.entries("incoming").count == 2)
            #expect(try harness.reason(ofDrop: "shop.log") == "is still being written")
            try producer.store([#require(living)])
            living = nil
            #expect(try await submission.run().delivered == 1)
        }
    }

    @Test("an add that dies at any of its calls has stored a whole report, or nothing, and leaves nothing for long")
    func killed() async throws {
        var point = 0
        var isThrough = false
        while !isThrough {
            point += 1
            try await withSpool { harness in
                let spool = try share(harness)
                let files = FaultingFileSystem(killedAt: point)
                let producer = ReportProducer(zone: try SharedDropZone(of: spool, files: files))
                let isStored = (try? producer.store([prepare("one", producer), prepare("two", producer)])) != nil
                isThrough = !files.isDead
                #expect(isStored == isThrough)
                _ = try await Submission(spool: spool, configuration: harness.configuration()).run()
                for text in ["one", "two"] {
                    let state = try harness.state(.of(text))
                    #expect(state == .delivered || state == nil && !isStored, "dead at \(point)")
                }
                #expect(
                    harness.sent.allSatisfy { [ContentHash.of("one").hex, ContentHash.of("two").hex].contains($0) })
                #expect(try harness.entries("incoming") + harness.entries("taken") == [], "dead at \(point)")
            }
        }
        #expect(point > 8)
    }

    @Test("the bounds that need no ledger hold for others, too", arguments: [true, false])
    func bounds(isTooLarge: Bool) throws {
        try withTemporaryDirectory { directory in
            let harness = try SpoolHarness(directory + "/spool")
            var limits = SpoolLimits()
            if isTooLarge { limits.maximumReportByteCount = 2 } else { limits.minimumFreeByteCount = .max }
            let zone = try SharedDropZone(of: share(harness), limits: limits)
            let error = #expect(throws: ReportsError.self) {
                try ReportProducer(zone: zone).checkSpace(for: 3, from: "x")
            }
            #expect(error?.code == .cannotWrite)
        }
    }

    // MARK: - Modes

    @Test("one that an earlier version shared gets the set-group-ID bit from its owner; any other mode stays")
    func corrected() throws {
        for (mode, expected) in [(0o1733, 0o3733), (0o1777, 0o1777), (0o700, 0o700)] as [(UInt32, UInt32)] {
            try withTemporaryDirectory { directory in
                let harness = try SpoolHarness(directory + "/spool")
                try harness.spool.files.setPermissions(mode, of: harness.spool.incoming)
                for isCreating in [false, true] {
                    let spool = try #require(
                        try ReportSpool.open(FilePath(harness.path), isCreating: isCreating, files: POSIXFileSystem()))
                    let found = try spool.files.metadata(of: spool.incoming).permissions
                    #expect(found == (isCreating ? expected : mode))
                    #expect(spool.options.isShared == (mode & 0o003 == 0o003))
                }
            }
        }
    }

    @Test(
        "the doctor names a shared drop zone in which others may move files or list them, and repairs it",
        arguments: [
            (0o733, "others may move each other's files"), (0o3777, "others may read it"),
        ] as [(UInt32, String)])
    func repaired(mode: UInt32, danger: String) async throws {
        try await withSpool { harness in
            let spool = try share(harness, mode: mode)
            var findings: [String] = []
            try Doctor(spool: spool).examine { findings.append("\($0.subject): \($0.message)") }
            #expect(findings == ["incoming: has mode \(String(mode, radix: 8)), \(danger): should be 3733"])
            _ = try await Doctor(spool: spool).repair()
            #expect(try spool.files.metadata(of: spool.incoming).permissions == 0o3733)
        }
    }
}

extension SharedDropZone {
    /// As another user has it open.
    init(
        of spool: ReportSpool, files: (any FileSystem)? = nil, limits: SpoolLimits = SpoolLimits()
    ) throws {
        var options = ReportSpool.Options()
        options.limits = limits
        self.init(
            spool.incoming, path: spool.root.path, spool: try spool.files.metadata(of: spool.root),
            facts: try spool.files.metadata(of: spool.incoming), options, files: files ?? spool.files,
            clock: spool.clock)
    }
}
