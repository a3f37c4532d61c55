import DurableIO
import TestSupport
import Testing

@testable import CaptureRun

/// Which words on standard error are those that a program has died with.
@Suite("The last words of a program")
struct StderrReachTests {
    private static let handled = """
        Traceback (most recent call last):
          File "/srv/shop.py", line 4, in <module>
            raise ValueError("handled long ago")
        ValueError: handled long ago

        """
    private static let thrown = """
        Exception in thread "worker-1" java.lang.IllegalStateException: till is empty
        \tat shop.Till.open(Till.java:12)
        \tat java.base/java.lang.Thread.run(Thread.java:840)

        """
    private static let node = """
        /srv/shop.js:2
            throw new TypeError("till is empty")
            ^

        TypeError: till is empty
            at open (/srv/shop.js:2:11)
            at Object.<anonymous> (/srv/shop.js:5:1)
            at Module._compile (node:internal/modules/cjs/loader:1356:14)

        Node.js v20.11.0

        """

    private func excerpt(_ parts: String..., keeping count: Int = 64 << 10) -> StderrExcerpt {
        let window = StderrWindow(keptByteCount: count, file: nil)
        for part in parts { Array(part.utf8).withUnsafeBytes { window.add($0) } }
        return window.excerpt
    }

    private func log(_ byteCount: Int) -> String {
        String(repeating: "INFO request served, all is well, nothing to see here\n", count: byteCount / 54)
    }

    private func goroutines(_ count: Int) -> String {
        (2..<count + 2).map {
            """

            goroutine \($0) [chan receive]:
            main.wait(0xc000012120)
            \t/srv/shop/main.go:9 +0x1d
            created by main.main in goroutine 1
            \t/srv/shop/main.go:17 +0x2b

            """
        }.joined()
    }

    private func message(
        _ status: ProgramEnd.Status, _ excerpt: StderrExcerpt, on occasions: RunOptions.Occasions = [.crash, .file]
    ) throws -> (kinds: [String], message: String?, text: String?) {
        try withTemporaryDirectory { directory in
            var fixture = RunFixture(directory)
            fixture.options.occasions = occasions
            try fixture.run(status, stderr: excerpt)
            let drops = try fixture.drops()
            let crash = drops.first { $0.kind == "crash" && $0.payloadName?.hasPrefix("stderr-") == true }
            let mark = drops.first?.annotation("incident").map { "[incident \($0)]\n" } ?? ""
            #expect(crash?.text.hasPrefix(mark) ?? true)
            return (
                drops.compactMap(\.kind).sorted(), drops.first?.annotation("run.message"),
                crash.map { String($0.text.dropFirst(mark.count)) }
            )
        }
    }

    @Test("a runtime that ends by a fault may list all that it has loaded behind its words", arguments: [0, 64 << 10])
    func listings(kept: Int) throws {
        let fault = """
            shop.rb:3: [BUG] Segmentation fault at 0x0000000000005747
            ruby 3.1.2p20 (2022-04-12 revision 4491bb740a) [x86_64-linux-gnu]

            -- Control frame information -----------------------------------------------
            c:0002 p:0015 s:0006 e:000005 METHOD shop.rb:3 [FINISH]
            c:0001 p:0000 s:0003 E:002010 (none) [FINISH]

            -- Ruby level backtrace information ----------------------------------------
            shop.rb:3:in `settle'

            * Process memory map:


            """
        let line = "7feb666ab000-7feb666ad000 r--p 00031000 fe:00 332717              /usr/lib/ld-linux-x86-64.so.2"
        let map = String(repeating: line + "\n", count: 4_000)
        let kept = kept == 0 ? 1 << 20 : kept
        let told = try message(.signalled(6, dumpedCore: false), excerpt(fault, map, keeping: kept))
        #expect(told.message?.contains("Segmentation fault") == true, "\(told)")
        #expect(told.kinds.contains("crash"))
        #expect(told.text?.hasPrefix("shop.rb:3: [BUG]") == true)
    }

