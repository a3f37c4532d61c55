import Diagnosis
import TestSupport
import Testing

/// What a crash holds for those who look for symbols: registers, the kinds of addresses, the names for the linker.
@Suite("details of a crash")
struct CrashDetailTests {
    private func registers(_ diagnosis: Diagnosis) -> [String: UInt64] {
        let thread = diagnosis.crash?.threads.first(where: \.isCrashed)
        return Dictionary((thread?.registers ?? []).map { ($0.name, $0.value) }) { first, _ in first }
    }

    @Test(
        "the registers of the crashed thread",
        arguments: [
            ("shopd-2740-0.0.json", 21, "rip", 0x0000_7f38_0faf_9361), ("shopd-2749-0.0.log", 19, "rdx", 2),
            ("core", 27, "eflags", 0x1_0206), ("hs_err_pid2940.log", 21, "rip", 0x0000_7f72_2a0d_27f4),
            ("xctest2-2022-04-20-143633.ips", 31, "x0", 5_326_820_104),
        ] as [(String, Int, String, UInt64)])
    func registers(file: String, count: Int, name: String, value: UInt64) throws {
        let found = registers(recognize(try CorpusFile.bytes(of: file), name: file))
        #expect(found.count >= count)
        #expect(found[name] == value)
    }

    @Test("no other thread has registers")
    func otherThreads() throws {
        for file in CorpusFile.all {
            let threads = recognize(file.bytes, name: file.name).crash?.threads ?? []
            #expect(threads.allSatisfy { $0.isCrashed || $0.registers.isEmpty })
        }
    }

    @Test(
        "registers are read in each form of text",
        arguments: [
            """
            Process:             Shop [2290]
            Exception Type:  EXC_BREAKPOINT (SIGTRAP)
            Triggered by Thread:  0

            Thread 0 Crashed:
            0   Shop        0x0000000104c1d7a8 Shelf.restock(_:) + 120744 (Shelf.swift:52)

            Thread 0 crashed with ARM Thread State (64-bit):
                x0: 0x0000000000000007   x1: 0x000000010a8e3c20
                x2: 0x0000000000000000

            """,
            """
            pid: 3144, tid: 3160, name: RenderThread  >>> com.example.shop <<<
            signal 11 (SIGSEGV), code 1 (SEGV_MAPERR), fault addr 0x0000000000000028
                x0  0000000000000007  x1  000000010a8e3c20  x2  0000000000000000

            backtrace:
                  #00 pc 000000000004c2d8  /data/app/libshop.so (till_open(Till*)+24)

            """,
            """
            { "crash": {"error": {"type": "signal", "signal": {"name": "SIGSEGV"}}, "threads": [{"crashed": true, \
            "index": 0, "registers": {"basic": {"x0": 7, "x1": 4472060960, "x2": 0}}}]}, "binary_images": [] }
            """,
        ])
    func forms(text: String) {
        #expect(registers(recognize(text)) == ["x0": 7, "x1": 0x1_0a8e_3c20, "x2": 0])
    }

    @Test("words that are no registers are none")
    func noRegisters() {
        for line in ["tid: 3160, name: x", "x0", "x0 12", "x0 xyz", "0x12 0x13", "uid: 10234", "averylongname 0x1"] {
            let text = """
                pid: 3144, tid: 3160, name: RenderThread  >>> com.example.shop <<<
                signal 11 (SIGSEGV), code 1 (SEGV_MAPERR), fault addr 0x28
                \(line)
                backtrace:
                      #00 pc 000000000004c2d8  /data/app/libshop.so (till_open(Till*)+24)

                """
            #expect(registers(recognize(text)).isEmpty, "\(line)")
        }
    }

    @Test("Swift's frames tell what their addresses are, and have a name for the linker")
    func swiftFrames() throws {
        for file in ["shopd-2740-0.0.json", "shopd-2749-0.0.log"] {
            let crash = try #require(recognize(CorpusFile.bytes(of: file), name: file).crash)
            let frames = try #require(crash.crashedThread?.frames)
            #expect(frames[0].isReturnAddress == false)
            #expect(frames[1].isReturnAddress == true)
            #expect(frames.contains { $0.symbolAddress != nil })
            #expect(frames.allSatisfy { $0.symbolAddress ?? 0 <= $0.address ?? .max })
            #expect(frames.contains { $0.symbol?.hasPrefix("$s") == true } == file.hasSuffix(".json"))
        }
    }

