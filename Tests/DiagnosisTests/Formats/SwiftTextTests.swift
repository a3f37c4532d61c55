import Diagnosis
import Testing

@Suite("Reports of Swift's backtracer as text")
struct SwiftTextTests {
    static let report = """
        *** Program crashed: Bad pointer dereference at 0x0000000000000018 ***

        Platform: x86_64 Linux (Debian GNU/Linux 12 (bookworm))

        Thread 0 "tilld":

          0  0x00007fcb66114545 clock_nanosleep@@GLIBC_2.17 + 101 in libc.so.6
        ...

        Thread 1 "payer" crashed:

          0 [inlined] [system] 0x0000559d6abd4940 specialized Array.subscript.getter in tilld at //<compiler-generated>
          1                    0x0000559d6abd494c closure #1 in Till.settle(_:) + 75 in tilld at /srv/till/Till.swift:14:44
          2 [ra] [thunk]       0x0000559d6abd4aa0 thunk for @escaping @callee_guaranteed () -> () in tilld at //<compiler-generated>
          3 [ra]               0x00007fcb66f795f9 Thread.main() + 24 in libFoundation.so
        ...

        Registers:

        rax 0x0000000200000003  8589934595

        Images (17 omitted):

        0x0000559d6abd2000–0x0000559d6abd5240 e0a2d612f4bc512e2f0bbea122f4a02f4c4e714c tilld            /srv/till/bin/tilld
        0x00007fcb66c00000–0x00007fcb670eeea8 <no build ID>                            libFoundation.so /opt/swift/usr/lib/swift/linux/libFoundation.so

        Backtrace took 0.01s

        """

