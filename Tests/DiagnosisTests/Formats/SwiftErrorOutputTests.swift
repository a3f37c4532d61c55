import Diagnosis
import Testing

@Suite("Standard error of Swift programs")
struct SwiftErrorOutputTests {
    static let output = """
        [ INFO ] listening on 0.0.0.0:8080 [tilld]
        tilld/Till.swift:31: Fatal error: the ledger is closed

        *** Signal 4: Backtracing from 0x7f5f182f9361... done ***

        *** Program crashed: Illegal instruction at 0x00007f5f182f9361 ***

        Platform: x86_64 Linux (Debian GNU/Linux 12 (bookworm))

        Thread 0 "tilld" crashed:

          0      0x00007f5f182f9361 _assertionFailure(_:_:file:line:flags:) + 225 in libswiftCore.so
          1 [ra] 0x0000559c577729fe Till.settle(_:) + 317 in tilld at /srv/till/Till.swift:31:17
        ...

        Backtrace took 0.01s
        """

    @Test("the last words are the cause, and the report below them has the stack")
    func withReport() throws {
        let diagnosis = recognize(Self.output)
        #expect(diagnosis.format == "swift-stderr")
        #expect(
            diagnosis.summary == "tilld: Fatal error: the ledger is closed in Till.settle(_:) + 317 at Till.swift:31:17"
        )
        let crash = try #require(diagnosis.crash)
        #expect(crash.cause.type == "Fatal error")
        #expect(crash.cause.message == "the ledger is closed")
        #expect(crash.cause.signal == "SIGILL")
        #expect(crash.place?.function == "Till.settle(_:)")
    }

    @Test("a collector's prefix hides nothing and names the program where no report does")
    func behindSyslog() {
        let lines = Self.output.split(separator: "\n", omittingEmptySubsequences: false)
        let logged = lines.map { "Nov 28 08:21:40 edge-3 tilld[3144]: \($0)" }.joined(separator: "\n")
        #expect(recognize(logged).summary == recognize(Self.output).summary.replacing("tilld:", with: "tilld[3144]:"))
        let brief = lines.prefix(4).map { "Nov 28 08:21:40 edge-3 tilld[3144]: \($0)" }.joined(separator: "\n")
        #expect(recognize(brief).summary == "tilld[3144]: Fatal error: the ledger is closed at Till.swift:31")
    }

    @Test(
        "each of the runtime's words is told apart from its message",
        arguments: [
            ("a/b.swift:6: Fatal error: Index out of range", "Fatal error", "Index out of range"),
            ("a/b.swift:6: Precondition failed", "Precondition failed", nil),
            ("a/b.swift:6: Assertion failed: one\ntwo", "Assertion failed", "one\ntwo"),
            ("Fatal error: no place", "Fatal error", "no place"),
        ] as [(String, String, String?)])
    func words(text: String, type: String, message: String?) {
        let diagnosis = recognize("\(text)\n\n*** Signal 5: Backtracing from 0x7f... done ***\n")
        #expect(diagnosis.crash?.cause == Crash.Cause(type: type, message: message, signal: "SIGTRAP"))
    }

    @Test("a log line before a fault is not its message, but what a program says before it aborts is")
    func otherWords() {
        let fault = recognize("request served\n\n*** Signal 11: Backtracing from 0x7f... done ***\n")
        #expect(fault.crash?.cause == Crash.Cause(type: "SIGSEGV", signal: "SIGSEGV"))
        #expect(fault.summary == "SIGSEGV")
        let abort = recognize("Could not cast value of type 'A' to 'B'.\n\n*** Signal 6: Backtracing from 0x7f...\n")
        #expect(abort.crash?.cause.message == "Could not cast value of type 'A' to 'B'.")
    }

    @Test("the words before an earlier crash are not those of the next one")
    func twoCrashes() {
        let fault =
            "*** Signal 11: Backtracing from 0x7f... done ***\n\n*** Program crashed: Bad pointer dereference at 0x18 ***\n"
        let diagnosis = recognize(Self.output + "\n\nstarted again\n" + fault)
        #expect(diagnosis.summary == "Bad pointer dereference")
        #expect(diagnosis.crash?.cause.address == 0x18)
    }

    @Test("an exception of C++ in a Swift program keeps its type")
    func foreignException() {
        let words = "terminate called after throwing an instance of 'std::out_of_range'\n  what():  map::at\n\n"
        let diagnosis = recognize(words + "*** Signal 6: Backtracing from 0x7f... done ***\n")
        #expect(diagnosis.format == "swift-stderr")
        #expect(diagnosis.crash?.cause == Crash.Cause(type: "std::out_of_range", message: "map::at", signal: "SIGABRT"))
    }

    @Test("on a terminal the report takes the place of the line before it")
    func terminal() {
        let diagnosis = recognize(
            """
            a/main.swift:5: Fatal error: closed

            \u{1f4a3} Program crashed: Signal 4: Backtracing from 0x7f60...\r\u{1f4a3} Program crashed: Illegal instruction at 0x7f60

            Thread 0 "s" crashed:

              0 settle(_:) + 317 in s at /srv/s.swift:5:17
            """)
        #expect(diagnosis.format == "swift-stderr")
        #expect(diagnosis.summary == "s: Fatal error: closed in settle(_:) + 317 at s.swift:5:17")
    }

    @Test("without the backtracer the runtime's own stack counts, or the words alone at the end")
    func withoutBacktracer() throws {
        let diagnosis = recognize(
            """
            s/s.swift:5: Fatal error: ledger is closed
            Current stack trace:
            0    libswiftCore.so                    0x00007f55d255f130 swift_reportError + 33
            1    libswiftCore.so                    0x00007f55d26f9280 _assertionFailure(_:_:file:line:flags:) + 221
            2    s                                  0x000056112d33d9fe <unavailable> + 6654
            3    libc.so.6                          0x00007f55d0e6c280 __libc_start_main + 133
            Illegal instruction (core dumped)
            """)
        #expect(diagnosis.format == "swift-stderr")
        #expect(diagnosis.summary == "s: Fatal error: ledger is closed at s.swift:5")
        let frames = try #require(diagnosis.crash?.crashedThread?.frames)
        #expect(frames.map(\.isOwn) == [false, false, true, false])
        #expect(frames[2].moduleOffset == 6_654)
        #expect(diagnosis.signature?.text.hasSuffix("s+0x19fe") == true)
        let old = recognize("Fatal error: closed: file shop/main.swift, line 12\nIllegal instruction (core dumped)\n")
        #expect(old.summary == "swift: Fatal error: closed at main.swift:12")
        let alone = recognize("shop/main.swift:12: Fatal error: closed\nTrace/breakpoint trap (core dumped)\n")
        #expect(alone.summary == "swift: Fatal error: closed at main.swift:12")
    }

    @Test(
        "text that only talks of fatal errors is no crash",
        arguments: [
            "Fatal error: Index out of range\n", "shop.c:12: Fatal error: can't open a.h\n",
            "main.swift:12: Fatal error: an example\n" + String(repeating: "More of the manual.\n", count: 8),
            "log: Fatal error: none\nCurrent stack trace:\nis empty\n", "*** Signal 4 received ***\n",
            "// shop/main.swift:12: Fatal error: closed\n",
        ])
    func lookAlikes(text: String) {
        #expect(recognize(text).kind == .log)
    }

    @Test("the words of a failed cast are a crash where they are the last")
    func failedCast() {
        let words = "Could not cast value of type 'Swift.String' (0x7f90f1bd7ca0) to 'Swift.Int' (0x7f90f1bda698).\n"
        let diagnosis = recognize("starting\n" + words + "Aborted (core dumped)\n")
        #expect(diagnosis.format == "swift-stderr")
        #expect(diagnosis.kind == .crash)
        #expect(diagnosis.crash?.cause.signal == "SIGABRT")
        #expect(recognize(words + String(repeating: "and on\n", count: 9)).format == "text")
        #expect(recognize("Could not cast value of type 'Swift.String' to 'Swift.Int', they say.\n").format == "text")
    }
}
