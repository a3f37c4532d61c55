import DurableIO
import Foundation
import Reports
import TestSupport
import Testing

/// The ways of a report on which the power may go.
enum PowerCutScenario: String, CaseIterable, Sendable {
    case drop = "a drop that is delivered"
    case dropElsewhere = "a drop on another file system"
    case room = "a drop in a drop room"
    case roomElsewhere = "a drop in a drop room on another file system"
    case pair = "a drop with a sidecar, and others of its name"
    case pairInRoom = "a drop with a sidecar in a drop room"
    case pairElsewhere = "drops with sidecars on another file system"
    case packed = "a packed drop that is delivered"
    case shared = "reports that another user adds"
    case add = "reports of a producer"
    case rejection = "a rejection, reversed"
    case duplicates = "duplicates, and a removed report that comes again"
    case revival = "a removed report that is added again"
    case requests = "requests filed beside an owner"
    case group = "a group large enough for one sync of everything"
    case eviction = "an eviction"

    func play(_ life: PowerCutLife, _ spool: ReportSpool) async throws {
        switch self {
        case .drop:
            try life.drop("dropped", as: "dropped.txt", into: spool)
            try await life.submit(spool)
        case .dropElsewhere:
            life.files.keepIncomingApart()
            try life.drop("dropped", as: "dropped.txt", into: spool)
            try life.drop("dropped", as: "again.txt", into: spool)
            try await life.submit(spool)
        case .room, .roomElsewhere, .pair, .pairInRoom, .pairElsewhere: try await playPairs(life, spool)
        case .packed:
            let drop = PackedDrop("packed", properties: #"{"kind":"crash","annotations":{"version":"1"}}"#)
            try life.drop(bytes: drop.bytes, holding: .of("packed"), as: "packed.gz", into: spool)
            try life.drop(bytes: drop.bytes.dropLast(), as: "damaged.gz", into: spool)
            try await life.submit(spool)
        case .shared:
            try life.share("one", "two", with: spool)
            try await life.submit(spool)
        case .add:
            try life.add("one", "two", to: spool)
            try await life.submit(spool)
        case .rejection:
            try life.add("unwanted", to: spool)
            life.answer { _ in .status(400) }
            try await life.submit(spool)
            life.answer { _ in .status(200) }
            try await life.retry(spool)
            try await life.submit(spool)
        case .duplicates:
            try life.add("twice", to: spool)
            try life.drop("twice", as: "again", into: spool)
            try await life.submit(spool)
            try life.add("twice", to: spool)
            try life.drop("removed", as: "first", into: spool)
            try await life.submit(spool, sending: false)
            try await life.remove("removed", from: spool)
            try life.drop("removed", as: "second", into: spool)
            try await life.submit(spool)
        case .revival:
            try life.add("removed", to: spool)
            try await life.submit(spool, sending: false)
            try await life.remove("removed", from: spool)
            try life.add("removed", to: spool)
            try await life.submit(spool)
        case .requests:
            life.answer { _ in .status(400) }
            try life.add("kept", "unwanted", to: spool)
            try await life.submit(spool)
            try await life.asOwner(of: spool) {
                try await life.retry(spool)
                try await life.remove("unwanted", from: spool)
            }
            life.answer { _ in .status(200) }
            try await life.submit(spool)
        case .group:
            try life.add((0..<Publication.groupSyncThreshold).map { "report \($0)" }, to: spool)
        case .eviction:
            var limits = SpoolLimits()
            limits.maximumCount = 1
            let small = try life.open(limits: limits)
            try life.add("old", to: small)
            try await life.submit(small, sending: false)
            try life.drop("new", as: "new", into: small)
            // What cannot be sent goes at the end of the run.
            life.answer { _ in .status(503) }
            try await life.submit(small)
        }
    }

    /// Drops of one name, one after the other.
    private func playPairs(_ life: PowerCutLife, _ spool: ReportSpool) async throws {
        if self == .roomElsewhere || self == .pairElsewhere { life.files.keepIncomingApart() }
        let isInRoom = self != .pair
        if isInRoom { try life.makeRoom("shop@2.1", in: spool) }
        let path = isInRoom ? "shop@2.1/core" : "core"
        let sites: [String?] =
            switch self {
            case .room, .roomElsewhere: [nil]
            case .pair: ["berlin", nil, "hamburg"]
            default: ["berlin", nil]
            }
        for (number, site) in sites.enumerated() {
            try life.drop(DroppedPair(path: path, payload: "payload \(number)", site: site), into: spool)
            if self == .pairElsewhere {
                try life.drop(DroppedPair(path: "core", payload: "beside \(number)", site: site), into: spool)
            }
            try await life.submit(spool)
        }
    }
}

/// Sixteen lives with over 1,000 changes to the disk. The power goes before and after each of them and between any two
/// commits of the ledger; of what nobody synced nothing has arrived, all, or some: over 1,000 different disks, each of
/// which has a next life.
@Suite("Power cuts at every point", .timeLimit(.minutes(10)))
struct PowerCutTests {
    @Test("nothing accepted is lost, whatever of the unsynced has arrived", arguments: PowerCutScenario.allCases)
    func everyPoint(scenario: PowerCutScenario) async throws {
        try await withTemporaryDirectory { directory in
            let life = try PowerCutLife(directory)
            try await scenario.play(life, life.open())
            let cases = PowerCutOracle.cases(life)
            #expect(life.files.changes > 40)
            #expect(cases.count > 40)
            let losses = try await PowerCutOracle.losses(in: cases)
            #expect(losses == [], "\(losses.count) of \(cases.count)")
        }
    }

