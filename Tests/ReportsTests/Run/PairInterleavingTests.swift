import Background
import DurableIO
import Foundation
import Reports
import Synchronization
import TestSupport
import Testing

/// A program that drops sidecar and payload again and again under one name, while owners come, are killed and end, in
/// interleavings that seeds choose.
///
/// `REPORTS_INTERLEAVINGS` says how many there are; the default is 9, a full run has 300 or more.
@Suite("Interleavings of owners with a program that drops pairs", .timeLimit(.minutes(30)))
struct PairInterleavingTests {
    private static let count =
        ProcessInfo.processInfo.environment["REPORTS_INTERLEAVINGS"].flatMap { Int($0) } ?? 9

    @Test("each payload gets its own sidecar, or none if it has none", arguments: 0..<count)
    func waiting(seed: Int) async throws {
        try await withMemoryDirectory { directory in
            let life = try PairLife(directory, seed: UInt64(seed), .waits)
            let harness = try await life.run()
            for pair in life.dropped {
                #expect(try harness.state(.of(pair.payload)) == .delivered, "seed \(seed): \(pair)")
                #expect(try harness.annotations(of: pair.payload) == pair.annotations, "seed \(seed): \(pair)")
            }
            #expect(try harness.leftovers() == [], "seed \(seed)")
            #expect(life.repeated == [], "seed \(seed)")
        }
    }

    @Test(
        "where a program replaces what an owner has not taken yet, no payload gets the sidecar of an earlier one",
        arguments: 0..<count)
    func replacing(seed: Int) async throws {
        try await withMemoryDirectory { directory in
            let life = try PairLife(directory, seed: UInt64(seed), .replaces)
            let harness = try await life.run()
            for (number, pair) in life.dropped.enumerated() where try harness.record(.of(pair.payload)) != nil {
                let site = try harness.annotations(of: pair.payload)["site"].flatMap { Int($0) }
                #expect(site ?? number >= number, "seed \(seed): \(pair) has the annotations of \(site ?? -1)")
            }
            let last = try #require(life.dropped.last)
            #expect(try harness.annotations(of: last.payload) == last.annotations, "seed \(seed)")
            #expect(try harness.leftovers() == [], "seed \(seed)")
        }
    }
}

/// The program and the owners.
private final class PairLife: Sendable {
    enum Program: Sendable {
        /// Drops the next pair when both names of the last pair are free.
        case waits
        /// Puts the next pair in the place of the last one.
        case replaces
    }

    private struct State {
        var generator: SeededGenerator
        var dropped: [DroppedPair] = []
        var acceptances: [String: Int] = [:]
        var isOver = false
    }

    private static let pairCount = 6

    private let path: String
    private let directory: String
    private let program: Program
    private let isApart: Bool
    private let time = ManualClock()
    private let executor: SeededExecutor
    private let state: Mutex<State>

    init(_ directory: String, seed: UInt64, _ program: Program) throws {
        (self.directory, path, self.program) = (directory, directory + "/spool", program)
        // Every second time, `incoming/` is on another file system.
        isApart = seed % 2 == 1
        state = Mutex(State(generator: SeededGenerator(seed: seed)))
        executor = SeededExecutor(seed: seed) { [time] in
            guard let wake = time.nextWake else { return false }
            time.advance(by: max(0, wake - time.bootMilliseconds))
            return true
        }
    }

    var dropped: [DroppedPair] { state.withLock(\.dropped) }
    /// Reports that the server was handed several times, though it had said that it had them.
    var repeated: [String] { state.withLock { $0.acceptances.filter { $0.value > 1 }.map(\.key) } }

    private func random(_ range: ClosedRange<Int>) -> Int {
        state.withLock { Int.random(in: range, using: &$0.generator) }
    }

    func run() async throws -> SpoolHarness {
        try SpoolHarness(path, clock: time).makeRoom(DroppedPair.room)
        try await interleaving(on: executor) {
            try await withThrowingDiscardingTaskGroup { group in
                group.addTask { try await self.drop() }
                group.addTask { while !self.state.withLock(\.isOver) { try await self.live(isLast: false) } }
            }
            try await self.live(isLast: true)
        }
        return try SpoolHarness(path, clock: time)
    }

    // MARK: - The program

    private func drop() async throws {
        let rooms = ["", DroppedPair.room + "/"]
        for number in 0..<Self.pairCount {
            let hasSidecar = program == .replaces || random(0...2) > 0
            // It takes one name again and again.
            let path = rooms[random(0...7) / 7] + "core"
            let pair = DroppedPair(path: path, payload: "payload \(number)", site: hasSidecar ? "\(number)" : nil)
            if program == .waits { try await waitForNames(of: pair) }
            if let sidecar = pair.sidecar {
                try put(sidecar, as: pair.path + ".annotations")
                for _ in 0..<random(0...10) { executor.giveWay() }
            }
            state.withLock { $0.dropped.append(pair) }
            try put(pair.payload, as: pair.path)
            for _ in 0..<random(0...60) { executor.giveWay() }
            if random(0...2) == 0 { try await time.sleep(milliseconds: Int64(random(1...2_000))) }
        }
        state.withLock { $0.isOver = true }
    }

    private func waitForNames(of pair: DroppedPair) async throws {
        func isTaken(_ name: String) -> Bool { FileManager.default.fileExists(atPath: "\(path)/incoming/\(name)") }
        while isTaken(pair.path) || isTaken(pair.path + ".annotations") { try await time.sleep(milliseconds: 10) }
    }

    private func put(_ text: String, as name: String) throws {
        let draft = "\(directory)/draft"
        try whileNothingStarts { try Data(text.utf8).write(to: URL(fileURLWithPath: draft)) }
        guard rename(draft, "\(path)/incoming/\(name)") == 0 else { throw CocoaError(.fileWriteUnknown) }
    }

    // MARK: - The owners

    /// One owner, that may be killed at any change.
    private func live(isLast: Bool) async throws {
        let end = isLast || random(0...3) == 0 ? Int.max : random(3...45)
        let isDead = Mutex(false)
        let files = FaultingFileSystem { [executor] call throws(FileSystemError) in
            if call.directory != nil { executor.giveWay() }
            if let change = call.change, change >= end { isDead.withLock { $0 = true } }
            if isDead.withLock({ $0 }) { throw FileSystemError(.write, "a process that was killed", .ioError) }
        }
        if isApart { files.keepIncomingApart() }
        do {
            let harness = try SpoolHarness(path, clock: time, files: files) { [self] sent in
                state.withLock { $0.acceptances[sent.name, default: 0] += 1 }
                return .status(200)
            }
            try await harness.submit()
            if isLast {
                // A person sends those over which too many owners were killed.
                _ = try await OrderDispatch(spool: harness.spool).carryOut(.retry, ids: nil)
                try await harness.submit()
            }
        } catch {
            guard isDead.withLock({ $0 }) else { throw error }
        }
        if !isLast { try await time.sleep(milliseconds: Int64(random(1...100))) }
    }
}
