import Diagnosis
import Testing

@Suite("Crashes that documents, programs and tests show")
struct DocumentExampleTests {
    private static let traceback = """
        Traceback (most recent call last):
          File "till.py", line 3, in <module>
            close()
        ValueError: no till
        """
    private static let panic = "panic: no till\n\ngoroutine 1 [running]:\nmain.main()\n\t/src/main.go:3 +0x1\n"

    @Test("an example between tildes is none", arguments: ["~~~", "~~~ text"])
    func tildes(opening: String) {
        let text = "# Till\n\n\(opening)\n\(Self.traceback)\n~~~\n\nThat is all.\n"
        #expect(recognize(text).format == "text")
        // Without a second fence there is no example.
        #expect(recognize("\(opening)\n\(Self.traceback)\n").kind == .crash)
    }

    @Test("a fence of tildes is not closed by one of backquotes")
    func differentFences() {
        let text = "~~~\n```\n\(Self.traceback)\n```\n~~~\n"
        #expect(recognize(text).format == "text")
    }

    @Test("a listing of AsciiDoc is an example, and rules of dashes alone are none", arguments: ["----", "...."])
    func listing(fence: String) {
        let text = "\(fence)\n\(Self.traceback)\n\(fence)\n"
        #expect(recognize("= Till\n\n[source,text]\n" + text).format == "text")
        #expect(recognize(text).kind == .crash)
    }

    @Test(
        "what a script, a source of C or a change to a source holds is no crash",
        arguments: ["#!/bin/sh\ncat <<END\n", "#! /usr/bin/perl\n", "#include <stdio.h>\n/*\n", "diff --git a/t b/t\n"])
    func programs(beginning: String) {
        #expect(recognize(beginning + Self.panic).format == "text")
    }

    @Test("a file that has the name of a source is no crash")
    func names() {
        let text = "EXPECTED = \'\'\'\n\(Self.traceback)\n\'\'\'\n"
        #expect(recognize(text, name: "test_till.py").format == "text")
        #expect(recognize(Self.panic, name: "till.adoc").format == "text")
        // Nor is any other file a source because its name only holds such letters.
        #expect(recognize(Self.panic, name: "till.py.log").kind == .crash)
        #expect(recognize(Self.panic, name: "crash-till.go").kind == .crash)
    }

    @Test("what pytest has captured of a test is no crash")
    func capturedByTest() {
        let text = """
            test_till.py::test_close PASSED
            ----------------------------- Captured stderr call -----------------------------
            \(Self.traceback)
            ============================== 1 passed in 0.12s ==============================
            """
        #expect(recognize(text).format == "text")
    }

    @Test("the panic of a Rust test that passes is no crash, that of one that fails is")
    func panicOfTest() {
        func output(_ result: String) -> String {
            "---- tests::closed stdout ----\nthread 'tests::closed' (4) panicked at src/lib.rs:9:5:\nno till\n\n"
                + "test result: \(result). 1 passed; 0 failed; 0 ignored\n"
        }
        #expect(recognize(output("ok")).format == "text")
        #expect(recognize(output("FAILED")).format == "rust-panic")
    }

    @Test("an exception logged as information about a failure, with the log going on, is no crash")
    func loggedFailure() {
        func log(_ message: String) -> String {
            "2026-11-28 08:21:39,114 INFO till: \(message)\n\(Self.traceback)\n2026-11-28 08:21:40,114 INFO till: open\n"
        }
        #expect(recognize(log("could not reach the cache, using none")).kind == .diagnostic)
        #expect(recognize(log("retrying")).kind == .diagnostic)
        // The next record may be that of a program that was started again.
        #expect(recognize(log("listening on 8080")).kind == .crash)
    }
}