    @Test("the panic of a program in Go is, before 2.4 MB of its goroutines", arguments: [0, 64 << 10])
    func goroutines(kept: Int) throws {
        let panic = "panic: till is empty\n\ngoroutine 1 [running]:\nmain.main()\n\t/srv/shop/main.go:30 +0x1d\n"
        let told = try message(
            .exited(code: 2), excerpt(log(200_000), panic, goroutines(16_000), "exit status 2\n", keeping: kept))
        #expect(told.message == "panic: till is empty" && told.kinds == ["crash", "diagnostic"])
        #expect(told.text?.hasPrefix(panic) == true)
    }

    @Test("a traceback is, before a few lines of what ends with the program")
    func traceback() throws {
        for after in ["", "INFO bye\nsaved 3 orders\n", log(10_000)] {
            let told = try message(.exited(code: 1), excerpt(log(200_000), Self.handled, after))
            #expect(told.message == "ValueError: handled long ago" && told.kinds == ["crash", "diagnostic"])
        }
    }

    @Test("so is the last of many tracebacks, and the error of Node")
    func others() throws {
        let many = String(repeating: Self.handled, count: 1_000)
        #expect(try message(.exited(code: 1), excerpt(many)).message == "ValueError: handled long ago")
        #expect(try message(.exited(code: 1), excerpt(Self.node)).message == "TypeError: till is empty")
    }

    @Test(
        "an error of long ago is not, however the program ends",
        arguments: [
            (.exited(code: 1), nil), (.exited(code: 3), nil),
            (.signalled(11, dumpedCore: false), "ended by SIGSEGV"),
            (.signalled(9, dumpedCore: false), "killed by another process (SIGKILL)"),
            (.exited(code: 139), "exit status 139: probably SIGSEGV"),
        ] as [(ProgramEnd.Status, String?)])
    func longAgo(status: ProgramEnd.Status, expected: String?) throws {
        for text in [Self.handled, Self.thrown] {
            let told = try message(status, excerpt(text, log(1_300_000)))
            #expect(told.message == expected && told.text == nil)
            #expect(told.kinds == (expected == nil ? [] : ["crash"]))
        }
    }

    @Test("the head of such an error stays in the document, which says that it is not the crash")
    func material() throws {
        try withTemporaryDirectory { directory in
            let fixture = RunFixture(directory)
            try fixture.run(.signalled(11, dumpedCore: false), stderr: excerpt(Self.handled, log(1_300_000)))
            let document = try #require(try fixture.drops().first?.json)
            #expect(document["stderr"]?["head"]?.stringValue?.hasPrefix(Self.handled) == true)
            #expect(document["stderr"]?["crash"]?.stringValue == "none")
        }
    }

    @Test("an exception is not where the program was killed, also if it is the last that it wrote; a fault is")
    func killed() throws {
        let kill = ProgramEnd.Status.signalled(9, dumpedCore: false)
        for text in [Self.handled, Self.thrown] {
            let told = try message(kill, excerpt(log(50_000), text))
            #expect(told.message == "killed by another process (SIGKILL)" && told.kinds == ["crash"])
        }
        let fault = "main.swift:3: Fatal error: Index out of range\n\n*** Signal 5: Backtracing from 0x1..."
        #expect(try message(kill, excerpt(fault)).message == "main.swift:3: Fatal error: Index out of range")
    }

    @Test("nothing on it is where the program ended well, or was asked to end and has answered")
    func log() throws {
        let well = try message(.exited(code: 0), excerpt(Self.handled), on: [.any])
        #expect(well.kinds == ["diagnostic"] && well.message == "exit status 0")
        try withTemporaryDirectory { directory in
            var fixture = RunFixture(directory)
            fixture.options.occasions = [.any]
            let run = try fixture.make()
            run.note(fixture.start)
            _ = try run.conclude(
                fixture.end(.exited(code: 143), sinceRequest: 5_000), of: fixture.start, excerpt(Self.handled),
                memory: fixture.memory, fixture.options)
            #expect(try fixture.drops().map { $0.annotation("run.message") } == ["exit status 143"])
        }
    }
}
