import Diagnosis
import Testing

@Suite("Reports of sanitizers")
struct SanitizerTests {
    static let useAfterFree = """
        INFO: opening the ledger
        =================================================================
        ==6071==ERROR: AddressSanitizer: heap-use-after-free on address 0x7b1b4e1e0014 at pc 0x5629 bp 0x7ffc sp 0x7ffc
        READ of size 4 at 0x7b1b4e1e0014 thread T2
            #0 0x562967b6a06b in memcpy (/srv/till/bin/tilld+0x2706b) (BuildId: 9f0c11d2)
            #1 0x562967bac07c in till::settle(int) /srv/till/src/till.cpp:8:79
            #2 0x562967bacfb5 in main /srv/till/src/main.cpp:28:12
            #3 0x7fca43045249 in __libc_start_call_main csu/../sysdeps/nptl/libc_start_call_main.h:58:16
            #4 0x562967add40f in _start (/srv/till/bin/tilld+0x5a40f) (BuildId: 9f0c11d2)

        0x7b1b4e1e0014 is located 4 bytes inside of 16-byte region [0x7b1b4e1e0010,0x7b1b4e1e0020)
        freed by thread T0 here:
            #0 0x562967b69ac6 in free /build/llvm/compiler-rt/lib/asan/asan_malloc_linux.cpp:51:3
            #1 0x562967bac041 in till::close(int) /srv/till/src/till.cpp:8:69

        SUMMARY: AddressSanitizer: heap-use-after-free /srv/till/src/till.cpp:8:79 in till::settle(int)
        ==6071==ABORTING
        """

