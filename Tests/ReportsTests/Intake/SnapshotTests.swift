import Digests
import DurableIO
import Foundation
import Reports
import Synchronization
import SystemPackage
import TestSupport
import Testing

/// Files that change while they are read, and those whose size says nothing.
@Suite("Snapshots")
struct SnapshotTests {
    /// What happens to a file while it is read.
    struct Change: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let apply: @Sendable (_ file: FileHandle, _ size: UInt64) throws -> Void
    }

    private static let line = "2026-11-28 08:13:04 INFO start\n"
    private static let journalLine = #"{"__REALTIME_TIMESTAMP":"1","MESSAGE":"start"}"# + "\n"

    private static let growth = Change(testDescription: "grows") { file, _ in
        try file.seekToEnd()
        try file.write(contentsOf: Data("more\n".utf8))
    }

    static let otherChanges = [
        Change(testDescription: "is truncated") { file, _ in try file.truncate(atOffset: 0) },
        Change(testDescription: "is truncated, and longer again") { file, size in
            try file.truncate(atOffset: 0)
            try file.seek(toOffset: 0)
            try file.write(contentsOf: Data(repeating: 0x78, count: Int(size) + 10))
        },
        Change(testDescription: "gets another beginning, and grows") { file, _ in
            try file.seek(toOffset: 0)
            try file.write(contentsOf: Data("X".utf8))
            try growth.apply(file, 0)
        },
        Change(testDescription: "gets another last line, and grows") { file, size in
            try file.seek(toOffset: size - 2)
            try file.write(contentsOf: Data("X\n".utf8))
            try growth.apply(file, 0)
        },
        Change(testDescription: "is written over in its place") { file, _ in
            try file.seek(toOffset: 0)
            try file.write(contentsOf: Data("X".utf8))
        },
    ]

    /// Collects a file as `add` does; the change comes just before the n-th read of it.
    private func collect(
        _ payload: Data, changing change: Change, before read: Int = 2
    ) throws -> (report: StoredReport, stored: StoredReport?) {
        try withTemporaryDirectory { directory in
            let path = directory + "/app.log"
            try payload.write(to: URL(fileURLWithPath: path))
            let reads = Mutex(0)
            let files = FaultingFileSystem { call throws(FileSystemError) in
                guard call.operation == .read,
                    reads.withLock({
                        $0 += 1
                        return $0 == read
                    })
                else { return }
                guard let file = FileHandle(forUpdatingAtPath: path) else { return }
                try? change.apply(file, UInt64(payload.count))
                try? file.close()
            }
            let harness = try SpoolHarness(directory + "/spool", files: files)
            let producer = ReportProducer(spool: harness.spool)
            let opened = try PayloadFile.open(FilePath(path), files: files)
            reads.withLock { $0 = 0 }
            let prepared = try producer.prepare(
                opened.source(), as: ReportCollector.Description(name: Array("app.log".utf8)), from: path)
            try producer.store([prepared])
            let entry = try #require(try harness.entries("collected").first.flatMap { EntryName($0) })
            let stored = try harness.spool.stored(entry, in: harness.spool.collected)
            #expect(try stored.map { try harness.spool.isWhole($0, named: entry, in: harness.spool.collected) } == true)
            return (prepared.report, stored)
        }
    }

    static let sizes = [1, 100, 5_000, 30_000]

    @Test("a log that grows meanwhile is stored as it was when it was opened, and says so", arguments: sizes)
    func growing(lines: Int) throws {
        for line in [Self.line, Self.journalLine] {
            let payload = Data(String(repeating: line, count: lines).utf8)
            let (report, stored) = try collect(payload, changing: Self.growth)
            #expect(report.id.hex == ContentHash.of(bytes: Array(payload)).hex)
            #expect(report.properties.isSnapshot)
            #expect(stored?.properties == report.properties)
            #expect(stored?.size == UInt64(payload.count))
        }
    }

    @Test("a file that nobody writes is no snapshot")
    func quiet() throws {
        let (report, stored) = try collect(
            Data(Self.line.utf8), changing: Change(testDescription: "nothing") { _, _ in })
        #expect(!report.properties.isSnapshot)
        #expect(stored?.properties == report.properties)
    }

    @Test("any other change is refused, with what to do", arguments: otherChanges, sizes)
    func changed(change: Change, lines: Int) throws {
        let payload = Data(String(repeating: Self.line, count: lines).utf8)
        // When all has been read, but for the look whether there is more.
        let last = payload.count / (256 << 10) + 2
        let error = #expect(throws: ReportsError.self) { try collect(payload, changing: change, before: last) }
        #expect(error?.code == .badPayload)
        #expect(error?.message.hasSuffix("add what it holds at one moment with 'cat FILE | reports add -'") == true)
    }

    @Test("a log that is truncated in the middle of the reading is refused", arguments: otherChanges.prefix(3))
    func truncated(change: Change) throws {
        let payload = Data(String(repeating: Self.line, count: 30_000).utf8)
        #expect(throws: ReportsError.self) { try collect(payload, changing: change) }
    }

    @Test("what is no log in text is refused when it grows", arguments: ["\0\u{1}\u{2}", #"{"a": 1}"#, ""])
    func otherFormats(payload: String) throws {
        #expect(throws: ReportsError.self) {
            try collect(Data(payload.utf8), changing: Self.growth, before: payload.isEmpty ? 1 : 2)
        }
    }

    @Test("a drop that grows is read again later, never a snapshot")
    func growingDrop() async throws {
        let holder = Mutex<SpoolHarness?>(nil)
        let files = FaultingFileSystem { call throws(FileSystemError) in
            guard call.operation == .create, call.room == "tmp", let harness = holder.withLock({ $0 }),
                let name = (try? harness.entries("taken"))?.first,
                let file = FileHandle(forUpdatingAtPath: "\(harness.path)/taken/\(name)")
            else { return }
            holder.withLock { $0 = nil }
            try? Self.growth.apply(file, 0)
            try? file.close()
        }
        try await withSpool(files: files) { harness in
            try harness.drop("app.log", Self.line)
            holder.withLock { $0 = harness }
            #expect(try await harness.submit().delivered == 1)
            #expect(harness.sent == [ContentHash.of(Self.line + "more\n").hex])
        }
    }

    @Test(
        "files of the kernel, whose size says nothing, are read to their end",
        arguments: [
            "/proc/self/status", "/proc/cpuinfo", "/proc/self/maps", "/proc/version",
            "/sys/kernel/mm/transparent_hugepage/enabled",
        ])
    func kernelFiles(path: String) async throws {
        guard FileManager.default.isReadableFile(atPath: path) else { return }
        try await withSpool { harness in
            let reporter = Reporter(spool: harness.spool, owner: harness.configuration())
            let id = try await reporter.collect(contentsOf: FilePath(path))
            try await harness.takeIn()
            let view = try SpoolInspector(spool: harness.spool).report(id)
            #expect(view.size > 0)
            #expect(!view.isSnapshot)
        }
    }
}
