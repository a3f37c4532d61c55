import Background
import DurableIO
import Foundation
import Reports
import Synchronization
import SystemPackage
import TestSupport
import Testing

/// A run that is told to end while its owner still opens the ledger, or looks at all files.
@Suite("A run that is told to end before it can send")
struct InterruptedOwnerTests {
    /// Cancels the run's task at each call that fits, once `isArmed`.
    private final class Canceller: Sendable {
        private let fits: Mutex<(@Sendable (FaultingFileSystem.Call) -> Bool)?> = Mutex(nil)

        func arm(_ fits: @escaping @Sendable (FaultingFileSystem.Call) -> Bool) {
            self.fits.withLock { $0 = fits }
        }

        func disarm() { fits.withLock { $0 = nil } }

        var files: FaultingFileSystem {
            FaultingFileSystem { [self] call throws(FileSystemError) in
                guard fits.withLock({ $0 })?(call) == true else { return }
                withUnsafeCurrentTask { $0?.cancel() }
            }
        }
    }

    private static func submitInTask(_ harness: SpoolHarness) async throws -> SubmissionSummary {
        try await Task { try await harness.submit() }.value
    }

    @Test("tells what waits, leaves the ledger as it was, and the next run delivers")
    func opening() async throws {
        let canceller = Canceller()
        try await withSpool(files: canceller.files) { harness in
            for text in ["one", "two"] { try harness.add(text) }
            try await harness.takeIn()
            try harness.add("three")
            try await harness.crash()
            let names = try FileManager.default.contentsOfDirectory(atPath: harness.path).sorted()

            canceller.arm { $0.name == "ledger.sqlite-shm" }
            let summary = try await Self.submitInTask(harness)
            canceller.disarm()
            #expect(summary.waiting == 3 && summary.delivered == 0)
            #expect(summary.repairs.contains { $0.contains("before it had checked its ledger") })
            #expect(try FileManager.default.contentsOfDirectory(atPath: harness.path).sorted() == names)
            #expect(OwnerLock.holder("owner.lock", in: harness.spool.root, clock: harness.clock) == nil)

            let next = try await harness.submit()
            #expect(next.delivered == 3 && next.waiting == 0)
            #expect(try await harness.submit().repairs == [])
        }
    }

    @Test("tells of the files that have no row yet, and the next run gives them theirs")
    func reconciling() async throws {
        let canceller = Canceller()
        try await withSpool(files: canceller.files) { harness in
            for number in 1...5 { try harness.add("report \(number)") }
            try await harness.takeIn()
            try harness.loseLedger()

            let opened = Mutex(0)
            canceller.arm { call in
                guard call.operation == .open, call.room == "queued", call.name != nil else { return false }
                return opened.withLock { opened in
                    opened += 1
                    return opened == 2
                }
            }
            let summary = try await Self.submitInTask(harness)
            canceller.disarm()
            #expect(summary.waiting == 5 && summary.delivered == 0)
            #expect(summary.repairs.contains { $0.contains("the next run goes on") })
            // The two that it had looked at have their rows.
            #expect(try SpoolInspector(spool: harness.spool).counts(of: .queued) == 2)

            let next = try await harness.submit()
            #expect(next.delivered == 5 && next.waiting == 0)
            #expect(try harness.findings() == [])
            #expect(try await harness.submit().repairs == [])
        }
    }

    @Test("looks at no row either, and the next run finds those whose bytes are missing")
    func rows() async throws {
        let canceller = Canceller()
        try await withSpool(files: canceller.files) { harness in
            let id = try harness.add("gone")
            try harness.add("there")
            try await harness.takeIn()
            try await harness.crash()
            try harness.remove(id, in: "queued")

            canceller.arm { $0.operation == .list && $0.room == "parked" }
            let summary = try await Self.submitInTask(harness)
            canceller.disarm()
            #expect(summary.waiting == 2)
            #expect(try harness.state(id) == .queued)

            #expect(try await harness.submit().delivered == 1)
            #expect(try harness.state(id) == .removed)
        }
    }

    @Test("removes no more of what dead writers left than it has begun to, and the next owner removes the rest")
    func temporaries() async throws {
        try await withTemporaryDirectory { path in
            for number in 1...3 { try Data().write(to: URL(fileURLWithPath: "\(path)/\(number)")) }
            let files = FaultingFileSystem { call throws(FileSystemError) in
                if call.operation == .remove { withUnsafeCurrentTask { $0?.cancel() } }
            }
            let removed = try await Task {
                try TemporaryCleaner(files: files, directory: files.openDirectory(FilePath(path))).clean().count
            }.value
            #expect(removed == 1)
            let next = POSIXFileSystem()
            #expect(try TemporaryCleaner(files: next, directory: next.openDirectory(FilePath(path))).clean().count == 2)
        }
    }
}

extension SpoolInspector {
    fileprivate func counts(of state: TransferState) throws -> Int {
        var count = 0
        try forEachReport(Selection(states: [state.rawValue])) { view in if view.note == nil { count += 1 } }
        return count
    }
}
