import CLinux
import Glibc
import Testing

@testable import CaptureRun

@Suite("Which signals are sent on")
struct SignalRuleTests {
    private func verdict(
        _ number: Int32, code: Int32, from sender: Int32 = 1, leadsSession: Bool = false
    ) -> SignalRule.Verdict {
        var rule = SignalRule()
        rule.leadsSession = leadsSession
        var signal = clinux_signal()
        (signal.number, signal.code, signal.sender) = (number, code, sender)
        return rule.verdict(on: signal, program: 4711)
    }

    @Test("the kernel's are not, those for one process are, and others only if nobody else has got them")
    func codes() {
        for number in [SIGTERM, SIGINT, SIGWINCH, SIGUSR1, SIGABRT, SIGTSTP] {
            #expect(verdict(number, code: 0) == .passOnIfAlone)
            #expect(verdict(number, code: -1) == .passOn)
            #expect(verdict(number, code: -6) == .passOn)
            #expect(verdict(number, code: 0x80) == .keep)
        }
        #expect(verdict(SIGCHLD, code: 0) == .keep && verdict(SIGCONT, code: 0) == .keep)
        #expect(verdict(SIGALRM, code: 0x80) == .passOn)
        #expect(verdict(SIGHUP, code: 0x80) == .keep)
        #expect(verdict(SIGHUP, code: 0x80, leadsSession: true) == .passOn)
    }

    @Test("what the kernel says of a write of the wrapper's own is not for the program")
    func ownWrites() {
        for number in [SIGPIPE, SIGXFSZ] {
            #expect(verdict(number, code: 0, from: getpid()) == .keep)
            #expect(verdict(number, code: 0) == .passOnIfAlone)
        }
        #expect(verdict(SIGTERM, code: 0, from: getpid()) == .passOnIfAlone)
    }

    @Test("what the program tells its parent does not come back to it")
    func fromProgram() {
        #expect(verdict(SIGUSR1, code: 0, from: 4711) == .keep)
        #expect(verdict(SIGUSR1, code: -1, from: 4711) == .keep)
    }

    @Test("where only the sender tells, one of an outer namespace is a stranger, and the wrapper one of the group")
    func guesses() {
        #expect(!SignalRule.isLikelyForGroup(from: 0))
        #expect(SignalRule.isLikelyForGroup(from: getpid()))
        #expect(!SignalRule.isLikelyForGroup(from: Int32.max))
    }
}
