import CLinux
import Glibc

/// Sends the signals that reach this process on to its program, each of them so that the program gets it once.
struct ProgramSignals: ~Copyable {
    private let program: Int32
    private let held: HeldSignals
    private let rule = SignalRule()
    private var watch: GroupWatch?
    /// Whether the second process may yet get what was taken to be sent to this process alone.
    private(set) var awaitsEchoes = false
    /// What has arrived while the second process was asked.
    private var late: [clinux_signal] = []
    /// What its answer then spoke of. A process holds one of all signals of a number that have come since it last looked,
    /// and the second looks later than this one: its one may stand for several of ours, taken together or ``late``.
    private var answered: [clinux_group_signal] = []

    /// How long who signals each process of a list may take from one to the next, in microseconds.
    private static let listPause: UInt32 = 2_000
    /// After this many milliseconds, nothing that the second process gets belongs to an earlier signal.
    static let echoMilliseconds: Int32 = 100

    /// - Parameters:
    ///   - program: gets the signals.
    ///   - held: where those of this process arrive.
    init(to program: Int32, from held: HeldSignals) {
        (self.program, self.held) = (program, held)
    }

    /// Starts the second process, which knows nothing of signals that have arrived before.
    /// - Parameter words: the command line of this process, ended by NULL.
    mutating func startWatch(_ words: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) {
        watch = GroupWatch(words)
    }

    /// Ends the second process, of which nothing is asked any more.
    func endWatch() { watch?.kill() }

    /// Waits for the end of the second process.
    mutating func awaitWatchEnd() { watch = nil }

    /// To be called when a child of this process has been waited for.
    mutating func childHasEnded(_ child: Int32) { watch?.childHasEnded(child) }

    /// Waits for signals.
    /// - Returns: whether there are any; `false` after ``echoMilliseconds`` where that is to be looked after.
    func wait() -> Bool {
        !late.isEmpty || held.wait(milliseconds: awaitsEchoes ? Self.echoMilliseconds : -1)
    }

    /// Takes the signals that have arrived; those that have while the second process was asked come apart, and first.
    mutating func taken() -> [clinux_signal] {
        guard late.isEmpty else {
            defer { late = [] }
            return late
        }
        answered = []
        return held.taken()
    }

    /// Sends on what has to be sent on.
    /// - Parameter arrived: what was taken last.
    mutating func pass(_ arrived: [clinux_signal]) {
        var verdicts = arrived.map { rule.verdict(on: $0, program: program) }
        if verdicts.contains(.passOnIfAlone) { decide(arrived, &verdicts) }
        for (signal, verdict) in zip(arrived, verdicts) where verdict == .passOn {
            var signal = signal
            _ = clinux_pass_on(&signal, program)
        }
    }

    /// Forgets what the second process got too late.
    mutating func forgetEchoes() {
        awaitsEchoes = false
        if watch?.taken() == nil { watch = nil }
    }

    /// Decides of each signal that may have been sent to the whole group.
    private mutating func decide(_ arrived: [clinux_signal], _ verdicts: inout [SignalRule.Verdict]) {
        let before = answered
        answered = []
        keepShared(arrived, &verdicts)
        if watch != nil { late = held.taken() }
        for (index, signal) in zip(arrived.indices, arrived) where verdicts[index] == .passOnIfAlone {
            if (before + answered).contains(where: { Self.isSame($0, signal) }) { verdicts[index] = .keep }
        }
        if watch != nil, verdicts.contains(.passOnIfAlone) {
            usleep(Self.listPause)
            keepShared(arrived, &verdicts)
        }
        for index in arrived.indices where verdicts[index] == .passOnIfAlone {
            let isGuessed = watch == nil && SignalRule.isLikelyForGroup(from: arrived[index].sender)
            verdicts[index] = isGuessed ? .keep : .passOn
            awaitsEchoes = watch != nil
        }
    }

    /// Keeps those that the second process has got as well.
    private mutating func keepShared(_ arrived: [clinux_signal], _ verdicts: inout [SignalRule.Verdict]) {
        guard var shared = watch?.taken() else {
            watch = nil
            return
        }
        for index in arrived.indices where verdicts[index] == .passOnIfAlone {
            let signal = arrived[index]
            guard let match = shared.firstIndex(where: { Self.isSame($0, signal) }) else { continue }
            let found = shared.remove(at: match)
            // Of those from 32 on, each is held.
            if signal.number < 32 { answered.append(found) }
            verdicts[index] = .keep
        }
    }

    /// In a namespace that the program began, the second process does not know the sender.
    private static func isSame(_ shared: clinux_group_signal, _ signal: clinux_signal) -> Bool {
        shared.number == signal.number && [signal.sender, 0].contains(shared.sender)
    }
}
