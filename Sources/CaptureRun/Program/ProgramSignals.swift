import CLinux
import Glibc

/// Sends the signals that reach this process on to its program, each of them so that the program gets it once.
struct ProgramSignals: ~Copyable {
    private let program: Int32
    private let rule = SignalRule()
    private var watch: GroupWatch?
    /// Whether the second process may yet get what was taken to be sent to this process alone.
    private(set) var awaitsEchoes = false

    /// How long who signals each process of a list may take from one to the next, in microseconds.
    private static let listPause: UInt32 = 2_000
    /// After this many milliseconds, nothing that the second process gets belongs to an earlier signal.
    static let echoMilliseconds: Int32 = 100

    /// - Parameter program: gets the signals.
    init(to program: Int32) {
        self.program = program
    }

    /// Starts the second process, which knows nothing of signals that have arrived before.
    /// - Parameter words: the command line of this process, ended by NULL.
    mutating func startWatch(_ words: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) {
        watch = GroupWatch(words)
    }

    /// Ends the second process.
    mutating func endWatch() { watch = nil }

    /// To be called when a child of this process has been waited for.
    mutating func childHasEnded(_ child: Int32) { watch?.childHasEnded(child) }

    /// Sends on what has to be sent on.
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
        keepShared(arrived, &verdicts)
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
            // In a namespace that the program began, the second process does not know the sender.
            let match = shared.firstIndex { $0.number == signal.number && [signal.sender, 0].contains($0.sender) }
            guard let match else { continue }
            shared.remove(at: match)
            verdicts[index] = .keep
        }
    }
}
