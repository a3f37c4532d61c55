import DurableIO
import Foundation
import Reports
import SystemPackage
import TestSupport
import Testing

/// How much a payload may take, by its own size and by the space there is.
@Suite("Space for a payload")
struct PayloadSpaceTests {
    @Test("of a file with holes only its blocks count, whether it is added or dropped")
    func holes() async throws {
        var limits = SpoolLimits()
        limits.maximumReportByteCount = 1 << 20
        try await withSpool(limits: limits) { harness in
            let path = harness.path + "/../sparse"
            try Data("core".utf8).write(to: URL(fileURLWithPath: path))
            try #require(truncate(path, 32 << 20) == 0)
            let reporter = Reporter(spool: harness.spool, owner: harness.configuration())
            let id = try await reporter.collect(contentsOf: FilePath(path))
            #expect(rename(path, harness.path + "/incoming/sparse") == 0)
            #expect(try await harness.submit().delivered == 1)
            let view = try SpoolInspector(spool: harness.spool).report(id)
            #expect(view.size == 32 << 20)
            #expect(view.occurrences == 2)
        }
    }

    /// Bytes that do not shrink.
    private static func noise(_ count: Int) -> [UInt8] {
        var generator = SeededGenerator(seed: 1)
        return (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
    }

    @Test("a report larger than all may be together is given up while it is collected, and the setting is named")
    func largerThanAll() async throws {
        var limits = SpoolLimits()
        limits.maximumTotalByteCount = 100_000
        try await withSpool(limits: limits) { harness in
            let path = harness.path + "/../noise"
            try Data(Self.noise(3 << 20)).write(to: URL(fileURLWithPath: path))
            let reporter = Reporter(spool: harness.spool, owner: harness.configuration())
            let message =
                "is larger, compressed, than the 100000 bytes that all reports may take: raise max_total_size to take it"
            let error = await #expect(throws: ReportsError.self) {
                try await reporter.collect(contentsOf: FilePath(path))
            }
            #expect(error?.code == .cannotWrite)
            #expect(error?.message.hasSuffix(message) == true)
            await #expect(throws: ReportsError.self) { try await reporter.collect(Self.noise(110_000)) }
            // A dropped one stays, keeps nobody up and is named.
            #expect(rename(path, harness.path + "/incoming/noise") == 0)
            try harness.add("good")
            let summary = try await harness.submit()
            #expect(summary.delivered == 1)
            #expect(summary.skipped == 1)
            #expect(summary.waiting == 0)
            #expect(try harness.reason(ofDrop: "noise") == "skipped: \(message)")
            #expect(try harness.entries("tmp") == [])
        }
    }

    @Test("a file that is nearly all holes is refused by its length, where that is beyond all reason")
    func holes() throws {
        var limits = SpoolLimits()
        limits.maximumReportByteCount = 1 << 20
        try withTemporaryDirectory { directory in
            let harness = try SpoolHarness(directory + "/spool", limits: limits)
            for (name, length, isReady) in [("some", 256 << 20, true), ("all", 256 << 20 + 1, false)] {
                let path = "\(harness.path)/incoming/\(name)"
                #expect(FileManager.default.createFile(atPath: path, contents: nil))
                let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
                try file.truncate(atOffset: UInt64(length))
                try file.close()
                let drop = try DropZone(spool: harness.spool).drops().first { $0.name.description == name }
                #expect((drop?.readiness == .ready) == isReady, "\(name): \(String(describing: drop?.readiness))")
            }
        }
    }

    @Test("a pipe that turns out long has to leave more space free", arguments: [(512 << 10, true), (2 << 20, false)])
    func longPipe(count: Int, isTaken: Bool) throws {
        try withTemporaryDirectory { directory in
            let files = FaultingFileSystem { _ in }
            files.claimSpace(available: 500 << 20, total: 100 << 30)
            let harness = try SpoolHarness(directory + "/spool", files: files)
            let path = directory + "/payload"
            try Data(repeating: 0x78, count: count).write(to: URL(fileURLWithPath: path))
            let producer = ReportProducer(spool: harness.spool)
            try producer.checkSpace(for: nil as FileMetadata?, from: "standard input")
            do {
                let source = PayloadSource.file(try open(path, files), facts: nil)
                _ = try producer.prepare(source, as: ReportCollector.Description(), from: "standard input")
                #expect(isTaken)
            } catch let error as ReportsError {
                #expect(!isTaken)
                #expect(error.message.contains("less than the \(1 << 30) bytes that must stay free are free"))
            }
        }
    }

    private func open(_ path: String, _ files: any FileSystem) throws(ReportsError) -> OwnedDescriptor {
        do throws(FileSystemError) {
            return try files.openFile(FilePath(path))
        } catch {
            throw ReportsError(.noSuchFile, "\(error)")
        }
    }
}
