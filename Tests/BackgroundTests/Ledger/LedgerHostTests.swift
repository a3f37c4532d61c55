import Background
import DurableIO
import Foundation
import Logging
import Synchronization
import SystemPackage
import TestSupport
import Testing

@Suite("The owner of a ledger")
struct LedgerHostTests {
    // MARK: - The lock

    /// A queue's client that notes at its end whether the lock is held; the connection is closed by then.
    private final class LastWitness: TransferClient {
        let place: LedgerPlace
        let isHeld: @Sendable (Bool) -> Void

        init(_ place: LedgerPlace, isHeld: @escaping @Sendable (Bool) -> Void) {
            self.place = place
            self.isHeld = isHeld
        }

        deinit { isHeld(OwnerLock.isHeld(LedgerPlace.lockName, in: place.directory)) }

        func attempt(_ claim: Claim, over transport: any Transport) async -> AttemptReport {
            AttemptReport(.unsendable("nothing is sent"))
        }

        func didSettle(_ settlements: [Settlement]) async {}
        func freeLedgerSpace() async -> Bool { false }
    }

    @Test(
        "An owner that is dropped without an end closes the connection first, and then frees the lock",
        .timeLimit(.minutes(1)))
    func dropped() async throws {
        try await withLedger { ledger in
            let wasHeld = Mutex<Bool?>(nil)
            func becomeOwner() throws -> LedgerHost {
                let host = try ledger.host()
                let queue = try TransferQueue(
                    store: host.open(.none, LedgerFixture.rules).store, configuration: TransferQueue.Configuration(),
                    client: LastWitness(ledger.place()) { isHeld in wasHeld.withLock { $0 = isHeld } },
                    transport: ScriptedTransport(clock: ledger.clock) { _ in .refused }, clock: ledger.clock,
                    logger: Logger(label: "test"))
                host.hold(queue)
                return host
            }
            var host: LedgerHost? = try becomeOwner()
            #expect(host?.isCurrent == true)
            #expect(wasHeld.withLock { $0 } == nil)
            host = nil
            #expect(wasHeld.withLock { $0 } == true)
            // A program that another test starts at this moment has the lock's descriptor, too, until its exec.
            while OwnerLock.isHeld(LedgerPlace.lockName, in: ledger.directory) { await Task.yield() }
        }
    }

    // MARK: - Replacements

    /// A ledger of somebody who is not the owner.
    enum Newcomer: CaseIterable, Sendable {
        case none, touched, garbage, laid, laidWithSides

        func appear(in place: LedgerPlace) throws {
            let path = place.directory.path(of: LedgerPlace.ledgerName)
            switch self {
            case .none: break
            case .touched: try Data().write(to: URL(fileURLWithPath: path))
            case .garbage: try Data(repeating: 0x5a, count: 40_000).write(to: URL(fileURLWithPath: path))
            case .laid: try place.layLedger()
            case .laidWithSides:
                try place.layLedger()
                try place.laySides()
            }
        }

        /// How many ledgers are set aside in the end.
        var asideCount: Int { self == .none || self == .touched ? 1 : 2 }
    }

