import Diagnosis
import Testing

@Suite("Hostile text in the forms of runtimes")
struct RuntimeBoundsTests {
    /// Beginnings of the formats, each of which may be repeated without end.
    static let pieces = [
        "Traceback (most recent call last):\n", "  + Exception Group Traceback (most recent call last):\n",
        "Traceback (most recent call last):\n  File \"a.py\", line 1, in f\n",
        "Traceback (most recent call last):\n  File \"a.py\", line 1, in f\nKeyError\n",
        "  + Exception Group Traceback (most recent call last):\n  |   File \"a.py\", line 1, in f\n  | E: 1\n  +-+---- 1\n",
        "  | x\n", "SyntaxError: \n", "  File \"a.py\", line 1\nSyntaxError: x\n",
        "Fatal Python error: x\n", "Timeout (0:00:05)!\n", "Current thread 0x1 (most recent call first):\n",
        "a.rb:1:in `f': x (E)\n", "a.rb:1:in '<main>': x (E)\n", "\tfrom a.rb:1:in `f'\n", "\t1: from a.rb:1:in `f'\n",
        "a.rb:1: [BUG] x\n", "[BUG] x\nruby 3\n-- C level backtrace information\n",
        "PHP Fatal error:  Uncaught E: x in a:1\n", "\nNext E: x in a:1\nStack trace:\n#0 {main}\n",
        "PHP Fatal error:  Uncaught E: x in a:1\nStack trace:\n#0 {main}\n\nNext ",
        "[PHP Fatal error: \n", "#0 a(1): f()\n", "    at f (/a.js:1:1)\n", "Node.js v1\n", "a:1\nx\n^\n",
        "a:1\nx\n^\nE: x {\n", "(node:1) UnhandledPromiseRejectionWarning: E: x\n", "FATAL ERROR: x\n", "# Fatal x\n",
        "error: Uncaught E: x\n", "Bun v1\n", "^\n", "Exception in thread \"a\" b.C: x\n",
        "Exception in thread \"a\" b.C: x\n\tat a.b(c)\nCaused by: b.C\n", "\tat a.b(c)\n", "Caused by: b.C\n",
        "Unhandled exception. a.B: x\n", "Unhandled Exception:\n", " ---> a.B: x\n", "Stack overflow.\n",
        "=erl_crash_dump:0.5\n", "=CRASH REPORT====\n", "** Reason for termination =\n", "Error in process <\n",
        "** (E) x\n", "    a.ex:1: f/1\n", "\tf() called at a line 1\n", "a at b line 1.\n\tf() called at a line 1\n",
        "stack traceback:\n", "stack traceback:\n\ta:1: in ?\n",
    ]

    /// Enough that quadratic work takes minutes, and linear work no second.
    private static let byteCount = 64 << 10

    @Test("a piece that repeats without end costs no more than a few times its length", arguments: pieces)
    func repetition(piece: String) {
        let count = Self.byteCount / piece.utf8.count
        let clock = ContinuousClock()
        let duration = clock.measure { _ = recognize(String(repeating: piece, count: count)) }
        #expect(duration < .seconds(10))
    }

    @Test("a line without end costs no more than that", arguments: pieces)
    func longLine(piece: String) {
        let line = piece.filter { $0 != "\n" }
        let text = String(repeating: line, count: Self.byteCount / line.utf8.count)
        let clock = ContinuousClock()
        #expect(clock.measure { _ = recognize(piece + text) } < .seconds(10))
        #expect(clock.measure { _ = recognize(text + "\n" + piece + piece) } < .seconds(10))
    }

    @Test("what a crash holds is bounded, whatever the text repeats", arguments: pieces)
    func bounds(piece: String) {
        let crash = recognize(String(repeating: piece, count: 1_000)).crash
        #expect(crash?.earlierCauses.count ?? 0 <= Crash.Bounds.earlierCauseCount)
        #expect(crash?.threads.allSatisfy { $0.frames.count <= Crash.Bounds.frameCount } ?? true)
    }
}