    @Test("the access, its stack and the process are read, and not who freed the memory")
    func addressSanitizer() throws {
        let diagnosis = recognize(Self.useAfterFree)
        #expect(diagnosis.format == "sanitizer")
        #expect(diagnosis.kind == .crash)
        #expect(
            diagnosis.summary
                == "tilld[6071] AddressSanitizer: heap-use-after-free in till::settle(int) at till.cpp:8")
        let crash = try #require(diagnosis.crash)
        #expect(
            crash.cause
                == Crash.Cause(
                    type: "heap-use-after-free", message: "READ of size 4 at 0x7b1b4e1e0014 thread T2",
                    address: 0x7b1b_4e1e_0014))
        #expect(crash.runtime?.name == "AddressSanitizer")
        #expect(crash.crashedThread?.number == 2)
        #expect(crash.crashedThread?.frames.map(\.isOwn) == [false, true, true, false, false])
        #expect(crash.crashedThread?.frames.first?.moduleOffset == 0x2706b)
        #expect(crash.images == [Crash.Image(path: "/srv/till/bin/tilld", buildID: "9f0c11d2")])
    }

    struct Title: Sendable, CustomTestStringConvertible {
        let line: String
        let type: String
        var signal: String?
        var kind: Diagnosis.Kind = .crash
        var testDescription: String { self.line }
    }

    @Test(
        "each kind of fault has its name",
        arguments: [
            Title(
                line: "==7==ERROR: AddressSanitizer: attempting double-free on 0x7b4f in thread T0:",
                type: "double-free"),
            Title(
                line:
                    "==7==ERROR: AddressSanitizer: attempting free on address which was not malloc()-ed: 0x7b in thread T0",
                type: "bad-free"),
            Title(
                line:
                    "==7==ERROR: AddressSanitizer: alloc-dealloc-mismatch (operator new [] vs operator delete) on 0x7b",
                type: "alloc-dealloc-mismatch"),
            Title(
                line: "==7==ERROR: AddressSanitizer: memcpy-param-overlap: memory ranges [1,2)",
                type: "memcpy-param-overlap"),
            Title(
                line: "==7==ERROR: AddressSanitizer: requested allocation size 0xff (0x800 after) exceeds maximum",
                type: "allocation-size-too-big"),
            Title(
                line: "==7==ERROR: AddressSanitizer: stack-overflow on address 0x7ffc (pc 0x55 bp 0x7f sp 0x7f T0)",
                type: "stack-overflow", signal: "SIGSEGV"),
            Title(
                line: "==7==ERROR: MemorySanitizer: SEGV on unknown address 0x000000000018 (pc 0x55 bp 0x7f T7)",
                type: "SEGV", signal: "SIGSEGV"),
            Title(
                line: "==7==ERROR: AddressSanitizer: ABRT on unknown address 0x1806 (pc 0x7f bp 0x7f sp 0x7f T0)",
                type: "ABRT", signal: "SIGABRT"),
            Title(
                line: "==7==WARNING: MemorySanitizer: use-of-uninitialized-value", type: "use-of-uninitialized-value"),
            Title(
                line: "==7==ERROR: HWAddressSanitizer: tag-mismatch on address 0x0042ffff0000 at pc 0x55",
                type: "tag-mismatch"),
            Title(line: "==7==ERROR: RealtimeSanitizer: unsafe-library-call", type: "unsafe-library-call"),
            Title(
                line: "==tilld==7==ERROR: LeakSanitizer: detected memory leaks", type: "detected memory leaks",
                kind: .diagnostic),
            Title(
                line: "WARNING: ThreadSanitizer: lock-order-inversion (potential deadlock) (pid=7)",
                type: "lock-order-inversion", kind: .diagnostic),
            Title(
                line: "==7==ERROR: ThreadSanitizer: SEGV on unknown address 0x000000000018 (pc 0x55 bp 0x7f T7)",
                type: "SEGV", signal: "SIGSEGV"),
        ])
    func titles(title: Title) throws {
        let diagnosis = recognize("\(title.line)\n    #0 0x55c0 in till::settle(int) /srv/till.cpp:8:79\n")
        let crash = try #require(diagnosis.crash)
        #expect(crash.cause.type == title.type)
        #expect(crash.cause.signal == title.signal)
        #expect(crash.process == 7)
        #expect(diagnosis.kind == title.kind)
        #expect(crash.place?.function == "till::settle(int)")
    }

    @Test("the thread sanitizer's stacks have their modules behind the place")
    func threadSanitizer() {
        let diagnosis = recognize(
            """
            ==================
            WARNING: ThreadSanitizer: data race (pid=6285)
              Write of size 4 at 0x7b0400000010 by thread T2 (mutexes: write M9):
                #0 memcpy <null> (stockd+0x5e686)
                #1 stock::take(int) /srv/stock/stock.cc:73:11 (stockd+0xd6a31) (BuildId: 5c1f0e)

              Previous read of size 4 at 0x7b0400000010 by thread T1:
                #0 stock::count() /srv/stock/stock.cc:61:10 (stockd+0xd68f0) (BuildId: 5c1f0e)

            SUMMARY: ThreadSanitizer: data race /srv/stock/stock.cc:73:11 in stock::take(int)
            """)
        #expect(diagnosis.kind == .diagnostic)
        #expect(diagnosis.summary == "stockd[6285] ThreadSanitizer: data race in stock::take(int) at stock.cc:73")
        #expect(diagnosis.crash?.cause.address == 0x7b04_0000_0010)
        #expect(diagnosis.crash?.crashedThread?.number == 2)
    }

    @Test("undefined behaviour is found with and without a stack, and a fault in the same capture counts more")
    func undefinedBehaviour() {
        let title = "/src/a.c:4:9: runtime error: division by zero\n"
        let plain = recognize("started\n" + title)
        #expect(plain.kind == .diagnostic)
        #expect(plain.summary == "UndefinedBehaviorSanitizer: division by zero at a.c:4")
        let withStack = recognize(title + "    #0 0x55 in settle /src/a.c:4:9 (tilld+0x12)\n")
        #expect(withStack.summary == "tilld UndefinedBehaviorSanitizer: division by zero in settle at a.c:4")
        #expect(recognize(title + Self.useAfterFree + "\n" + title).crash?.cause.type == "heap-use-after-free")
    }

    @Test("guarded allocations have a title without a fault")
    func guardedAllocation() {
        let diagnosis = recognize(
            """
            *** GWP-ASan detected a memory error ***
            Use After Free at 0x7feccab26000 (0 bytes into a 41-byte allocation at 0x7feccab26000) by thread 31027 here:
              #0 /lib/x86_64-linux-gnu/libc.so.6(+0x3c04f) [0x7fecc0001000]
              #1 ./tilld(settle+0x45) [0x55585c0afa55]

            0x7feccab26000 was deallocated by thread 31027 here:
              #0 ./tilld(close+0x2a) [0x55585c0af12a]
            """)
        #expect(diagnosis.summary == "tilld GWP-ASan: Use After Free in settle")
        #expect(diagnosis.crash?.cause.address == 0x7fec_cab2_6000)
        #expect(diagnosis.crash?.crashedThread?.frames.count == 2)
    }

    @Test("the last line of a report is enough where the first one is lost")
    func summaryAlone() throws {
        let end = try #require(Self.useAfterFree.firstRange(of: "SUMMARY"))
        let diagnosis = recognize("[0x7b1b4e1e0010,0x7b1b4e1e0020)\n" + Self.useAfterFree[end.lowerBound...])
        #expect(diagnosis.summary == "AddressSanitizer: heap-use-after-free in till::settle(int) at till.cpp:8")
        #expect(diagnosis.kind == .crash)
    }

    @Test("a sanitizer that dies in its own report has at least met a signal")
    func unfinished() {
        let title = "AddressSanitizer:DEADLYSIGNAL\n"
        let diagnosis = recognize(title + "AddressSanitizer: nested bug in the same thread, aborting.\n")
        #expect(diagnosis.kind == .crash)
        #expect(diagnosis.summary == "AddressSanitizer: DEADLYSIGNAL")
        #expect(recognize(title + Self.useAfterFree).crash?.cause.type == "heap-use-after-free")
    }

    @Test("a fuzzer's time-out is a hang, and its other ends are crashes")
    func libFuzzer() {
        let stack = """
                #0 0x52f1a1 in __sanitizer_print_stack_trace (/srv/fuzz/parse_fuzzer+0x52f1a1)
                #1 0x4784f8 in fuzzer::PrintStackTrace() (/srv/fuzz/parse_fuzzer+0x4784f8)
                #2 0x55a8d2 in skip_blanks /srv/shop/src/header.c:17:12
                #3 0x55a9f0 in LLVMFuzzerTestOneInput /srv/fuzz/parse_fuzzer.cc:9:3
            """
        let timeout = recognize("#512 pulse\n==27500== ERROR: libFuzzer: timeout after 25 seconds\n\(stack)\n")
        #expect(timeout.format == "libfuzzer")
        #expect(timeout.kind == .hang)
        #expect(
            timeout.summary == "parse_fuzzer[27500] libFuzzer: timeout after 25 seconds in skip_blanks at header.c:17")
        let signal = recognize("==7== ERROR: libFuzzer: deadly signal\n\(stack)\n")
        #expect(signal.kind == .crash)
        #expect(signal.crash?.cause.type == "deadly signal")
        let assertion = "fuzz: src/header.c:17: skip_blanks: Assertion `depth < 9' failed.\n"
        let reason = recognize(assertion + "==7== ERROR: libFuzzer: deadly signal\n\(stack)\n").crash?.cause.message
        #expect(reason == "Assertion failed: depth < 9")
        let memory = recognize(
            "==7== ERROR: libFuzzer: out-of-memory (used: 1821Mb; limit: 200Mb)\n   To change\n\nLive Heap:\n\(stack)\n"
        )
        #expect(memory.crash?.cause.type == "out-of-memory")
        // Those are allocations, and no thread has failed in them.
        #expect(memory.crash?.threads.isEmpty == true)
    }

    @Test("two runs have one signature, even without symbols")
    func signature() {
        let again = Self.useAfterFree.replacing("6071", with: "12").replacing("0x5629", with: "0x55aa")
        #expect(recognize(Self.useAfterFree).signature != nil)
        #expect(recognize(again).signature == recognize(Self.useAfterFree).signature)
        let other = Self.useAfterFree.replacing("settle", with: "refund")
        #expect(recognize(other).signature != recognize(Self.useAfterFree).signature)
        let bare =
            "==7==ERROR: AddressSanitizer: stack-overflow on address 0x7f\n    #0 0x55f2  (/srv/bin/tilld+0x127f98)\n"
        #expect(recognize(bare).signature?.text.hasSuffix("tilld+0x127f98") == true)
        #expect(recognize(bare.replacing("0x55f2", with: "0x5612")).signature == recognize(bare).signature)
    }

    @Test(
        "text that only talks of sanitizers is no crash",
        arguments: [
            "==7==ERROR: AddressSanitizer: heap-buffer-overflow on address 0x1 at pc 0x2 bp 0x3 sp 0x4\nis the first line.\n",
            "ERROR: AddressSanitizer: heap-buffer-overflow\n    #0 0x1 in main a.c:1\n", "==================\n",
            "a.go:4: runtime error: division by zero\n", "  a.c:4:9: runtime error: division by zero\n",
            "== ERROR: libFuzzer: timeout ==\n", "WARNING: ThreadSanitizer: data race reports are listed below\n",
        ])
    func lookAlikes(text: String) {
        #expect(recognize(text).kind == .log)
    }

    @Test("memory without a file is not the program")
    func anonymousModule() {
        let diagnosis = recognize(
            """
            ==9709==ERROR: LeakSanitizer: detected memory leaks

            Direct leak of 77 byte(s) in 1 object(s) allocated from:
                #0 0x7f1c in __interceptor_malloc ../../../../src/libsanitizer/asan/asan_malloc_linux.cpp:69
                #1 0x5594 in main /srv/till.cpp:20
                #2 0x7ffe  ([stack]+0x1e0ff)

            SUMMARY: AddressSanitizer: 77 byte(s) leaked in 1 allocation(s).
            """)
        #expect(diagnosis.summary == "[9709] LeakSanitizer: detected memory leaks in main at till.cpp:20")
    }

    @Test("behind a point that no program reaches there is nothing to go on with")
    func unreachable() {
        let text = "/srv/till.cpp:43:3: runtime error: execution reached an unreachable program point\n"
        #expect(recognize(text).kind == .crash)
        #expect(recognize("/srv/till.cpp:43:3: runtime error: shift exponent 42 is too large\n").kind == .diagnostic)
    }

    @Test("libFuzzer shows the stack of a single allocation that is too large behind a hint")
    func allocationTooLarge() {
        let diagnosis = recognize(
            """
            ==77== ERROR: libFuzzer: out-of-memory (malloc(4294967296))
               To change the out-of-memory limit use -rss_limit_mb=<N>

                #0 0x55 in __sanitizer_print_stack_trace
                #1 0x57 in grow(int) /srv/till.cc:9:3
            SUMMARY: libFuzzer: out-of-memory
            """)
        #expect(diagnosis.summary.hasSuffix(" in grow(int) at till.cc:9"))
    }
}
