import Digests
import DurableIO
import Foundation
import Reports
import Synchronization
import TestSupport
import Testing

/// An owner that finds pairs and drop rooms dies before each of its changes in turn. The next owner delivers each
/// payload once, with the annotations of its room and its sidecar, and no sidecar is left for a later drop.
@Suite("Crash points of pairs and rooms", .timeLimit(.minutes(10)))
struct PairCrashPointTests {
    /// What one owner finds: drops of the same names, with sidecars and without, in a room and beside it.
    private static let drops = [
        DroppedPair(path: "core", payload: "one", site: "berlin"),
        DroppedPair(path: "shop@2.1/core", payload: "two", site: "hamburg"),
        DroppedPair(path: "shop@2.1/core.1", payload: "three"),
    ]

    /// The file systems of the owners, on which `incoming/` is in the spool or on another one.
    private static func files(
        isApart: Bool,
        _ before: @escaping @Sendable (FaultingFileSystem.Call) throws(FileSystemError) -> Void = { _ in }
    ) -> FaultingFileSystem {
        let files = FaultingFileSystem(before: before)
        if isApart { files.keepIncomingApart() }
        return files
    }

    private func prepare(_ path: String) throws -> ManualClock {
        let harness = try SpoolHarness(path)
        try harness.makeRoom(DroppedPair.room)
        for drop in Self.drops { try harness.drop(drop) }
        return harness.clock
    }

    /// - Returns: what the server was sent.
    private func live(_ path: String, _ clock: ManualClock, files: FaultingFileSystem) async -> [String] {
        // An owner that dies, or cannot mend an error, ends with one; the next owner is what counts.
        guard let harness = try? SpoolHarness(path, clock: clock, files: files) else { return [] }
        _ = try? await harness.submit()
        return harness.sent
    }

    private func expectRecovery(
        _ path: String, _ clock: ManualClock, isApart: Bool, sent: [String]?, _ point: String
    ) async throws {
        let harness = try SpoolHarness(path, clock: clock, files: Self.files(isApart: isApart))
        try await harness.submit()
        if sent != nil {
            // What an owner whose calls fail had parked, a person sends.
            _ = try await OrderDispatch(spool: harness.spool).carryOut(.retry, ids: nil)
            try await harness.submit()
        }
        for drop in Self.drops {
            let id = ContentHash.of(drop.payload)
            #expect(try harness.state(id) == .delivered, "\(point): \(drop)")
            #expect(try harness.annotations(of: drop.payload) == drop.annotations, "\(point): \(drop)")
            let sendCount = ((sent ?? []) + harness.sent).count { $0 == id.hex }
            // Of files as they lay nobody says whether the server had the report.
            #expect(sent == nil ? sendCount <= 1 : sendCount == 1, "\(point): \(drop)")
        }
        #expect(try harness.leftovers() == [], "\(point)")
        #expect(try harness.findings() == [], "\(point)")
        let later = Self.drops.map(\.later)
        for drop in later { try harness.drop(drop) }
        // Another owner: it might put an old sidecar back.
        try await SpoolHarness(path, clock: clock, files: Self.files(isApart: isApart)).submit()
        for drop in later {
            #expect(try harness.annotations(of: drop.payload) == drop.annotations, "\(point): \(drop)")
        }
    }

    @Test("every call after the n-th change fails, and after the next owner's first changes", arguments: [false, true])
    func failing(isApart: Bool) async throws {
        var (point, isThrough) = (0, false)
        while !isThrough {
            point += 1
            // Every third time the next owner dies, too, when it puts back what the first one has left.
            for second in point % 3 == 0 ? [0, point / 3 % 4 + 1] : [0] {
                try await withMemoryDirectory { directory in
                    let path = directory + "/spool"
                    let clock = try prepare(path)
                    let first = FaultingFileSystem(killedAt: point)
                    if isApart { first.keepIncomingApart() }
                    var sent = await live(path, clock, files: first)
                    if second == 0 { isThrough = !first.isDead }
                    if second > 0 {
                        let next = FaultingFileSystem(killedAt: second)
                        if isApart { next.keepIncomingApart() }
                        sent += await live(path, clock, files: next)
                    }
                    try await expectRecovery(
                        path, clock, isApart: isApart, sent: sent, "dead at change \(point), then \(second)")
                }
            }
        }
        #expect(point > 25)
    }

    @Test("killed before the n-th change: the files as they lay", arguments: [false, true])
    func killed(isApart: Bool) async throws {
        try await withMemoryDirectory { directory in
            let path = directory + "/spool"
            let clock = try prepare(path)
            let moments = Mutex<[String]>([])
            let files = Self.files(isApart: isApart) { call throws(FileSystemError) in
                guard let change = call.change else { return }
                let moment = "\(directory)/moment-\(change)"
                guard (try? copyMoment(of: path, to: moment)) != nil else { return }
                moments.withLock { $0.append(moment) }
            }
            _ = await live(path, clock, files: files)
            let all = moments.withLock { $0 }
            #expect(all.count > 25)
            for moment in all {
                try await expectRecovery(
                    moment, clock, isApart: isApart, sent: nil, moment.suffix(10).description)
            }
        }
    }
}
