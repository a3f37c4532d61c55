import DurableIO
import Foundation
import Reports
import SystemPackage
import TestSupport
import Testing

@Suite("Collecting a large payload")
struct LargePayloadTests {
    /// What the collector does on the disk, in its order.
    private typealias Calls = Monitor<[FaultingFileSystem.Call.Operation]>

    /// A disk on which something happens just before a collector's n-th read.
    private struct Disk {
        let files: FaultingFileSystem
        let calls = Calls([])

        var reads: Int { calls.value.count { $0 == .read } }

        init(at read: Int = .max, _ event: @escaping @Sendable (FaultingFileSystem) -> Void = { _ in }) {
            let box = Monitor<FaultingFileSystem?>(nil)
            files = FaultingFileSystem { [calls] call throws(FileSystemError) in
                let count = calls.withLock { calls in
                    calls.append(call.operation)
                    return calls.count { $0 == .read }
                }
                if call.operation == .read, count == read, let files = box.value { event(files) }
            }
            box.withLock { $0 = files }
        }
    }

    private func collect(_ path: String, _ harness: SpoolHarness, _ disk: Disk) throws -> StoredReport {
        let file = try disk.files.openFile(FilePath(path))
        let facts = try disk.files.metadata(of: file)
        disk.calls.withLock { $0 = [] }
        return try ReportCollector(spool: harness.spool).collect(
            .file(file, facts: facts), as: ReportCollector.Description()
        ).report
    }

    private func makeHoles(_ path: String, _ length: off_t) throws {
        try Data("core".utf8).write(to: URL(fileURLWithPath: path))
        try #require(truncate(path, length) == 0)
    }

    /// Bytes that do not shrink: deflate looks back 32 KiB.
    private func makeNoise(_ path: String, mebibytes: Int) throws {
        var generator = SeededGenerator(seed: 1)
        var words = [UInt64](repeating: 0, count: 1 << 17)
        for index in words.indices { words[index] = generator.next() }
        let block = words.withUnsafeBytes { Data($0) }
        try #require(FileManager.default.createFile(atPath: path, contents: nil))
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        for _ in 0..<mebibytes { try file.write(contentsOf: block) }
        try file.close()
    }

    // MARK: - Write-back

    @Test("write-back starts each 16 MiB, and is waited for 16 MiB later")
    func writeBack() throws {
        try withTemporaryDirectory { directory in
            let disk = Disk()
            let harness = try SpoolHarness(directory + "/spool", files: disk.files)
            try makeNoise(directory + "/payload", mebibytes: 40)
            let report = try collect(directory + "/payload", harness, disk)
            #expect(report.wireSize > 40 << 20)
            let writeBack = disk.calls.value.filter { $0 == .startWriteBack || $0 == .finishWriteBack }
            #expect(writeBack.first == .startWriteBack)
            #expect(writeBack.count { $0 == .startWriteBack } == 2)
            // In steps of 1 MiB, all but the last 16 MiB.
            #expect(writeBack.count { $0 == .finishWriteBack } == 24)
            let second = try #require(writeBack.lastIndex(of: .startWriteBack))
            #expect((15...17).contains(second))
            #expect(!disk.calls.value.contains(.sync))
        }
    }

    @Test("a file of 16 MiB and less gets none")
    func noWriteBack() throws {
        try withTemporaryDirectory { directory in
            let disk = Disk()
            let harness = try SpoolHarness(directory + "/spool", files: disk.files)
            try makeNoise(directory + "/payload", mebibytes: 15)
            _ = try collect(directory + "/payload", harness, disk)
            #expect(!disk.calls.value.contains(.startWriteBack))
        }
    }

