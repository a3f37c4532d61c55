import Reports
import Testing

@Suite("Formats in text")
struct TextFormatTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let format: String
        let kind: ReportKind
        let summary: String
        let text: String

        init(_ name: String, _ format: String, _ kind: ReportKind, _ summary: String, _ text: String) {
            self.testDescription = name
            self.format = format
            self.kind = kind
            self.summary = summary
            self.text = text
        }
    }

    @Test("Each is told by how it begins", arguments: Self.crashes + Self.checkers + Self.others)
    func recognition(of sample: Case) {
        let recognition = recognize(sample.text)
        #expect(recognition.format == sample.format)
        #expect(recognition.kind == sample.kind)
        #expect(recognition.summary == sample.summary)
        #expect(recognition.contentType == "text/plain; charset=utf-8")
    }

    static let crashes = [
        Case(
            "Swift in colour, without addresses", "swift-backtrace-text", .crash,
            "shopd: Illegal instruction in pay() + 3 at main.swift:1:5",
            """
            \u{1f4a3} \u{1b}[91mProgram crashed: Illegal instruction at 0x00007f170ef6df7f\u{1b}[39m

            Thread 0 "shopd" crashed:

              \u{1b}[90m0\u{1b}[39m \u{1b}[34m[ra]\u{1b}[39m \u{1b}[96mstart()\u{1b}[39m in \u{1b}[36mlibc.so.6\u{1b}[39m
              \u{1b}[90m1\u{1b}[39m \u{1b}[96mpay()\u{1b}[37m + 3\u{1b}[39m in shopd at /a/main.swift:1:5\u{1b}[39m
            """),
        Case(
            "Swift, the report elsewhere", "swift-stderr", .crash, "a/b.swift:6: Fatal error: Index out of range",
            "a/b.swift:6: Fatal error: Index out of range\nnoise\n\n*** Signal 4: Backtracing from 0x7f... done ***\n"),
        Case("Swift, no last words", "swift-stderr", .crash, "SIGILL", "\n*** Signal 4: Backtracing from 0x7f...\n"),
        Case(
            "Java out of memory", "jvm-hs-err", .crash, "java[12] -jar a.jar: Out of Memory Error (os_linux.cpp:2843)",
            """
            #
            # There is insufficient memory for the Java Runtime Environment to continue.
            #  Out of Memory Error (os_linux.cpp:2843), pid=12, tid=13
            Command Line: -jar a.jar
            """),
        Case(
            "Rust before 1.73", "rust-panic", .crash, "rust: panic 'it's 'quoted'' at main.rs:2:5 (thread main)",
            "thread 'main' panicked at 'it's 'quoted'', src/main.rs:2:5\nnote: run with `RUST_BACKTRACE=1`\n"),
        Case(
            "Go, in the runtime", "go-panic", .crash,
            "go: fatal error: all goroutines are asleep - deadlock! in main.main",
            """
            fatal error: all goroutines are asleep - deadlock!

            goroutine 1 [chan receive]:
            runtime.gopark(0x0)
            main.main()
            \t/src/main.go:5 +0x30
            """),
        Case(
            "Python, out of time", "python-faulthandler", .hang, "python: Timeout (0:00:05)! in wait at a.py:3",
            "Timeout (0:00:05)!\nThread 0x1 (most recent call first):\n  File \"/x/a.py\", line 3 in wait\n"),
        Case(
            "Python, cut", "python-traceback", .crash, "python: traceback in f at a.py:3",
            "Traceback (most recent call last):\n  File \"/x/a.py\", line 3, in f\n    g()\n"),
    ]

    static let checkers = [
        Case(
            "Undefined behaviour", "sanitizer", .crash,
            "UndefinedBehaviorSanitizer: signed integer overflow at a.c:4:9",
            "/src/a.c:4:9: runtime error: signed integer overflow\n"),
        Case(
            "Threads", "sanitizer", .crash, "[9] ThreadSanitizer: data race in add at a.c:3",
            """
            ==================
            WARNING: ThreadSanitizer: data race (pid=9)
              Write of size 4 at 0x1 by thread T1:
                #0 __interceptor_memcpy <null>
                #1 0x1 in add /src/a.c:3
            """),
        Case(
            "Leaks, with the program's name", "sanitizer", .crash,
            "shopd[9] LeakSanitizer: detected memory leaks in main",
            "==shopd==9==ERROR: LeakSanitizer: detected memory leaks\n    #0 0x1 in main (/bin/a+0x1)\n"),
        Case(
            "Valgrind", "valgrind-text", .diagnostic, "./a[7] memcheck: 1 errors from 1 contexts",
            """
            ==7== Memcheck, a memory error detector
            ==7== Command: ./a
            ==7== ERROR SUMMARY: 1 errors from 1 contexts
            """),
    ]

    static let others = [
        Case(
            "Apport", "apport", .crash, "/usr/bin/shopd: SIGSEGV (shopd 1.2)",
            """
            ProblemType: Crash
            ExecutablePath: /usr/bin/shopd
            Package: shopd 1.2
            Signal: 11
            CoreDump: base64
             AA==
            """),
        Case(
            "Apple's old reports", "apple-crash", .crash,
            "Shop[77] 1.0 (5): EXC_BAD_ACCESS (SIGSEGV) in -[Shop pay] + 4 (macOS 12.3)",
            """
            Process:               Shop [77]
            Version:               1.0 (5)
            OS Version:            macOS 12.3
            Exception Type:        EXC_BAD_ACCESS (SIGSEGV)

            Thread 0 Crashed:: Dispatch queue: main
            0   Shop                \t0x0000000104 -[Shop pay] + 4
            """),
        Case("A log that panics in the middle", "text", .log, "started", "started\npanic: no\n"),
        Case("A panic of no Go program", "text", .log, "panic: no", "panic: no\n"),
        Case("Three stars", "text", .log, "*** Signal received ***", "*** Signal received ***\n"),
    ]

    @Test("Valgrind's XML is decoded, and says when there is more")
    func valgrindXML() {
        let text = """
            <?xml version="1.0"?>
            <valgrindoutput><pid>7</pid><tool>memcheck</tool><argv><exe>./a&amp;b</exe></argv>
            <error><kind>Leak</kind><fn>f&lt;int&gt;</fn></error>
            <fatal_signal><signame>SIGSEGV</signame></fatal_signal>
            """
        #expect(recognize(text).summary == "./a&b[7] memcheck: 1 error(s), first Leak in f<int>, SIGSEGV")
        #expect(recognize(text).kind == .diagnostic)
        let large = text + String(repeating: "\n", count: PayloadSniffer.windowByteCount)
        #expect(recognize(large).summary.hasPrefix("./a&b[7] memcheck: 1+ error(s)"))
    }
}
