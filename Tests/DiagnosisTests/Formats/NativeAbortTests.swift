import Diagnosis
import Testing

@Suite("Last words of native programs")
struct NativeAbortTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let text: String
        let summary: String
        let format: String
        var signal: String? = "SIGABRT"
        var testDescription: String { self.summary }

        init(_ format: String, _ summary: String, signal: String = "SIGABRT", _ text: String) {
            (self.text, self.summary, self.format, self.signal) = (text, summary, format, signal)
        }
    }

    @Test("each library's words are a crash of their own", arguments: Self.libraries + Self.languages + Self.assertions)
    func words(sample: Case) {
        for text in [sample.text, "connected\n\(sample.text)\nAborted (core dumped)\n"] {
            let diagnosis = recognize(text)
            #expect(diagnosis.format == sample.format)
            #expect(diagnosis.kind == .crash)
            #expect(diagnosis.summary == sample.summary)
            #expect(diagnosis.crash?.cause.signal == sample.signal)
        }
    }

    static let libraries = [
        Case("libc-abort", "double free or corruption (!prev)", "double free or corruption (!prev)"),
        Case("libc-abort", "free(): double free detected in tcache 2", "free(): double free detected in tcache 2"),
        Case("libc-abort", "malloc(): corrupted top size", "malloc(): corrupted top size"),
        Case("libc-abort", "munmap_chunk(): invalid pointer", "munmap_chunk(): invalid pointer"),
        Case("libc-abort", "corrupted size vs. prev_size", "corrupted size vs. prev_size"),
        Case("libc-abort", "corrupted double-linked list (not small)", "corrupted double-linked list (not small)"),
        Case("libc-abort", "stack smashing detected", "*** stack smashing detected ***: terminated"),
        Case("libc-abort", "buffer overflow detected", "*** buffer overflow detected ***: ./tilld terminated"),
        Case(
            "libc-abort", "Fatal glibc error: malloc assertion failure in sysmalloc: (old_top == initial_top (av))",
            "Fatal glibc error: malloc assertion failure in sysmalloc: (old_top == initial_top (av))"),
        Case(
            "libc-abort", "Scudo ERROR: invalid chunk state when deallocating address 0x7b4f2ade0010",
            "Scudo ERROR: invalid chunk state when deallocating address 0x7b4f2ade0010"),
    ]

    static let languages = [
        Case(
            "cpp-terminate", "std::out_of_range: map::at: no such currency",
            "terminate called after throwing an instance of 'std::out_of_range'\n  what():  map::at: no such currency"),
        Case(
            "cpp-terminate", "int: terminate called after throwing an instance of 'int'",
            "terminate called after throwing an instance of 'int'"),
        Case(
            "cpp-terminate", "terminate: called without an active exception",
            "terminate called without an active exception"),
        Case("cpp-terminate", "terminate: called recursively", "terminate called recursively"),
        Case("cpp-terminate", "pure virtual method called", "pure virtual method called"),
        Case(
            "cpp-terminate", "till::Error: closed: 7",
            "libc++abi: terminating due to uncaught exception of type till::Error: closed: 7"),
        Case("cpp-terminate", "terminate: terminating", "libc++abi: terminating"),
    ]

    static let assertions = [
        Case(
            "assertion", "tilld: Assertion failed: open && \"yes\" in void settle(const char*) at till.cpp:15",
            "./bin/tilld: src/till.cpp:15: void settle(const char*): Assertion `open && \"yes\"' failed."),
        Case(
            "assertion", "Assertion failed: open in settle at till.c:12",
            "Assertion failed: open (src/till.c: settle: 12)"),
        Case(
            "assertion", "Assertion failed: (open) in settle at till.c:12",
            "Assertion failed: (open), function settle, file till.c, line 12."),
        Case(
            "assertion", "Assertion failed: open in settle at till.c:12",
            "assertion \"open\" failed: file \"till.c\", line 12, function: settle"),
        Case(
            "assertion", "Assertion failed: (open) in till_settle at till.c:12",
            "**\nTill:ERROR:../src/till.c:12:till_settle: assertion failed: (open)"),
        Case(
            "assertion", "tilld[3144]: g_error: the ledger is closed", signal: "SIGTRAP",
            "(tilld:3144): Till-ERROR **: 08:21:39.114: the ledger is closed"),
        Case(
            "assertion", "Assertion failed: __n < size() in T& at(int) at stl_vector.h:1123",
            "/usr/include/c++/12/bits/stl_vector.h:1123: T& at(int): Assertion '__n < size()' failed."),
        Case(
            "assertion", "Assertion failed: __n < size() at vector:1415",
            "/usr/include/c++/v1/vector:1415: assertion __n < size() failed: vector[] index out of bounds"),
        Case(
            "assertion", "[3144]: Assertion failed: open at till.c:12",
            "TRAP: failed Assert(\"open\"), File: \"till.c\", Line: 12, PID: 3144"),
        Case("assertion", "Assertion failed: \"open\" at till.cpp:12", "ASSERT: \"open\" in file till.cpp, line 12"),
        Case(
            "fatal-log", "Check failed: open at till.cc:12",
            "F20260312 12:34:56.789012  1234 till.cc:12] Check failed: open"),
        Case(
            "fatal-log", "[1234]: Check failed: open. at till.cc:12",
            "[1234:5678:0312/123456.789:FATAL:till.cc(12)] Check failed: open."),
    ]

    @Test("old versions of glibc write the program and a stack")
    func oldReport() throws {
        let diagnosis = recognize(
            """
            *** Error in `./tilld': free(): invalid pointer: 0x0000000001e7b010 ***
            ======= Backtrace: =========
            /lib/x86_64-linux-gnu/libc.so.6(+0x777e5)[0x7f3c6ade224a]
            ./tilld(settle+0x1a)[0x400572]
            ./tilld[0x400590]
            ======= Memory map: ========
            00400000-00401000 r-xp 00000000 08:01 123 /srv/tilld
            """)
        #expect(diagnosis.summary == "tilld: free(): invalid pointer in settle")
        #expect(diagnosis.crash?.cause.address == 0x1e7b010)
        #expect(diagnosis.crash?.crashedThread?.frames.map(\.isOwn) == [false, true, true])
        #expect(diagnosis.signature != nil)
    }

    @Test("a shell's words are a crash only at the end, and only where nothing else is")
    func shellWords() {
        #expect(recognize("connected\nSegmentation fault (core dumped)\n").summary == "SIGSEGV: Segmentation fault")
        let script = recognize(
            "./run.sh: line 3:  5409 Aborted                 (core dumped) MODE=1 ./bin/tilld --port 80\n")
        #expect(script.summary == "tilld[5409]: SIGABRT: Aborted")
        #expect(
            recognize("zsh: segmentation fault (core dumped)  ./tilld -v\n").summary
                == "tilld: SIGSEGV: segmentation fault")
        #expect(recognize("make: *** [Makefile:3: check] Bus error (core dumped)\n").crash?.cause.signal == "SIGBUS")
        #expect(recognize("Killed\n").crash?.cause.signal == "SIGKILL")
        let earlier = recognize(
            "panic: closed\n\ngoroutine 1 [running]:\nmain.main()\n\t/a.go:1 +0x1\nAborted (core dumped)\n")
        #expect(earlier.format == "go-panic")
    }

    @Test(
        "text that only has the words is no crash",
        arguments: [
            "Segmentation fault\nis what the shell says then.\n", "Killed by the owner\n", "Aborted: no\n",
            "    double free or corruption (!prev)\n", "free(): see malloc(3)\n",
            "double free or corruption (a guide)\n",
            "terminate called after the end\n", "*** stack smashing detected *** is explained below\n",
            "  tilld: till.c:12: settle: Assertion `open' failed.\n", "Assertion failed: see the manual\n",
            "**\nnote\n",
            "(see:12): it\n", "(tilld:12): Till-CRITICAL **: 08:21:39.114: settle: assertion 'open' failed\n",
            "check.c:12: assertion a == b failed\n", "F0312 is a part number]\n", "libc++abi is a library\n",
            "```\nterminate called recursively\n```\n", "<html>\nterminate called recursively\n",
            "<?xml version=\"1.0\"?>\n<!DOCTYPE HTML>\nterminate called recursively\n", ".TH A 1\nKilled\n",
        ])
    func lookAlikes(text: String) {
        #expect(recognize(text).kind == .log)
    }
}