    @Test("a disk that fails at write-back fails the collect: the sync after it would not tell")
    func failedWriteBack() throws {
        try withTemporaryDirectory { directory in
            let files = FaultingFileSystem { call throws(FileSystemError) in
                if call.operation == .finishWriteBack { throw FileSystemError(.sync, "payload", .ioError) }
            }
            let harness = try SpoolHarness(directory + "/spool", files: files)
            try makeNoise(directory + "/payload", mebibytes: 20)
            #expect(throws: FileSystemError(.sync, "payload", .ioError)) {
                let file = try files.openFile(FilePath(directory + "/payload"))
                _ = try ReportCollector(spool: harness.spool).collect(
                    .file(file, facts: nil), as: ReportCollector.Description())
            }
            #expect(try harness.entries("tmp") == [])
        }
    }

    // MARK: - Space

    @Test("the floor of free space is looked at each 64 MiB, whether they shrink or not", arguments: [false, true])
    func floor(isNoise: Bool) throws {
        try withTemporaryDirectory { directory in
            let path = directory + "/payload"
            // After 20 MiB others have filled the disk.
            let disk = Disk(at: 80) { $0.claimSpace(available: 0, total: 100 << 30) }
            disk.files.claimSpace(available: 50 << 30, total: 100 << 30)
            let harness = try SpoolHarness(directory + "/spool", files: disk.files)
            if isNoise { try makeNoise(path, mebibytes: 80) } else { try makeHoles(path, 200 << 20) }
            let error = #expect(throws: PayloadProblem.self) { try collect(path, harness, disk) }
            guard case .noSpace = error else {
                Issue.record("\(String(describing: error))")
                return
            }
            // The first look is at 64 MiB, or for a file of which less was expected 1 MiB later.
            #expect((256...262).contains(disk.reads))
            #expect(try harness.entries("tmp") == [])
        }
    }

    // MARK: - Cancellation

    enum Change: CaseIterable {
        case none, grows, isTruncated

        func make(_ path: String) {
            switch self {
            case .none: break
            case .grows: truncate(path, 5 << 30)
            case .isTruncated: truncate(path, 1_000)
            }
        }
    }

    @Test(
        "a cancelled collect ends with the block it is at, whatever becomes of its file", arguments: Change.allCases,
        [2, 50])
    func cancelled(change: Change, read: Int) async throws {
        try await withTemporaryDirectory { directory in
            let path = directory + "/payload"
            // 4 GiB, nearly all of them holes: reading goes fast.
            try makeHoles(path, 4 << 30)
            let disk = Disk(at: read) { _ in
                change.make(path)
                withUnsafeCurrentTask { $0?.cancel() }
            }
            let harness = try SpoolHarness(directory + "/spool", files: disk.files)
            try await cancelling { #expect(throws: CancellationError.self) { try collect(path, harness, disk) } }
            // A read that ends the file asks once more.
            #expect((read...read + 1).contains(disk.reads))
            #expect(try harness.entries("tmp") == [])
        }
    }

    @Test("a collect that is cancelled before its first block writes nothing of it")
    func cancelledAtOnce() async throws {
        try await withTemporaryDirectory { directory in
            let path = directory + "/payload"
            try makeHoles(path, 4 << 30)
            let disk = Disk(at: 1) { _ in withUnsafeCurrentTask { $0?.cancel() } }
            let harness = try SpoolHarness(directory + "/spool", files: disk.files)
            try await cancelling { #expect(throws: CancellationError.self) { try collect(path, harness, disk) } }
            #expect(disk.reads == 1)
            #expect(!disk.calls.value.contains(.write))
            #expect(try harness.entries("tmp") == [])
        }
    }

    @Test("a collect that is cancelled after its last byte was read is not finished")
    func cancelledAtEnd() async throws {
        try await withTemporaryDirectory { directory in
            let path = directory + "/payload"
            try makeHoles(path, 300_000)
            // 256 KiB, the rest, and the end.
            let disk = Disk(at: 3) { _ in withUnsafeCurrentTask { $0?.cancel() } }
            let harness = try SpoolHarness(directory + "/spool", files: disk.files)
            try await cancelling { #expect(throws: CancellationError.self) { try collect(path, harness, disk) } }
            #expect(disk.reads == 3)
            #expect(try harness.entries("tmp") == [])
        }
    }

    @Test("a payload of one block is collected by a cancelled task, too", arguments: [false, true])
    func oneBlock(isFile: Bool) async throws {
        try await withTemporaryDirectory { directory in
            let disk = Disk(at: 1) { _ in withUnsafeCurrentTask { $0?.cancel() } }
            let harness = try SpoolHarness(directory + "/spool", files: disk.files)
            let bytes = Array("why the task was cancelled".utf8)
            try Data(bytes).write(to: URL(fileURLWithPath: directory + "/payload"))
            try await cancelling {
                if isFile {
                    #expect(try collect(directory + "/payload", harness, disk).size == UInt64(bytes.count))
                } else {
                    withUnsafeCurrentTask { $0?.cancel() }
                    let collected = try ReportCollector(spool: harness.spool).collect(
                        .bytes(bytes), as: ReportCollector.Description())
                    #expect(collected.report.size == UInt64(bytes.count))
                }
            }
        }
    }

    /// Runs a body that cancels its own task.
    private func cancelling(_ body: @escaping @Sendable () throws -> Void) async throws {
        try await Task { try body() }.value
    }
}
