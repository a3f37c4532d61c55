import Background
import DurableIO
import Foundation
import Reports
import Synchronization
import TestSupport
import Testing

/// A life whose intake, drive, producers and people run in an interleaving that a seed chooses. The power may go, and
/// the process may be killed, at any moment of it; a few of the moments are kept.
final class InterleavedLife: Sendable {
    /// The server's first answer to a report; from the second one on it accepts.
    private enum FirstAnswer: CaseIterable, Sendable {
        case accepts
        case isBusy
        case hangs
        /// It has the report, and its answer is lost.
        case breaksOff
    }

    /// What the world does to it.
    private enum Course: CaseIterable, Sendable {
        /// The server is busy, hangs or breaks off.
        case troubled
        /// And the first owner is told to end in the midst of its work.
        case interrupted
        /// The server accepts everything at once, and the spool may keep one report.
        case tight
    }

    private struct State {
        var generator: SeededGenerator
        var momentCount = 0
        var kills: [PowerCutOracle.Case] = []
        var asked: Set<ContentHash> = []
        var acceptances: [ContentHash: Int] = [:]
    }

    let life: PowerCutLife
    private let directory: String
    private let time = ManualClock()
    private let executor: SeededExecutor
    private let state: Mutex<State>
    private let course: Course

    /// How many moments of each kind are kept, at least where there are as many.
    static let keptCount = 6
    /// Of so many moments one is kept as a cut.
    private static let cutShare = 20
    private static let largeByteCount = 600_000
    /// A day.
    private static let patience: Int64 = 86_400_000

    init(_ directory: String, seed: UInt64) throws {
        self.directory = directory
        course = Course.allCases[Int(seed % UInt64(Course.allCases.count))]
        state = Mutex(State(generator: SeededGenerator(seed: seed)))
        executor = SeededExecutor(seed: seed) { [time] in
            guard let wake = time.nextWake else { return false }
            time.advance(by: max(0, wake - time.bootMilliseconds))
            return true
        }
        let watcher = Mutex<(@Sendable (String) -> Bool)?>(nil)
        try FileManager.default.createDirectory(atPath: directory + "/disk", withIntermediateDirectories: false)
        life = try PowerCutLife(directory + "/disk", time: time) { label in
            watcher.withLock { $0 }?(label) ?? false
        }
        let watch: @Sendable (String) -> Bool = { [weak self] label in self?.watch(label) ?? false }
        watcher.withLock { $0 = watch }
    }

    private func random(_ range: ClosedRange<Int>) -> Int {
        state.withLock { Int.random(in: range, using: &$0.generator) }
    }

    // MARK: - Moments

    /// - Returns: whether the moment is kept as one at which the power goes.
    private func watch(_ label: String) -> Bool {
        if label.contains("change") { executor.giveWay() }
        let (isCut, slot) = state.withLock { state -> (Bool, Int?) in
            state.momentCount += 1
            let isCut = Int.random(in: 0..<Self.cutShare, using: &state.generator) == 0
            // Each moment has the same chance, however many there will be.
            let place = Int.random(in: 0..<state.momentCount, using: &state.generator)
            return (isCut, place < Self.keptCount ? place : nil)
        }
        if let slot { keepKill(in: slot, label) }
        return isCut
    }

    private func keepKill(in slot: Int, _ label: String) {
        let path = "\(directory)/killed-\(slot)"
        let manager = FileManager.default
        guard manager.fileExists(atPath: directory + "/disk/spool/VERSION") else { return }
        try? manager.removeItem(atPath: path)
        guard (try? manager.copyItem(atPath: directory + "/disk/spool", toPath: path)) != nil else { return }
        let found = PowerCutOracle.Case(
            disk: .killed(path: path), promises: life.promises, label: "killed \(label)",
            wall: time.wallMilliseconds, boot: time.bootMilliseconds, wait: Self.patience)
        state.withLock { state in
            state.kills.removeAll { $0.disk == found.disk }
            state.kills.append(found)
        }
    }

    /// Some of what kills and cuts would have left.
    var cases: [PowerCutOracle.Case] {
        let wall = time.wallMilliseconds
        let moments = state.withLock { life.moments.shuffled(using: &$0.generator) }
        let cuts = moments.compactMap { moment -> PowerCutOracle.Case? in
            let outcomes: [PowerCut.Outcome] = [.none, .all, .some(UInt64(random(0...1_000)))]
            let outcome = outcomes[random(0...2)]
            guard let image = moment.cut.image(outcome) else { return nil }
            return PowerCutOracle.Case(
                disk: .cut(image), promises: moment.promises, label: "\(moment.cut.label), \(outcome)", wall: wall,
                wait: Self.patience)
        }
        return state.withLock(\.kills) + cuts.prefix(Self.keptCount)
    }

    /// What the undisturbed disk holds in the end.
    var end: PowerCutOracle.Case {
        PowerCutOracle.Case(
            disk: .killed(path: directory + "/disk/spool"), promises: life.promises, label: "the end",
            wall: time.wallMilliseconds, boot: time.bootMilliseconds, wait: Self.patience)
    }

