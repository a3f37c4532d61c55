import Diagnosis
import Testing

@Suite("Stacks that programs write of themselves")
struct SignalStackTests {
    @Test("glog tells the time, the process and the address of a fault")
    func googleLog() throws {
        let diagnosis = recognize(
            """
            *** Aborted at 1764321840 (unix time) try "date -d @1764321840" if you are using GNU date ***
            PC: @     0x55d1c2a1f3b4 till::settle()
            *** SIGSEGV (@0x18) received by PID 3144 (TID 0x7f0c6f3c7740) from PID 24; stack trace: ***
                @     0x7f3c6ade224a (unknown)
                @     0x55d1c2a1f3b4 till::settle()
                @     0x55d1c2a1f910 main
            Segmentation fault (core dumped)
            """)
        #expect(diagnosis.format == "signal-stack")
        #expect(diagnosis.summary == "[3144]: SIGSEGV in till::settle()")
        let crash = try #require(diagnosis.crash)
        #expect(crash.cause.address == 0x18)
        #expect(crash.occurredAt == 1_764_321_840_000)
        #expect(crash.crashedThread?.frames.map(\.isOwn) == [false, true, true])
    }

    @Test("the message before an abort is its cause")
    func abort() {
        let diagnosis = recognize(
            """
            F20260312 12:34:56.789012  1234 till.cc:12] Check failed: open
            *** Check failure stack trace: ***
                @     0x7f3c6ade224a  google::LogMessage::Fail()
                @     0x55d1c2a1f3b4  till::settle()
            *** SIGABRT received at time=1764321840 on cpu 3 ***
            PC: @     0x7f3c6ade224a  (unknown)  pthread_kill
                @     0x55d1c2a20000        128  absl::WriteFailureInfo()
                @     0x55d1c2a1f3b4         64  till::settle()
                @ ... and at least 3 more frames
            """)
        #expect(diagnosis.summary == "Check failed: open in till::settle()")
        #expect(diagnosis.crash?.cause.signal == "SIGABRT")
        #expect(diagnosis.crash?.occurredAt == 1_764_321_840_000)
    }

    @Test("a check that failed has its stack below it")
    func check() {
        let diagnosis = recognize(
            """
            [1234:5678:0312/123456.789:FATAL:till.cc(12)] Check failed: open.
            #0 0x55d9a40012f4 base::debug::CollectStackTrace()
            #1 0x55d9a3f0a112 logging::LogMessage::~LogMessage()
            #2 0x55d9a1200100 till::Settle()
            """)
        #expect(diagnosis.format == "fatal-log")
        #expect(diagnosis.summary == "[1234]: Check failed: open. in till::Settle()")
        let goroutine = recognize(
            """
            F0312 12:34:56.789012       1 main.go:12] cannot listen: address in use
            goroutine 1 [running]:
            main.main()
            \t/src/main.go:12 +0x30
            """)
        #expect(goroutine.summary == "FATAL: cannot listen: address in use in main.main at main.go:12")
    }

    @Test(
        "any handler's stack below the name of a signal counts",
        arguments: [
            (
                "Error: signal 11:\n./tilld(handler+0x19)[0x400911]\n/lib/x86_64-linux-gnu/libc.so.6(+0x3c04f)[0x7f3c]\n"
                    + "./tilld(settle+0x1a) [0x400572]\n./tilld(main+0x2)[0x400590]", "tilld: SIGSEGV in settle"
            ),
            (
                "1:M 12 Mar 2026 12:00:00.000 # Redis 7.0.0 crashed by signal: 11, si_code: 1\n\n------ STACK TRACE ------\n"
                    + "EIP:\n/usr/bin/redis-server *:6379(debugCommand+0x1)[0x55d1]\n/usr/bin/redis-server *:6379(main+0x2)[0x55d2]",
                "redis-server: SIGSEGV in debugCommand"
            ),
            (
                "Caught fatal signal - signo:11 code:1 errno:0 addr:0x18\nObtained 2 stack frames.\n"
                    + "#0  0x7f3c6ade224a in funlockfile\n#1  0x55d1c2a1f3b4 in settle", "SIGSEGV in settle"
            ),
            (
                "Received signal 11 SEGV_MAPERR 000000000018\n#0 0x55d9a40012f4 base::debug::CollectStackTrace()\n"
                    + "#1 0x7f3c6ade224a <unknown>\n#2 0x55d9a1200100 till::Settle()\n[end of stack trace]",
                "SIGSEGV in till::Settle()"
            ),
            (
                "Program received signal SIGFPE: Floating-point exception - erroneous arithmetic operation.\n\n"
                    + "Backtrace for this error:\n#0  0x7f3c6ade224a in ???\n#1  0x55d1c2a1f3b4 in settle_\n"
                    + "\tat /srv/till.f90:12\n#2  0x55d1c2a1f910 in main", "SIGFPE in settle_ at till.f90:12"
            ),
            (
                "Caught SIGSEGV\n 0# handler(int) at src/main.cpp:6\n 1# 0x00007F3C6ADE224A in /lib/x86_64-linux-gnu/libc.so.6\n"
                    + " 2# settle(int) at src/till.cpp:12\n 3# main in ./tilld",
                "tilld: SIGSEGV in settle(int) at till.cpp:12"
            ),
            (
                "Stack trace (most recent call last) in thread 3144:\n#2    Object \"/srv/tilld\", at 0x55d1c2a1f910, in main\n"
                    + "#1    Source \"/srv/till.cc\", line 12, in settle(int) [0x55d1c2a1f3b4]\n        11: int *total;\n"
                    + "Segmentation fault (Address not mapped to object [0x18])",
                "tilld: SIGSEGV in settle(int) at till.cc:12"
            ),
        ])
    func handlers(text: String, summary: String) {
        let diagnosis = recognize("listening\n\(text)\n")
        #expect(diagnosis.format == "signal-stack")
        #expect(diagnosis.summary == summary)
        #expect(diagnosis.kind == .crash)
        #expect(diagnosis.signature != nil)
        let prefixed = "listening\n\(text)\n".split(separator: "\n").map { "Nov 28 08:21:40 edge-3 tilld[3144]: \($0)" }
        #expect(recognize(prefixed.joined(separator: "\n")).format == "signal-stack")
    }

    @Test("two runs have one signature, other functions another one")
    func signature() {
        let text = "Caught signal 7\n./tilld(settle+0x1a) [0x400572]\n./tilld(main+0x2) [0x400590]\n"
        #expect(recognize(text).signature != nil)
        #expect(recognize(text.replacing("0x4005", with: "0x7705")).signature == recognize(text).signature)
        #expect(recognize(text.replacing("settle", with: "refund")).signature != recognize(text).signature)
    }

    @Test(
        "a stack without a signal, or a signal without a stack, is no crash",
        arguments: [
            "stack of the caller:\n./tilld(settle+0x1a) [0x400572]\n./tilld(main+0x2) [0x400590]\n",
            "Caught signal 11\nand went on\n",
            "Caught signal 15\n./tilld(main+0x2) [0x400590]\n./tilld(_start) [0x400400]\n",
            "[0x1]\n[0x2]\n", "    @ home\n", "Stack trace (most recent call last):\n#1 in main\nnone\n",
        ])
    func lookAlikes(text: String) {
        #expect(recognize(text).kind == .log)
    }
}
