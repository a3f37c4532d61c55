import Background
import DurableIO
import Foundation
import Logging
import Synchronization
import TestSupport
import Testing

/// Work on much of a ledger that is ended early, because the run that wants it is told to end.
@Suite("A ledger that nobody waits for any more")
struct InterruptedLedgerTests {
    /// Asked again and again, it says yes from the third time on.
    private final class Patience: Sendable {
        private let questions = Mutex(0)
        var count: Int { questions.withLock { $0 } }

        func isOver() -> Bool {
            questions.withLock { questions in
                questions += 1
                return questions > 2
            }
        }
    }

    /// Cancels the task of an opening at the last call before SQLite opens the ledger.
    private static func cancelling(at name: String) -> FaultingFileSystem {
        FaultingFileSystem { call throws(FileSystemError) in
            if call.name?.description == name { withUnsafeCurrentTask { $0?.cancel() } }
        }
    }

    /// - Returns: the error of an opening in a task of its own.
    private static func failedOpening(of ledger: LedgerFixture, _ files: any FileSystem) async throws -> (any Error)? {
        let host = try ledger.host(files)
        return await Task {
            do {
                _ = try host.open(.none, LedgerFixture.rules)
                return nil
            } catch {
                return error
            }
        }.value
    }

    // MARK: - Opening

    @Test("An opening that is cancelled leaves a damaged ledger in its place, for the next owner to find")
    func damaged() async throws {
        try await withLedger { ledger in
            try ledger.leaveTwoRows()
            try damageTable("attempt", in: "\(ledger.path)/ledger.sqlite")
            let error = try await Self.failedOpening(of: ledger, Self.cancelling(at: "ledger.sqlite-shm"))
            #expect(error is CancellationError, "\(String(describing: error))")
            try expectInPlace(ledger)
            let repair = try ledger.host().open(.none, LedgerFixture.rules).repair
            guard case .setAside(_, .damaged, savedRowCount: 2) = repair else {
                Issue.record("the damage was not found")
                return
            }
        }
    }

    @Test("A sound ledger whose check was cut short is as doubted as before, and its rows are given back later")
    func doubted() async throws {
        try await withLedger { ledger in
            try ledger.leaveTwoRows(isSending: true)
            let error = try await Self.failedOpening(of: ledger, Self.cancelling(at: "ledger.sqlite-shm"))
            #expect(error is CancellationError, "\(String(describing: error))")
            let opened = try ledger.host().open(.none, LedgerFixture.rules)
            #expect(opened.repair == nil)
            #expect(opened.store.earlierEnd == .unclean(isSameBoot: true))
            #expect(try opened.store.queries.record("a")?.state == .waiting)
        }
    }

    @Test("A ledger that is being rebuilt of another's rows is given up, and the other keeps its name")
    func salvage() async throws {
        try await withLedger { ledger in
            try ledger.leaveTwoRows()
            try ledger.makeUnreleased()
            let files = FaultingFileSystem { call throws(FileSystemError) in
                guard call.operation == .create, call.room == "new" else { return }
                withUnsafeCurrentTask { $0?.cancel() }
            }
            let error = try await Self.failedOpening(of: ledger, files)
            #expect(error is CancellationError, "\(String(describing: error))")
            try expectInPlace(ledger)
            #expect(try FileManager.default.contentsOfDirectory(atPath: "\(ledger.path)/new") == [])
            try ledger.expectTwoRows(asideCount: 1, afterOpening: ledger.host())
        }
    }

    @Test("Another thread ends the check of pages, whenever it asks")
    func interrupted() async throws {
        try await withLedger { ledger in
            try ledger.leaveTwoRows()
            try ledger.addManyRows()
            let interrupter = SQLiteInterrupter()
            let opening = Task {
                do {
                    _ = try TransferStore(
                        path: "\(ledger.path)/ledger.sqlite", clock: ledger.clock, interrupter: interrupter)
                    return false
                } catch let error as SQLiteError {
                    return error.isInterruption
                }
            }
            let isOver = Mutex(false)
            Thread.detachNewThread {
                while !isOver.withLock({ $0 }) { interrupter.interrupt() }
            }
            defer { isOver.withLock { $0 = true } }
            #expect(try await opening.value)
        }
    }

    private func expectInPlace(_ ledger: LedgerFixture) throws {
        #expect(try ledger.names.contains("ledger.sqlite"))
        #expect(try ledger.names.allSatisfy { !$0.contains(".corrupt-") && !$0.hasPrefix("ledger.salvaged") })
    }

    // MARK: - Looking and changing

    @Test("A look at all rows ends soon after nobody waits for it, and the next one finds the ledger as it was")
    func look() async throws {
        try await withLedger { ledger in
            let queue = try Self.queue(ledger)
            let patience = Patience()
            await #expect(throws: CancellationError.self) {
                try await queue.look(interruptedWhen: { patience.isOver() }) { try $0.isTallyTrue() }
            }
            #expect(patience.count == 3)
            #expect(try await queue.look { try $0.isTallyTrue() })
            await queue.abandon()
        }
    }

    @Test("Of a change that is ended early nothing is left, and a short one goes through however late it is")
    func change() async throws {
        try await withLedger { ledger in
            let queue = try Self.queue(ledger)
            let patience = Patience()
            await #expect(throws: CancellationError.self) {
                try await queue.change(interruptedWhen: { patience.isOver() }) { store in
                    try store.end("a", as: .removed, reason: .removedByPerson)
                    try store.recountTally()
                }
            }
            #expect(try await queue.look { try $0.state(of: "a") } == .queued)
            try await queue.change(interruptedWhen: { patience.isOver() }) { store in
                try store.end("a", as: .removed, reason: .removedByPerson)
            }
            #expect(try await queue.look { try $0.state(of: "a") } == .removed)
            await queue.abandon()
        }
    }

    private static func queue(_ ledger: LedgerFixture) throws -> TransferQueue {
        try ledger.leaveTwoRows()
        try ledger.addManyRows()
        return try TransferQueue(
            store: ledger.host().open(.none, LedgerFixture.rules).store, configuration: TransferQueue.Configuration(),
            client: IdleClient(), transport: ScriptedTransport(clock: ledger.clock) { _ in .refused },
            clock: ledger.clock, logger: Logger(label: "test"))
    }

    // MARK: - The end

    @Test("Of very many tokens that cannot come again a close forgets ten thousand, the next one the others")
    func tokens() async throws {
        try await withLedger { ledger in
            let path = "\(ledger.path)/ledger.sqlite"
            let first = try TransferStore(path: path, clock: ledger.clock)
            try first.transaction { () throws in
                for number in 0..<10_002 { _ = try first.consume(token: "drop \(number)") }
            }
            for left in [2, 0] {
                let store = left == 2 ? first : try TransferStore(path: path, clock: ledger.clock)
                try store.begin()
                store.forgetTokensAtClose(withPrefix: "drop ")
                try store.close()
                let next = try TransferStore(path: path, clock: ledger.clock)
                #expect(try rows(of: "SELECT token FROM consumed_token", in: path).count == left)
                next.abandon()
            }
        }
    }
}

private struct IdleClient: TransferClient {
    func attempt(_ claim: Claim, over transport: any Transport) async -> AttemptReport {
        AttemptReport(.unsendable("nothing is sent"))
    }

    func didSettle(_ settlements: [Settlement]) async {}
    func freeLedgerSpace() async -> Bool { false }
}