    @Test("a report that a person removed does not come back with its drop", arguments: [false, true])
    func removedStaysRemoved(isIncomingApart: Bool) async throws {
        try await withTemporaryDirectory { directory in
            let life = try PowerCutLife(directory)
            if isIncomingApart { life.files.keepIncomingApart() }
            let spool = try life.open()
            try life.drop("removed", as: "first", into: spool)
            try await life.submit(spool, sending: false)
            try await life.remove("removed", from: spool)
            life.files.moment("after the removal")
            let image = try #require(life.moments.last?.cut.image(.none))
            try await withTemporaryDirectory { directory in
                try image.reboot(into: directory)
                let harness = try SpoolHarness(directory + "/spool")
                try await harness.submit()
                #expect(harness.sent == [])
                #expect(try harness.state(.of("removed")) == .removed)
            }
        }
    }

    @Test("what a process killed at any point has made but not synced, the next one does not rely on")
    func killedFirst() async throws {
        var point = 0
        var isThrough = false
        while !isThrough {
            point += 1
            try await withTemporaryDirectory { directory in
                let life = try PowerCutLife(directory)
                life.files.kill(at: point)
                try? life.add("first", to: life.open())
                isThrough = !life.files.isDead
                life.files.revive()
                try life.add("second", to: life.open())
                let cases = PowerCutOracle.cases(life, from: life.moments.count - 1)
                let losses = try await PowerCutOracle.losses(in: cases)
                #expect(losses == [], "killed at change \(point)")
            }
        }
        #expect(point > 15)
    }
}

/// The suite above is worth something only if it sees what is left out.
@Suite("Power cuts that must be seen", .timeLimit(.minutes(10)))
struct PowerCutSelfTests {
    /// A kind of sync that does nothing, and a life in which that matters.
    struct Omission: Sendable, CustomTestStringConvertible {
        let syncs: Set<PowerCutFileSystem.Sync>
        let scenario: PowerCutScenario
        /// From the making of the spool on; else the spool is there already.
        var isFromStart = false
        let testDescription: String
    }

    /// On a journaling file system a rename is on the disk once either directory is synced. So `parked/` alone may go
    /// without, and so may the spool's own directory once it is made: the ledger's name is synced by SQLite, too.
    static let omissions = [
        Omission(syncs: [.contents], scenario: .add, testDescription: "contents"),
        Omission(syncs: [.everything], scenario: .group, testDescription: "everything, for a group"),
        Omission(syncs: [.contents], scenario: .shared, testDescription: "contents that another user adds"),
        Omission(syncs: [.everything], scenario: .shared, testDescription: "names in the drop zone of a shared spool"),
        Omission(syncs: [.names("collected")], scenario: .add, testDescription: "names in collected/"),
        Omission(syncs: [.names("queued")], scenario: .drop, testDescription: "names in queued/"),
        Omission(syncs: [.names("taken")], scenario: .pair, testDescription: "names in taken/, for a pair"),
        Omission(
            syncs: [.names("taken")], scenario: .pairInRoom, testDescription: "names in taken/, for a pair of a room"),
        Omission(
            syncs: [.names("queued"), .names("parked")], scenario: .rejection,
            testDescription: "names in queued/ and parked/"),
        Omission(
            syncs: [.names("spool")], scenario: .add, isFromStart: true, testDescription: "names in the spool"),
        Omission(
            syncs: [.names("")], scenario: .add, isFromStart: true, testDescription: "the name of the spool"),
    ]

    @Test("a loss is seen without the sync of", arguments: omissions)
    func omitted(omission: Omission) async throws {
        try await withTemporaryDirectory { directory in
            let life = try PowerCutLife(directory)
            if omission.isFromStart { life.files.ignore(omission.syncs) }
            let spool = try life.open()
            life.files.ignore(omission.syncs)
            try await omission.scenario.play(life, spool)
            #expect(life.files.syncs.isSuperset(of: omission.syncs))
            let losses = try await PowerCutOracle.losses(in: PowerCutOracle.cases(life), isFirstEnough: true)
            #expect(losses != [])
        }
    }

    @Test(
        "a false verdict is seen with a ledger that lost its newest commits, as with synchronous=NORMAL",
        arguments: [PowerCutScenario.drop, .rejection], [1, 2])
    func olderLedger(scenario: PowerCutScenario, count: Int) async throws {
        try await withTemporaryDirectory { directory in
            let life = try PowerCutLife(directory)
            try await scenario.play(life, life.open())
            let cases = PowerCutOracle.cases(life, ledger: .older(count))
            #expect(cases != [])
            #expect(try await PowerCutOracle.losses(in: cases, isFirstEnough: true) != [])
        }
    }
}
