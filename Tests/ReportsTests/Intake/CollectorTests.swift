import Digests
import DurableIO
import Foundation
import Reports
import Synchronization
import SystemPackage
import TestSupport
import Testing

@Suite("Collecting")
struct CollectorTests {
    private func collect(
        _ bytes: [UInt8], _ harness: SpoolHarness, kind: ReportKind? = nil, name: [UInt8]? = nil,
        annotations: [String: String] = [:]
    ) throws -> StoredReport {
        let producer = ReportProducer(spool: harness.spool)
        let description = ReportCollector.Description(kind: kind, name: name, annotations: annotations)
        let prepared = try producer.prepare(.bytes(bytes), as: description, from: "test")
        try producer.store([prepared])
        return prepared.report
    }

    private func onlyEntry(_ harness: SpoolHarness) throws -> URL {
        let name = try #require(try harness.entries("collected").first)
        return URL(fileURLWithPath: "\(harness.path)/collected/\(name)")
    }

    @Test(
        "a stored report is one gzip member that gunzip opens, and its digests are those of the bytes sent",
        .enabled(if: findExecutable("gunzip") != nil), arguments: CorpusFile.all)
    func corpus(file: CorpusFile) async throws {
        try await withSpool { harness in
            let payload = file.bytes
            let name = "local-\(file.name)"
            let report = try collect(payload, harness, kind: .crash, name: Array(name.utf8), annotations: ["a": "b"])
            let stored = [UInt8](try Data(contentsOf: onlyEntry(harness)))
            #expect(try run("gunzip", ["-c"], input: stored).stdout == payload)

            #expect(report.id.hex == ContentHash.of(bytes: payload).hex)
            let wire = WireForm.prefix + stored[report.headerByteCount...]
            #expect(WireForm.prefix == [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff])
            #expect(try run("gunzip", ["-c"], input: wire).stdout == payload)
            let header = try GzipMemberHeader(parsing: stored)
            #expect(header.record?.wireDigest == ContentHash.of(bytes: wire).bytes)
            #expect(header.record?.payloadByteCount == UInt64(payload.count))
            #expect(UInt64(wire.count) == report.wireSize)
            // No local name leaves the machine.
            #expect(Data(wire).range(of: Data(name.utf8)) == nil)

            let entry = try #require(try harness.entries("collected").first.flatMap(EntryName.init))
            let read = try #require(try harness.spool.stored(entry, in: harness.spool.collected))
            #expect(read.properties == report.properties)
            #expect(read.properties.format == file.format)
            #expect(read.properties.kind == .crash)
            #expect(read.properties.name == Array(name.utf8))
            #expect(read.properties.collectedAt == harness.clock.wallMilliseconds)
            #expect(read.properties.annotations == ["a": "b"])
            #expect(read.size == UInt64(payload.count))
        }
    }

    @Test("an empty payload is a report")
    func empty() async throws {
        try await withSpool { harness in
            let id = try collect([], harness).id
            #expect(id == .of(""))
            #expect(try await harness.submit().delivered == 1)
            #expect(harness.sent == [id.hex])
        }
    }

    @Test("a name that is not UTF-8 is kept byte for byte")
    func oddName() async throws {
        try await withSpool { harness in
            let name: [UInt8] = [0x63, 0xff, 0x0a, 0x1b, 0x5b]
            let id = try collect(Array("x".utf8), harness, name: name).id
            try await harness.takeIn()
            let view = try SpoolInspector(spool: harness.spool).report(id.hex)
            #expect(view.name == name)
            #expect(view.json["name_b64"]?.stringValue == Base64.encode(name))
        }
    }

    @Test("the same bytes under another name and kind are the same report")
    func identity() async throws {
        try await withSpool { harness in
            let first = try collect(Array("x".utf8), harness, kind: .log, name: [0x61])
            let second = try collect(Array("x".utf8), harness, kind: .crash, name: [0x62])
            #expect(first.id == second.id)
            #expect(try await harness.takeIn().duplicates == 1)
        }
    }

    // MARK: - Files that change

    enum Change: String, CaseIterable, Sendable {
        case grows, shrinks, isReplaced, isRewritten

        func make(_ path: String) throws {
            let url = URL(fileURLWithPath: path)
            switch self {
            case .grows:
                let file = try FileHandle(forWritingTo: url)
                try file.seekToEnd()
                try file.write(contentsOf: Data("more".utf8))
                try file.close()
            case .shrinks: #expect(truncate(path, 10) == 0)
            case .isRewritten:
                let size = try Data(contentsOf: url).count
                let file = try FileHandle(forWritingTo: url)
                try file.write(contentsOf: Data(repeating: 0x41, count: size))
                try file.close()
            case .isReplaced: try Data(contentsOf: url).write(to: url, options: .atomic)
            }
        }
    }