    @Test("the functions of Swift's frames begin where compilers put functions: at multiples of 16")
    func swiftFunctions() throws {
        for file in ["shopd-2740-0.0.json", "shopd-2756-0.0.json", "shopd-2749-0.0.log"] {
            let crash = try #require(recognize(CorpusFile.bytes(of: file), name: file).crash)
            let frames = crash.threads.flatMap(\.frames).filter { $0.symbolAddress != nil }
            #expect(frames.contains { $0.isReturnAddress == true }, "\(file)")
            #expect(frames.contains { $0.isReturnAddress == false }, "\(file)")
            #expect(frames.allSatisfy { ($0.symbolAddress ?? 1) % 16 == 0 }, "\(file)")
        }
        let thread = recognize(
            """
            *** Program crashed: Bad pointer dereference at 0x0000000000000010 ***

            Thread 0 "s" crashed:

              0      0x0000000000000008 settle(_:) + 8 in s
              1 [ra] 0x0000000000000008 run() + 8 in s
              2 [ra] 0x0000000000000000 main + 0 in s
            """
        ).crash?.crashedThread
        #expect(thread?.frames.map(\.symbolAddress) == [0, nil, nil])
    }

    @Test("the addresses of checkers lie within the calls")
    func checkers() throws {
        for file in ["asan.log.3103", "vg.3107.xml"] {
            let crash = try #require(recognize(CorpusFile.bytes(of: file), name: file).crash)
            #expect(crash.crashedThread?.frames.isEmpty == false)
            #expect(crash.crashedThread?.frames.allSatisfy { $0.isReturnAddress == false } == true)
        }
    }

    @Test("each cause of a Java exception has the stack on which it was raised")
    func javaCauses() {
        let crash = recognize(
            """
            Exception in thread "main" com.shop.TillException: closed
            \tat com.shop.Ledger.post(Ledger.java:88)
            \tSuppressed: java.io.IOException: stream
            \t\tat com.shop.Other.close(Other.java:1)
            Caused by: java.lang.IllegalStateException: no drawer
            \tat com.shop.Drawer.kick(Drawer.java:9)
            \t... 1 more
            Caused by: java.lang.Error
            \tat com.shop.Port.open(Port.java:3)

            """
        ).crash
        #expect(crash?.cause.frames.isEmpty == true)
        let functions = crash?.earlierCauses.map { $0.frames.map(\.function) }
        #expect(functions == [["com.shop.Drawer.kick"], ["com.shop.Port.open"]])
    }

    @Test("what is new in a crash keeps to the bounds")
    func bounds() throws {
        let registers = (0..<90).map { "r\($0) 0x\(String($0, radix: 16))" }.joined(separator: "\n")
        let source = String(repeating: "x", count: 5_000)
        let swift = """
            *** Program crashed: Bad pointer dereference at 0x18 ***

            Thread 0 "shopd" crashed:

              0 0x00007fcb66114545 f() + 101 in shopd

            Registers:

            \(registers)

            """
        #expect(recognize(swift).crash?.threads[0].registers.count == Crash.Bounds.registerCount)
        let frame = "  File \"/srv/till.py\", line 19, in lookup\n    \(source)\n"
        let chain = (0..<20).map { index in
            "Traceback (most recent call last):\n" + String(repeating: frame, count: index == 0 ? 300 : 1)
                + "KeyError: \(index)\n"
        }.joined(separator: "\nDuring handling of the above exception, another exception occurred:\n\n")
        let crash = try #require(recognize(chain).crash)
        #expect(crash.earlierCauses.count == Crash.Bounds.earlierCauseCount)
        #expect(crash.earlierCauses.allSatisfy { $0.frames.count <= Crash.Bounds.frameCount })
        #expect(crash.earlierCauses[0].frames[0].sourceLine?.utf8.count == Crash.Bounds.textByteCount)
    }
}
