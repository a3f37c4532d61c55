import Diagnosis
import Testing

@Suite("Crashes of Java virtual machines of the HotSpot family")
struct HotSpotTests {
    private func title(process: Int = 7_536) -> String {
        """
        #
        # A fatal error has been detected by the Java Runtime Environment:
        #
        #  SIGSEGV (0xb) at pc=0x00007fe256181105, pid=\(process), tid=\(process + 1)
        #
        # JRE version: OpenJDK Runtime Environment (17.0.15+6) (build 17.0.15+6-Debian-1deb12u1)
        # Java VM: OpenJDK 64-Bit Server VM (17.0.15+6-Debian-1deb12u1, mixed mode, sharing, g1 gc, linux-amd64)
        # Problematic frame:
        # C  [libtill.so+0x1105]  till_touch+0xc
        #
        # No core dump will be written. Core dumps have been disabled.
        #

        """
    }

    private func file(process: Int = 7_536, method: String = "open") -> String {
        self.title(process: process) + """
            ---------------  S U M M A R Y ------------

            Command Line: -Dpassword=secret com.shop.Till

            Host: AMD EPYC, 2 cores, 23G, Debian GNU/Linux 12 (bookworm)
            Time: Sun Nov  8 04:36:52 2026 UTC elapsed time: 0.069127 seconds (0d 0h 0m 0s)

            ---------------  T H R E A D  ---------------

            Current thread (0x00007fe25c017ed0):  JavaThread "main" [_thread_in_native, id=\(process + 1), stack(0x7f,0x7f)]

            Native frames: (J=compiled Java code, j=interpreted, Vv=VM code, C=native code)
            C  [libtill.so+0x1105]  till_touch+0xc
            C  [libtill.so+0x1127]  Java_com_shop_Till_poke+0x1c
            j  com.shop.Till.\(method)(I)V+4
            J 12 c2 java.util.HashMap.get(Ljava/lang/Object;)Ljava/lang/Object; java.base@17.0.15 (23 bytes) @ 0x7f [0x7f+0x1]
            v  ~StubRoutines::call_stub
            V  [libjvm.so+0x8282d2]  JavaCalls::call_helper(JavaValue*, JavaThread*)+0x302  (javaCalls.cpp:429)

            siginfo: si_signo: 11 (SIGSEGV), si_code: 1 (SEGV_MAPERR), si_addr: 0x0000000000000028

            Dynamic libraries:
            69c000000-6a5200000 rw-p 00000000 00:00 0
            5591a2c00000-5591a2c01000 r--p 00000000 fe:01 1 /usr/lib/jvm/java-17-openjdk-amd64/bin/java
            7fe256180000-7fe256181000 r--p 00000000 fe:01 12 /srv/shop/libtill.so
            7fe256181000-7fe256182000 r-xp 00001000 fe:01 12 /srv/shop/libtill.so
            7fe260000000-7fe261000000 r-xp 00001000 fe:01 13 /usr/lib/jvm/java-17-openjdk-amd64/lib/server/libjvm.so

            END.

            """
    }

