import Background
import Digests
import DurableIO
import Foundation
import Reports
import Synchronization
import SystemPackage
import TestSupport
import Testing

/// A process that collects, takes in and delivers dies at each of its steps in turn; the next one delivers everything
/// that was accepted and leaves a spool without a fault.
@Suite("Crash points")
struct CrashPointTests {
    /// What a process did before it died.
    private final class Life: Sendable {
        let accepted = Mutex<[ContentHash]>([])

        /// Every way in, and a second round that meets what the first one left.
        func run(_ path: String, _ clock: ManualClock, files: any FileSystem) async {
            do {
                let harness = try SpoolHarness(path, clock: clock, files: files)
                try accept { try harness.add("collected") }
                try accept { try drop("dropped", harness) }
                try accept { try drop("dropped again", harness, text: "collected") }
                try accept { try drop(packed: "packed", harness) }
                try await harness.submit()
                try accept { try harness.add("second round") }
                harness.transport.answer { $0.name == ContentHash.of("unwanted").hex ? .status(404) : .status(200) }
                try accept { try drop("unwanted", harness) }
                try await harness.submit()
                _ = try await OrderDispatch(spool: harness.spool).carryOut(.retry, ids: nil)
                harness.transport.answer { _ in .status(200) }
                try await harness.submit()
            } catch {
                // It died, or met an error that it could not mend; the next life is what counts.
            }
        }

        private func drop(_ name: String, _ harness: SpoolHarness, text: String? = nil) throws -> ContentHash {
            try harness.drop(name, text ?? name)
            return .of(text ?? name)
        }

        private func drop(packed text: String, _ harness: SpoolHarness) throws -> ContentHash {
            try whileNothingStarts {
                try Data(PackedDrop(text, properties: #"{"kind":"crash"}"#).bytes)
                    .write(to: URL(fileURLWithPath: "\(harness.path)/incoming/packed.gz"))
            }
            return .of(text)
        }

        private func accept(_ body: () throws -> ContentHash) throws {
            let id = try body()
            accepted.withLock { $0.append(id) }
        }
    }

    private func expectRecovery(
        _ path: String, _ clock: ManualClock, of accepted: [ContentHash], _ point: String
    ) async throws {
        let harness = try SpoolHarness(path, clock: clock)
        try await harness.submit()
        // What the dead process had parked, a person sends.
        _ = try await OrderDispatch(spool: harness.spool).carryOut(.retry, ids: nil)
        try await harness.submit()
        for id in accepted { #expect(try harness.state(id) == .delivered, "\(point): \(id)") }
        for room in ["incoming", "taken", "tmp", "collected", "queued", "parked"] {
            #expect(try harness.entries(room) == [], "\(point): \(room)")
        }
        #expect(try harness.findings() == [], "\(point)")
    }

    @Test(
        "every call after the n-th change fails, with incoming/ in the spool and on another file system",
        .timeLimit(.minutes(10)), arguments: [false, true])
    func failing(isIncomingApart: Bool) async throws {
        var point = 0
        var isThrough = false
        while !isThrough {
            point += 1
            try await withTemporaryDirectory { directory in
                let (path, clock, life) = (directory + "/spool", ManualClock(), Life())
                let files = FaultingFileSystem(killedAt: point)
                if isIncomingApart { files.keepIncomingApart() }
                await life.run(path, clock, files: files)
                isThrough = !files.isDead
                try await expectRecovery(path, clock, of: life.accepted.withLock { $0 }, "dead at change \(point)")
            }
        }
        #expect(point > 40)
    }

    @Test(
        "only the n-th change fails, for lack of space or for a fault of the disk", .timeLimit(.minutes(10)),
        arguments: [Errno.noSpace, .ioError])
    func failingOnce(errno: Errno) async throws {
        var point = 0
        var isThrough = false
        while !isThrough {
            point += 1
            try await withTemporaryDirectory { directory in
                let (path, clock, life) = (directory + "/spool", ManualClock(), Life())
                let files = FaultingFileSystem { [point] call throws(FileSystemError) in
                    if call.change == point { throw FileSystemError(.write, "a disk in trouble", errno) }
                }
                await life.run(path, clock, files: files)
                isThrough = files.changes < point
                try await expectRecovery(path, clock, of: life.accepted.withLock { $0 }, "failed at \(point)")
            }
        }
        #expect(point > 40)
    }

    @Test("killed before the n-th change: the files as they lay at that moment", .timeLimit(.minutes(10)))
    func killed() async throws {
        try await withTemporaryDirectory { directory in
            let (path, clock, life) = (directory + "/spool", ManualClock(), Life())
            let moments = Mutex<[(path: String, accepted: [ContentHash])]>([])
            let files = FaultingFileSystem { call throws(FileSystemError) in
                guard let change = call.change, FileManager.default.fileExists(atPath: path) else { return }
                let moment = "\(directory)/moment-\(change)"
                guard (try? copyMoment(of: path, to: moment)) != nil else { return }
                moments.withLock { $0.append((moment, life.accepted.withLock { $0 })) }
            }
            await life.run(path, clock, files: files)
            let all = moments.withLock { $0 }
            #expect(all.count > 40)
            for moment in all {
                try await expectRecovery(moment.path, clock, of: moment.accepted, moment.path.suffix(10).description)
            }
        }
    }
}
