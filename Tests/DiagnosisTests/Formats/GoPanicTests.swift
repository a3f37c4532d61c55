import Diagnosis
import Testing

@Suite("Panics and dumps of Go programs")
struct GoPanicTests {
    static let panic = """
        {"level":"info","msg":"registry loaded","devices":40}
        panic: runtime error: invalid memory address or nil pointer dereference
        [signal SIGSEGV: segmentation violation code=0x1 addr=0x18 pc=0x4a2f3d]

        goroutine 91 [running]:
        main.(*hub).publish(0xc00012c000, {0x5bd0e0, 0x1f})
        \t/src/pusherd/hub.go:58 +0x9a
        github.com/acme/queue.(*Worker[...]).run(0xc0000a4000?)
        \t/root/go/pkg/mod/github.com/acme/queue@v1.4.0/worker.go:71 +0x1ec
        created by main.main in goroutine 1
        \t/src/pusherd/main.go:22 +0xe5

        goroutine 1 [semacquire, 5 minutes]:
        sync.runtime_Semacquire(0xc0000140a8?)
        \t/usr/local/go/src/runtime/sema.go:62 +0x25
        main.main()
        \t/src/pusherd/main.go:30 +0x12a
        exit status 2
        """

    @Test("a panic has its value, its signal and all goroutines")
    func panicWithSignal() throws {
        let diagnosis = recognize(Self.panic)
        #expect(diagnosis.format == "go-panic")
        #expect(diagnosis.kind == .crash)
        #expect(
            diagnosis.summary
                == "go: panic: runtime error: invalid memory address or nil pointer dereference"
                + " in main.(*hub).publish at hub.go:58")
        let crash = try #require(diagnosis.crash)
        #expect(crash.cause.signal == "SIGSEGV")
        #expect(crash.cause.code == "SEGV_MAPERR")
        #expect(crash.cause.address == 0x18)
        #expect(crash.threads.map(\.number) == [91, 1])
        #expect(crash.threads.map(\.isCrashed) == [true, false])
        let frames = try #require(crash.crashedThread?.frames)
        #expect(frames.map(\.isOwn) == [true, false, true])
        #expect(frames[1].function == "github.com/acme/queue.(*Worker[...]).run")
        #expect(frames[1].module == "github.com/acme/queue")
        #expect(crash.threads[1].frames.map(\.isOwn) == [false, true])
    }

    @Test(
        "each kind of end is told by its own words",
        arguments: [
            ("panic: main.ledgerError{Code:7}", "panic", "main.ledgerError{Code:7}"),
            ("panic: (main.money) {0x45e0a0, 0xc42000e1e0}", "panic", "(main.money) {0x45e0a0, 0xc42000e1e0}"),
            ("panic: boom [recovered]\n\tpanic: boom", "panic", "boom\n\tpanic: boom"),
            ("panic: one\ntwo", "panic", "one\ntwo"),
            (
                "fatal error: all goroutines are asleep - deadlock!", "fatal error",
                "all goroutines are asleep - deadlock!"
            ),
            ("fatal error: concurrent map writes", "fatal error", "concurrent map writes"),
            (
                "fatal error: runtime: out of memory\n\nruntime stack:\nruntime.throw({0x4, 0x16})\n\t/usr/local/go/src/runtime/panic.go:1047 +0x5d",
                "fatal error", "runtime: out of memory"
            ),
            (
                "runtime: goroutine stack exceeds 1000000000-byte limit\nfatal error: stack overflow", "fatal error",
                "stack overflow"
            ),
        ])
    func kinds(text: String, type: String, message: String) {
        let diagnosis = recognize("\(text)\n\ngoroutine 1 [running]:\nmain.main()\n\t/src/main.go:5 +0x30\n")
        #expect(diagnosis.crash?.cause == Crash.Cause(type: type, message: message))
        #expect(diagnosis.crash?.place?.function == "main.main")
    }

    @Test("a dump that somebody asked for is a hang, and a signal in foreign code a crash")
    func signals() {
        let stack = "PC=0x46b1a1 m=0 sigcode=0\n\ngoroutine 1 [IO wait]:\nmain.main()\n\t/src/main.go:5 +0x30\n"
        let quit = recognize("SIGQUIT: quit\n" + stack)
        #expect(quit.kind == .hang)
        #expect(quit.crash?.threads.contains(where: \.isCrashed) == false)
        #expect(recognize("SIGABRT: abort\n" + stack).kind == .hang)
        // A library that aborts sends the signal to itself.
        let own = stack.replacing("sigcode=0", with: "sigcode=18446744073709551610")
        let abort = recognize("free(): invalid pointer\nSIGABRT: abort\n" + own)
        #expect(abort.format == "go-panic")
        #expect(abort.crash?.cause.type == "free(): invalid pointer")
        let foreign = recognize("SIGSEGV: segmentation violation\n" + stack)
        #expect(foreign.kind == .crash)
        #expect(foreign.crash?.cause.signal == "SIGSEGV")
    }

    @Test("a panic that a server recovered from is no crash")
    func servedPanic() {
        let diagnosis = recognize(
            """
            2026/11/28 08:21:39 http: panic serving 10.0.0.7:52144: runtime error: index out of range [3] with length 3
            goroutine 35 [running]:
            net/http.(*conn).serve.func1()
            \t/usr/local/go/src/net/http/server.go:1868 +0xb9
            panic({0x6a1e20?, 0xc00001e0a8?})
            \t/usr/local/go/src/runtime/panic.go:920 +0x270
            shop/internal/cart.Total(...)
            \t/src/shop/internal/cart/cart.go:14
            """)
        #expect(diagnosis.kind == .diagnostic)
        #expect(
            diagnosis.summary
                == "go: panic: runtime error: index out of range [3] with length 3 in shop/internal/cart.Total at cart.go:14"
        )
    }

    @Test("with GOTRACEBACK=crash the headers and places have more words")
    func moreWords() {
        let diagnosis = recognize(
            """
            panic: closed

            goroutine 1 gp=0xc0000061c0 m=0 mp=0x5b5e00 [running, locked to thread]:
            panic({0x46a3c0?, 0x4b9f30?})
            \t/usr/local/go/src/runtime/panic.go:1017 +0x270 fp=0xc00006eed8 sp=0xc00006ee28 pc=0x43a1b0
            main.settle(...)
            \t/src/main.go:9 fp=0xc00006eef8 sp=0xc00006eed8 pc=0x466f25
            """)
        #expect(diagnosis.crash?.crashedThread?.frames.last?.line == 9)
        #expect(diagnosis.crash?.crashedThread?.frames.last?.address == 0x466f25)
    }

    @Test("a syslog prefix names the program, and lost empty lines do not matter")
    func behindSyslog() {
        let logged = Self.panic.split(separator: "\n").map { "Nov 28 08:21:40 edge-3 pusherd[3144]: \($0)" }
        let diagnosis = recognize(logged.joined(separator: "\n"))
        #expect(diagnosis.summary.hasPrefix("pusherd[3144]: panic: runtime error: invalid memory address"))
        #expect(diagnosis.crash?.threads.count == 2)
        let escaped = logged.joined(separator: "\n").replacing("\t", with: "#011")
        #expect(recognize(escaped).crash == diagnosis.crash)
    }

    @Test("two runs have one signature, other functions another one")
    func signature() {
        let again = Self.panic.replacing("0xc000", with: "0xc123").replacing("goroutine 91", with: "goroutine 17")
        let other = Self.panic.replacing("publish", with: "revoke")
        #expect(recognize(Self.panic).signature != nil)
        #expect(recognize(again).signature == recognize(Self.panic).signature)
        #expect(recognize(other).signature != recognize(Self.panic).signature)
    }

    @Test("a data race is a finding with the place of the access")
    func dataRace() {
        let diagnosis = recognize(
            """
            ==================
            WARNING: DATA RACE
            Write at 0x00c0000b4010 by goroutine 7:
              main.(*ledger).post()
                  /srv/shop/ledger.go:31 +0x3c

            Previous read at 0x00c0000b4010 by goroutine 6:
              main.main()
                  /srv/shop/main.go:12 +0x84
            ==================
            """)
        #expect(diagnosis.format == "go-race")
        #expect(diagnosis.kind == .diagnostic)
        #expect(diagnosis.summary == "go: data race in main.(*ledger).post at ledger.go:31")
        #expect(diagnosis.crash?.cause.address == 0xc0_000b_4010)
    }

    @Test(
        "text that only talks of panics is no crash",
        arguments: [
            "panic: no\n", "started\npanic: no\nand on it goes\n", "fatal error: a.h: No such file or directory\n",
            "    panic: boom\n\n    goroutine 1 [running]:\n    main.main()\n", "goroutine 1 [running]:\n",
            "SIGQUIT: quit\nis sent by Control-Backslash\n",
            "# Panics\n```\npanic: boom\n\ngoroutine 1 [running]:\nmain.main()\n```\n",
        ])
    func lookAlikes(text: String) {
        #expect(recognize(text).kind == .log)
    }
}