    @Test("the file tells the signal, the stack of all kinds of code, the libraries and the time")
    func file() throws {
        let diagnosis = recognize(self.file())
        #expect(diagnosis.format == "jvm-hs-err")
        #expect(diagnosis.kind == .crash)
        #expect(diagnosis.summary == "java[7536]: SIGSEGV in till_touch")
        let crash = try #require(diagnosis.crash)
        #expect(crash.cause.code == "SEGV_MAPERR")
        #expect(crash.cause.address == 0x28)
        #expect(crash.occurredAt == 1_794_112_612_000)
        #expect(crash.runtime == Crash.Runtime(name: "OpenJDK Runtime Environment", version: "17.0.15+6"))
        #expect(crash.system.architecture == "x86_64")
        let thread = try #require(crash.crashedThread)
        #expect(thread.name == "main")
        #expect(thread.number == 7_537)
        #expect(
            thread.frames.map(\.function) == [
                "till_touch", "Java_com_shop_Till_poke", "com.shop.Till.open", "java.util.HashMap.get",
                "StubRoutines::call_stub", "JavaCalls::call_helper(JavaValue*, JavaThread*)",
            ])
        #expect(thread.frames.map(\.isOwn) == [true, true, true, false, false, false])
        #expect(thread.frames.last?.line == 429)
        #expect(crash.images.map(\.path).contains("/srv/shop/libtill.so"))
        #expect(crash.images.first { $0.path == "/srv/shop/libtill.so" }?.endAddress == 0x7fe2_5618_2000)
    }

    @Test("two runs have one signature, another method another one")
    func signature() {
        let first = recognize(self.file()).signature
        #expect(first != nil)
        #expect(recognize(self.file(process: 12)).signature == first)
        #expect(recognize(self.file(method: "close")).signature != first)
    }

    @Test("the beginning that the machine writes to its output is enough, behind log lines and with prefixes")
    func output() {
        let diagnosis = recognize("2026-11-28 08:21:39,114 INFO started\n" + self.title())
        #expect(diagnosis.format == "jvm-hs-err")
        #expect(diagnosis.summary == "java[7536]: SIGSEGV in till_touch")
        let lines = self.title().split(separator: "\n").map { "Nov 28 08:21:40 h shopd[77]: \($0)\n" }.joined()
        #expect(recognize(lines).summary == "shopd[7536]: SIGSEGV in till_touch")
    }

    @Test("what is no signal is told by its own words")
    func otherErrors() {
        let memory = recognize(
            """
            #
            # There is insufficient memory for the Java Runtime Environment to continue.
            # Native memory allocation (mmap) failed to map 65536 bytes for committing reserved memory.
            # Possible reasons:
            #   The system is out of physical RAM or swap space
            #
            #  Out of Memory Error (os_linux.cpp:2843), pid=12, tid=13
            #
            # JRE version:  (17.0.15+6) (build )
            """)
        #expect(
            memory.summary
                == "java[12]: Out of Memory Error: Native memory allocation (mmap) failed to map 65536 bytes for "
                + "committing reserved memory. (os_linux.cpp:2843)")
        let inner = recognize(
            """
            #
            # A fatal error has been detected by the Java Runtime Environment:
            #
            #  Internal Error (sharedRuntime.cpp:553), pid=12, tid=13
            #  guarantee(cb != NULL) failed: must be a blob
            #
            """)
        #expect(
            inner.summary
                == "java[12]: Internal Error: guarantee(cb != NULL) failed: must be a blob (sharedRuntime.cpp:553)")
        #expect(inner.crash?.cause.signal == nil)
    }

    @Test(
        "a time without a certain zone is no time", arguments: ["CET", "", "PST", "W. Europe Standard Time"])
    func zones(zone: String) {
        let text = self.file().replacing(" UTC elapsed", with: " \(zone) elapsed")
        #expect(recognize(text).crash?.occurredAt == nil)
        #expect(
            recognize(self.file().replacing(" UTC elapsed", with: " +01 elapsed")).crash?.occurredAt
                == 1_794_109_012_000)
    }

    @Test(
        "text that only quotes the beginning is none",
        arguments: [
            "# A fatal error has been detected by the Java Runtime Environment:\nSee the manual.\n",
            "    # A fatal error has been detected by the Java Runtime Environment:\n    #\n    #  SIGSEGV, pid=1, tid=2\n",
        ])
    func documentation(text: String) {
        #expect(recognize(text).kind == .log)
    }

    @Test("a report may end anywhere")
    func cut() {
        let bytes = Array(self.file().utf8)
        for length in stride(from: 0, to: bytes.count, by: 5) { _ = recognize(Array(bytes.prefix(length))) }
        #expect(recognize(Array(bytes.prefix(bytes.count / 2))).format == "jvm-hs-err")
    }
}