    /// Reports that the server was handed several times, though it had said that it had them.
    var repeated: [ContentHash] {
        course == .interrupted ? [] : state.withLock { $0.acceptances.filter { $0.value > 1 }.map(\.key) }
    }

    /// Reports that had to go to make room.
    func evicted() throws -> [ContentHash] {
        let spool = try life.open()
        return try life.promises.accepted.filter { try SpoolInspector(spool: spool).record($0.hex)?.state == .evicted }
    }

    /// How often another one went on.
    var turnCount: Int { executor.turnCount }

    // MARK: - What happens

    func run() async throws {
        var limits = SpoolLimits()
        if course == .tight { limits.maximumCount = 1 }
        let spool = try life.open(
            limits: limits, largeDropByteCount: UInt64(Self.largeByteCount), slots: PayloadSlots(count: 4))
        try await interleaving(on: executor) {
            try await self.leaveRows(spool)
            self.answerAnyhow()
            try self.dropSome(0..<4, into: spool)
            try await withThrowingDiscardingTaskGroup { group in
                group.addTask { try await self.own(spool) }
                group.addTask { try await self.drop(into: spool) }
                group.addTask { try await self.add(to: spool) }
                group.addTask { try await self.meddle(with: spool) }
            }
            // What came after the owner's last look.
            try await self.life.submit(spool, wait: Self.patience)
        }
    }

    /// Rows of an earlier life: some wait, one was refused. Where only one may be kept, they wait to come in.
    private func leaveRows(_ spool: ReportSpool) async throws {
        life.answer { $0 == .of("refused") ? .status(400) : .status(503) }
        try life.add("early 0", "early 1", "unwanted", "refused", to: spool)
        if course != .tight { try await life.submit(spool) }
    }

    private func answerAnyhow() {
        let seed = random(0...1_000_000)
        life.answer { [self] id in
            let isFirst = state.withLock { $0.asked.insert(id).inserted }
            var generator = SeededGenerator(seed: UInt64(seed) ^ UInt64(id.bytes[0]))
            let first = isFirst && course != .tight ? FirstAnswer.allCases.randomElement(using: &generator) : nil
            let outcome = await answer(first ?? .accepts)
            if first ?? .accepts == .accepts { state.withLock { $0.acceptances[id, default: 0] += 1 } }
            return outcome
        }
    }

    private func answer(_ first: FirstAnswer) async -> TransportResult {
        switch first {
        case .accepts: return .status(200)
        case .isBusy: return .status(503)
        case .breaksOff: return .lost
        case .hangs:
            try? await time.sleep(milliseconds: Int64(random(1...20_000)))
            return .lost
        }
    }

    private func own(_ spool: ReportSpool) async throws {
        if course == .interrupted {
            await withTaskGroup(of: Void.self) { group in
                group.addTask { try? await self.life.submit(spool, wait: Self.patience) }
                group.addTask { await self.rest(atMost: 400) }
                await group.next()
                group.cancelAll()
            }
        }
        try await life.submit(spool, wait: Self.patience)
    }

    /// Lets others go on, and sometimes time pass.
    private func rest(atMost count: Int) async {
        for _ in 0..<random(0...count) { executor.giveWay() }
        if random(0...3) == 0 { try? await time.sleep(milliseconds: Int64(random(1...3_000))) }
    }

    private func drop(into spool: ReportSpool) async throws {
        for number in 4..<12 {
            await rest(atMost: 60)
            try dropSome(number..<number + 1, into: spool)
        }
    }

    /// Crashes, logs, the same bytes twice, and large ones.
    private func dropSome(_ numbers: Range<Int>, into spool: ReportSpool) throws {
        for number in numbers {
            let (name, bytes): (String, [UInt8]) =
                switch number % 4 {
                case 0: ("crash-\(number)", Array("panic: number \(number)\n\ngoroutine 1 [running]:\n".utf8))
                case 1: ("log-\(number)", Array("a line of log \(number)\n".utf8))
                case 2: ("twice-\(number)", Array("the same\n".utf8))
                default: ("large-\(number)", state.withLock { $0.generator.noise(2 * Self.largeByteCount) })
                }
            let entry = try #require(EntryName(name))
            try life.drop(bytes: bytes, as: entry, into: spool)
        }
    }

    private func add(to spool: ReportSpool) async throws {
        for number in 0..<3 {
            await rest(atMost: 60)
            try life.add("added \(number)", "added \(number), too", to: spool)
        }
    }

    /// A person's orders. They would keep the limits, before anything is sent.
    private func meddle(with spool: ReportSpool) async throws {
        guard course != .tight else { return }
        await rest(atMost: 100)
        try await life.retry(spool)
        await rest(atMost: 100)
        try? await life.remove("unwanted", from: spool)
        // It comes again after the order.
        try? await time.sleep(milliseconds: 10)
        await rest(atMost: 100)
        try life.drop("unwanted", as: "again", into: spool)
    }
}
