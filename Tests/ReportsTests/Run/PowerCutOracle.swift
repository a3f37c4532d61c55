import Background
import DurableIO
import Foundation
import Reports
import TestSupport

/// Says what was lost by a power cut, after a life as any other on what the cut has left.
struct PowerCutOracle: Sendable {
    /// A disk after a cut or a kill, and what had been promised by then.
    struct Case: Hashable, Sendable {
        enum Disk: Hashable, Sendable {
            /// What a power cut has left.
            case cut(DiskImage)
            /// What a killed process has left, in a directory that the next life may have.
            case killed(path: String)
        }

        let disk: Disk
        let promises: Promises
        let label: String
        /// The time at the end, in milliseconds.
        var wall = ManualClock().wallMilliseconds
        var boot = ManualClock().bootMilliseconds
        /// How long the next life waits for what is not due yet, in milliseconds; `nil` does not wait.
        var wait: Int64?

        static func == (left: Case, right: Case) -> Bool {
            left.disk == right.disk && left.promises == right.promises
        }

        func hash(into hasher: inout Hasher) {
            hasher.combine(disk)
            hasher.combine(promises)
        }

        /// The next life's clock: after a cut the machine has started anew.
        var clock: ManualClock {
            guard case .cut = disk else { return ManualClock(wall: wall, boot: boot) }
            return ManualClock(wall: wall + 60_000, boot: 10_000, bootID: "boot-2")
        }
    }

    /// What any cut of a life can leave, each state once.
    static func cases(_ life: PowerCutLife, from first: Int = 0, ledger: PowerCut.Ledger = .newest) -> [Case] {
        var cases: Set<Case> = []
        for (number, moment) in life.moments.enumerated().dropFirst(first) {
            for outcome in [.none, .all, .some(UInt64(number))] as [PowerCut.Outcome] {
                guard let image = moment.cut.image(outcome, ledger: ledger) else { continue }
                cases.insert(
                    Case(disk: .cut(image), promises: moment.promises, label: "\(moment.cut.label), \(outcome)"))
            }
        }
        return Array(cases)
    }

    /// What is lost in any of the cases, in words; ends with the first where `isFirstEnough`.
    static func losses(in cases: [Case], isFirstEnough: Bool = false) async throws -> [String] {
        try await withThrowingTaskGroup(of: [String].self) { group in
            var losses: [String] = []
            var rest = cases[...]
            for _ in 0..<4 {
                if let next = rest.popFirst() { group.addTask { try await Self.losses(in: next) } }
            }
            while let found = try await group.next() {
                losses += found
                if isFirstEnough, !losses.isEmpty { continue }
                if let next = rest.popFirst() { group.addTask { try await Self.losses(in: next) } }
            }
            return losses
        }
    }

    private static func losses(in found: Case) async throws -> [String] {
        try await withMemoryDirectory { directory in
            do {
                var path = directory + "/spool"
                switch found.disk {
                case .cut(let image): try image.reboot(into: directory)
                case .killed(let left): path = left
                }
                return try await examine(path, found).map { "\(found.label): \($0)" }
            } catch {
                return ["\(found.label): the next life fails with \(error)"]
            }
        }
    }

    /// The life afterwards, with a server that accepts everything.
    private static func examine(_ path: String, _ found: Case) async throws -> [String] {
        let (clock, promises) = (found.clock, found.promises)
        let harness = try SpoolHarness(path, clock: clock)
        var submission = harness.submission
        submission.wait = found.wait
        if found.wait == nil {
            _ = try await submission.run()
        } else {
            _ = try await clock.racing { [submission] in try await submission.run() }
        }
        var losses: [String] = []
        for id in promises.accepted { losses += try standing(of: id, promises, harness) }
        for room in ["taken", "tmp", "collected", "queued"] where try !harness.entries(room).isEmpty {
            losses.append("\(room) holds \(try harness.entries(room))")
        }
        for name in try harness.drops() where name.contains(".taken-") { losses.append("incoming holds \(name)") }
        losses += try await misplacedAnnotations(promises, harness)
        let repeated = promises.settled.intersection(harness.sent.compactMap(ContentHash.init(hex:)))
        losses += repeated.map { "\($0) is delivered again" }
        losses += try harness.findings()
        // What is parked, a person sends.
        _ = try await OrderDispatch(spool: harness.spool).carryOut(.retry, ids: nil)
        try await harness.submit()
        for id in promises.accepted where try harness.state(id)?.isParked ?? true {
            losses.append("\(id) cannot be sent again")
        }
        let delivered = promises.delivered.map(\.hex) + harness.sent
        for id in promises.accepted.subtracting(promises.removed)
        where try !delivered.contains(id.hex) && harness.state(id) != .evicted {
            losses.append("\(id) never reached the server")
        }
        return losses
    }

    /// What a payload says that it must not, or does not say, and sidecars that a later drop of the same name gets.
    private static func misplacedAnnotations(_ promises: Promises, _ harness: SpoolHarness) async throws -> [String] {
        var losses: [String] = []
        func compare(_ payload: ContentHash, _ wanted: [String: String], _ what: String) throws {
            guard try harness.record(payload) != nil else { return }
            let found = try SpoolInspector(spool: harness.spool).report(payload.hex).annotations
            if found != wanted { losses.append("\(what) says \(found)") }
        }
        for (id, wanted) in promises.annotations { try compare(id, wanted, "\(id)") }
        // A payload that the cut has left at such a path is in by now.
        let later = promises.barePaths.map { DroppedPair(path: $0, payload: "later at \($0)") }
        guard !later.isEmpty else { return losses }
        for drop in later { try harness.drop(drop) }
        _ = try await harness.submit()
        for drop in later { try compare(.of(drop.payload), drop.annotations, "a later drop at \(drop.path)") }
        return losses
    }

    /// Delivered, or in a state that has a name and a true reason, with its bytes where they can be had.
    private static func standing(
        of id: ContentHash, _ promises: Promises, _ harness: SpoolHarness
    ) throws -> [String] {
        guard let record = try harness.record(id) else { return ["\(id) is unknown"] }
        if record.reason == .ended(.bytesMissing) { return ["\(id) is said to have lost its bytes"] }
        switch record.state {
        case .delivered: return []
        case .rejected, .exhausted:
            return try harness.spool.hasWhole(id, in: harness.spool.parked) ? [] : ["\(id) is parked without bytes"]
        case .evicted:
            return record.reason?.rawValue.hasPrefix("limit: ") == true ? [] : ["\(id) is evicted without a limit"]
        case .removed: return promises.removed.contains(id) ? [] : ["\(id) is removed, and nobody asked for it"]
        case .queued, .waiting, .held, .sending: return ["\(id) is \(record.state) beside a server that accepts"]
        }
    }
}

/// A directory in memory where the machine has one: the lives after the cut need no disk.
func withMemoryDirectory<Result>(_ body: (_ path: String) async throws -> Result) async throws -> Result {
    let path = "/dev/shm/test-\(UUID().uuidString)"
    let attributes: [FileAttributeKey: Any] = [.posixPermissions: 0o700]
    guard
        (try? FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: false, attributes: attributes)) != nil
    else { return try await withTemporaryDirectory(body) }
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try await body(path)
}