    @Test("the crashed thread, the others, the images and the system are read")
    func wholeReport() throws {
        let diagnosis = recognize(Self.report)
        #expect(diagnosis.format == "swift-backtrace-text")
        #expect(diagnosis.kind == .crash)
        #expect(
            diagnosis.summary
                == "tilld: Bad pointer dereference in closure #1 in Till.settle(_:) + 75 at Till.swift:14:44")
        let crash = try #require(diagnosis.crash)
        #expect(crash.program == "tilld")
        #expect(
            crash.cause
                == Crash.Cause(type: "SIGSEGV", message: "Bad pointer dereference", signal: "SIGSEGV", address: 0x18))
        #expect(
            crash.system
                == Crash.System(
                    name: "Linux", version: "Debian GNU/Linux 12 (bookworm)", architecture: "x86_64"))
        #expect(crash.runtime?.name == "Swift")
        #expect(crash.threads.map(\.number) == [0, 1])
        let thread = try #require(crash.crashedThread)
        #expect(thread.name == "payer")
        #expect(thread.frames.map(\.isOwn) == [false, true, false, false])
        #expect(crash.place?.function == "closure #1 in Till.settle(_:)")
        #expect(crash.place?.column == 44)
        #expect(crash.place?.module == "/srv/till/bin/tilld")
        #expect(crash.place?.moduleOffset == 0x294c)
        #expect(crash.images.map(\.buildID) == ["e0a2d612f4bc512e2f0bbea122f4a02f4c4e714c", nil])
        #expect(crash.images.first?.endAddress == 0x559d_6abd_5240)
    }

    @Test("a failed check of the runtime is its own kind of fault, and traps differently on ARM")
    func runtimeFailure() throws {
        let text = "*** Swift runtime failure: arithmetic overflow ***\n\nPlatform: arm64 Linux (Ubuntu 24.04)\n"
        let crash = try #require(recognize(text).crash)
        #expect(crash.cause.type == "Swift runtime failure")
        #expect(crash.cause.message == "arithmetic overflow")
        #expect(crash.cause.signal == "SIGTRAP")
    }

    @Test("colours, left-out addresses and excerpts of the source are no hindrance")
    func friendlyPreset() throws {
        let escape = "\u{1b}"
        let diagnosis = recognize(
            """
            \u{1f4a3} \(escape)[91mProgram crashed: Illegal instruction at 0x00007f170ef6df7f\(escape)[39m

            Thread 0 "shopd" crashed:

              \(escape)[90m0\(escape)[39m \(escape)[96m_assertionFailure(_:_:file:line:flags:)\(escape)[39m in libswiftCore.so
              \(escape)[90m1\(escape)[39m \(escape)[96mpay()\(escape)[37m + 3\(escape)[39m in shopd at /a/main.swift:2:5

              \(escape)[90m   1\(escape)[39m│ func pay() {
              \(escape)[48;5;234m\(escape)[90m   2\(escape)[97m│     fatalError("in shopd at a.swift:1:1")
              \(escape)[90m    \(escape)[39m│     ▲
            """)
        #expect(diagnosis.summary == "shopd: Illegal instruction in pay() + 3 at main.swift:2:5")
        #expect(diagnosis.crash?.crashedThread?.frames.count == 2)
    }

    @Test("the payload's name tells the process, and the images the rest of a long name")
    func longName() {
        let text = """
            *** Program crashed: Aborted at 0x0000000000000ae1 ***

            Thread 0 "warehouse-servi" crashed:

              0 0x0000559d6abd494c run() + 7 in warehouse-service

            Images:

            0x0000559d6abd2000–0x0000559d6abd5240 e0a2 warehouse-service /srv/bin/warehouse-service
            """
        let named = recognize(text, name: "warehouse-servi-412-0.0.log")
        #expect(named.summary == "warehouse-service[412]: Aborted in run() + 7")
        #expect(named.crash?.process == 412)
        // The address of an abort is made of numbers of processes and users.
        #expect(named.crash?.cause.address == nil)
        #expect(recognize(text).crash?.program == "warehouse-service")
    }

    @Test("frames that were left out in the middle leave a mark, and those at the end none")
    func omittedFrames() throws {
        let frames = try #require(
            recognize(
                """
                *** Program crashed: Bad pointer dereference at 0x00007ffe44b8eff8 ***

                Thread 0 "s" crashed:

                   0 0x0000561287978949 settle(_:) + 136 in s at /srv/s.swift:4:10
                ...
                 921 0x00005612879794f0 run() + 31 in s at /srv/s.swift:15:30
                ...
                """
            ).crash?.crashedThread?.frames)
        #expect(frames.map(\.function) == ["settle(_:)", "<920 frames omitted>", "run()"])
        #expect(frames.map(\.omittedCount) == [nil, 920, nil])
    }

    @Test("a report that is cut in the middle gives what it has")
    func cut() throws {
        let text = Self.report.prefix(while: { $0 != "2" }) + ""
        let cut = String(Self.report.prefix(600))
        #expect(recognize(String(text)).format == "swift-backtrace-text")
        #expect(recognize(cut).crash?.crashedThread?.name == "payer")
    }

    @Test("two runs have one signature, and crashes elsewhere have another one")
    func signature() {
        let again = Self.report.replacing("0x0000559d6abd", with: "0x000056aa01cd").replacing(
            "0x00007fcb", with: "0x00007eee")
        let elsewhere = Self.report.replacing("Till.settle(_:)", with: "Till.close()")
        let signature = recognize(Self.report, name: "tilld-12-0.0.log").signature
        #expect(signature != nil)
        #expect(recognize(again, name: "tilld-977-0.0.log").signature == signature)
        #expect(recognize(elsewhere, name: "tilld-12-0.0.log").signature != signature)
    }

    @Test(
        "text with stars is no report",
        arguments: [
            "*** Signal received ***\n", "*** Program crashed ***\n", "  *** Program crashed: Aborted at 0x00 ***\n",
            "*** Swift runtime failures: an overview ***\n",
        ])
    func lookAlikes(text: String) {
        #expect(recognize(text).kind == .log)
    }
}