    @Test(
        "A replacement that an owner died over is finished, whoever has laid a ledger meanwhile, and told",
        arguments: Newcomer.allCases)
    func finished(newcomer: Newcomer) async throws {
        try await withLedger { ledger in
            try ledger.leaveTwoRows()
            try ledger.makeUnreleased()
            let dying = FaultingFileSystem { call throws(FileSystemError) in
                guard LedgerFixture.givesSalvagedItsPlace(call) else { return }
                throw FileSystemError(.rename, "a process that was killed", .ioError)
            }
            #expect(throws: FileSystemError.self) {
                _ = try ledger.host(dying).open(.none, LedgerFixture.rules)
            }
            #expect(try !ledger.names.contains("ledger.sqlite"))
            try newcomer.appear(in: ledger.place())
            try ledger.expectTwoRows(asideCount: newcomer.asideCount, afterOpening: ledger.host())
        }
    }

    @Test(
        "A ledger that somebody lays while another is being replaced takes no row away",
        arguments: Newcomer.allCases)
    func overtaken(newcomer: Newcomer) async throws {
        try await withLedger { ledger in
            try ledger.leaveTwoRows()
            try ledger.makeUnreleased()
            let hasAppeared = Mutex(false)
            let files = FaultingFileSystem { call throws(FileSystemError) in
                guard LedgerFixture.givesSalvagedItsPlace(call),
                    hasAppeared.withLock({ hasAppeared in
                        defer { hasAppeared = true }
                        return !hasAppeared
                    })
                else { return }
                try? newcomer.appear(in: ledger.place())
            }
            try ledger.expectTwoRows(asideCount: newcomer.asideCount, afterOpening: ledger.host(files))
        }
    }

    @Test("The files beside the ledger are laid at each opening, before SQLite would make them")
    func sides() async throws {
        try await withLedger { ledger in
            try ledger.leaveTwoRows()
            for name in try ledger.names where name.hasSuffix("-wal") || name.hasSuffix("-shm") {
                try FileManager.default.removeItem(atPath: "\(ledger.path)/\(name)")
            }
            let made = Mutex<[String]>([])
            let files = FaultingFileSystem { call throws(FileSystemError) in
                if call.operation == .create, let name = call.name { made.withLock { $0.append(name.description) } }
            }
            _ = try ledger.host(files).open(.none, LedgerFixture.rules)
            #expect(made.withLock { $0 }.sorted() == ["ledger.sqlite-shm", "ledger.sqlite-wal"])
        }
    }

    // MARK: - After another end

    @Test("What a life left under way that did not end is given back as the ledger is opened, once")
    func recovered() async throws {
        try await withLedger { ledger in
            try ledger.leaveTwoRows(isSending: true)
            let store = try ledger.host().open(.none, LedgerFixture.rules).store
            #expect(try store.queries.record("a")?.state == .waiting)
            #expect(try store.queries.record("a")?.strikes == 1)
            try store.restEarlierTransfers(exceptLabel: nil)
            #expect(try store.queries.record("a")?.strikes == 1)
        }
    }

    // MARK: - The reserve

    @Test("A reserve that was freed for rows that found no space all the same is laid again")
    func reserveLaidAgain() async throws {
        try await withLedger { ledger in
            try ledger.leaveTwoRows()
            try ledger.makeUnreleased()
            ledger.place().layReserve()
            let refused = Mutex(0)
            let files = FaultingFileSystem { call throws(FileSystemError) in
                guard call.operation == .create, call.room == "new", refused.withLock({ $0 < 2 }) else { return }
                refused.withLock { $0 += 1 }
                throw FileSystemError(.create, "a full disk", .noSpace)
            }
            // The floor keeps nobody from putting back what was there.
            let host = try ledger.host(files, freeSpaceFloor: { $0 })
            #expect(throws: FileSystemError.self) { _ = try host.open(.none, LedgerFixture.rules) }
            #expect(refused.withLock { $0 } == 2)
            #expect(try ledger.names.contains("ledger.reserve"))
            #expect(try ledger.names.contains("ledger.sqlite"))
        }
    }

    @Test("A reserve that has become too small stays until the larger one is whole")
    func reserveReplaced() async throws {
        try await withLedger { ledger in
            let reserve = URL(fileURLWithPath: "\(ledger.path)/ledger.reserve")
            try Data("small".utf8).write(to: reserve)
            let full = FaultingFileSystem { call throws(FileSystemError) in
                if call.operation == .write { throw FileSystemError(.write, "a full disk", .noSpace) }
            }
            ledger.place(full).layReserve()
            #expect(try Data(contentsOf: reserve) == Data("small".utf8))
            ledger.place().layReserve()
            #expect(try Data(contentsOf: reserve).count >= 1 << 20)
            #expect(try FileManager.default.contentsOfDirectory(atPath: "\(ledger.path)/new") == [])
        }
    }
}