    @Test("a file that changes while it is read is refused", arguments: [Change.grows, .shrinks, .isRewritten])
    func changed(change: Change) async throws {
        try withTemporaryDirectory { directory in
            let path = directory + "/payload"
            // No text, of which growth would be a snapshot.
            try Data(count: 700_000).write(to: URL(fileURLWithPath: path))
            let reads = Mutex(0)
            let files = FaultingFileSystem { call throws(FileSystemError) in
                guard call.operation == .read else { return }
                let count = reads.withLock { count in
                    count += 1
                    return count
                }
                if count == 2 { try? change.make(path) }
            }
            let harness = try SpoolHarness(directory + "/spool", files: files)
            reads.withLock { $0 = 0 }
            let collector = ReportCollector(spool: harness.spool)
            #expect(throws: PayloadProblem.self) {
                let opened = try PayloadFile.open(FilePath(path), files: files)
                _ = try collector.collect(opened.source(), as: ReportCollector.Description())
            }
            #expect(try harness.entries("tmp") == [])
        }
    }

    @Test("a file replaced under its name while it is read is still the file that was opened")
    func replaced() async throws {
        try withTemporaryDirectory { directory in
            let path = directory + "/payload"
            try Data(repeating: 0x40, count: 700_000).write(to: URL(fileURLWithPath: path))
            let harness = try SpoolHarness(directory + "/spool")
            let opened = try PayloadFile.open(FilePath(path), files: harness.spool.files)
            try Change.isReplaced.make(path)
            let collected = try ReportCollector(spool: harness.spool).collect(
                opened.source(), as: ReportCollector.Description())
            #expect(collected.report.size == 700_000)
        }
    }

    // MARK: - Bounds

    @Test("a payload above the limit is refused before and while it is read")
    func tooLarge() async throws {
        try withTemporaryDirectory { directory in
            var limits = SpoolLimits()
            limits.maximumReportByteCount = 1_000
            let harness = try SpoolHarness(directory + "/spool", limits: limits)
            let producer = ReportProducer(spool: harness.spool)
            try producer.checkSpace(for: 1_000, from: "x")
            let error = #expect(throws: ReportsError.self) { try producer.checkSpace(for: 1_001, from: "x") }
            #expect(error?.code == .cannotWrite)
            let path = directory + "/payload"
            try Data(repeating: 1, count: 1_001).write(to: URL(fileURLWithPath: path))
            let late = #expect(throws: ReportsError.self) {
                let input = try harness.spool.files.openFile(FilePath(path))
                _ = try producer.prepare(.file(input, facts: nil), as: ReportCollector.Description(), from: "x")
            }
            #expect(late?.code == .cannotWrite)
            #expect(late?.message == "x: has 1001 bytes, above the limit of 1000: raise max_report_size to take it")
        }
    }

    @Test("below the floor of free space nothing is taken")
    func noSpace() async throws {
        var limits = SpoolLimits()
        limits.minimumFreeByteCount = .max
        try await withSpool(limits: limits) { harness in
            let error = #expect(throws: ReportsError.self) {
                try ReportProducer(spool: harness.spool).checkSpace(for: 1, from: "x")
            }
            #expect(error?.code == .cannotWrite)
            #expect(error?.message.contains("free some space") == true)
            try harness.drop("drop", "x")
            #expect(try await harness.submit().skipped == 1)
            #expect(try harness.entries("incoming") == ["drop"])
        }
    }

    @Test("a payload that is no file is refused, a missing one named", arguments: ["directory", "missing"])
    func notAFile(name: String) throws {
        try withTemporaryDirectory { path in
            try FileManager.default.createDirectory(atPath: path + "/directory", withIntermediateDirectories: false)
            let error = #expect(throws: ReportsError.self) {
                _ = try PayloadFile.open(FilePath("\(path)/\(name)"), files: POSIXFileSystem())
            }
            #expect(error?.code == (name == "missing" ? .noSuchFile : .badPayload))
        }
    }

    static let badAnnotations: [[String: String]] = [
        Dictionary(uniqueKeysWithValues: (0..<65).map { ("key\($0)", "") }),
        ["": "x"], [String(repeating: "k", count: 65): "x"], ["a b": "x"], ["é": "x"], ["a\n": "x"],
        ["a": String(repeating: "v", count: 1_025)], ["a": String(repeating: "é", count: 513)],
        // Each within its bounds, too much together.
        Dictionary(uniqueKeysWithValues: (0..<64).map { ("key\($0)", String(repeating: "v", count: 1_024)) }),
    ]

    @Test("annotations out of bounds are a usage error", arguments: badAnnotations)
    func annotationsOutOfBounds(annotations: [String: String]) async throws {
        try await withSpool { harness in
            let error = #expect(throws: ReportsError.self) {
                _ = try collect(Array("x".utf8), harness, annotations: annotations)
            }
            #expect(error?.code == .badArgument)
            let left = try harness.entries("collected") + harness.entries("tmp")
            #expect(left == [])
        }
    }

    @Test("annotations at their bounds are kept")
    func annotationsWithinBounds() async throws {
        try await withSpool { harness in
            var annotations = Dictionary(
                uniqueKeysWithValues: (10..<73).map { ("A-z_0.9" + String(repeating: "k", count: 55) + "\($0)", "é") })
            annotations["long"] = String(repeating: "v", count: 1_024)
            let id = try collect(Array("x".utf8), harness, annotations: annotations).id
            try await harness.takeIn()
            #expect(try SpoolInspector(spool: harness.spool).report(id.hex).annotations == annotations)
        }
    }

    @Test("a cleaner that takes a file between its creation and its writer's mark costs nothing")
    func cleanerRace() async throws {
        let holder = Mutex<SpoolHarness?>(nil)
        let files = FaultingFileSystem { call throws(FileSystemError) in
            // The look at the new file, after its creation and its mark.
            guard call.operation == .inspect, call.room == "tmp", let name = call.name,
                let harness = holder.withLock({ $0 })
            else { return }
            holder.withLock { $0 = nil }
            try? FileManager.default.removeItem(atPath: "\(harness.path)/tmp/\(name)")
        }
        try await withSpool(files: files) { harness in
            holder.withLock { $0 = harness }
            let id = try harness.add("one")
            #expect(try await harness.submit().delivered == 1)
            #expect(harness.sent == [id.hex])
        }
    }
}

extension ContentHash {
    static func of(bytes: [UInt8]) -> ContentHash {
        ContentHash(of: bytes)
    }
}
