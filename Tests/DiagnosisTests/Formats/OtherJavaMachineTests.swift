import Diagnosis
import Testing

@Suite("Thread dumps, and other Java machines")
struct OtherJavaMachineTests {
    private let dump = """
        2026-11-29 04:36:54
        Full thread dump OpenJDK 64-Bit Server VM (17.0.15+6-Debian-1deb12u1 mixed mode, sharing):

        "main" #1 prio=5 os_prio=0 cpu=21.97ms tid=0x00007f86e0017ed0 nid=0x1d87 waiting on condition  [0x00007f86e81fe000]
           java.lang.Thread.State: TIMED_WAITING (sleeping)
        \tat java.lang.Thread.sleep(java.base@17.0.15/Native Method)
        \tat com.shop.Till.main(Till.java:8)

        "till-1" #14 prio=5 os_prio=0 cpu=1.97ms tid=0x00007f86e0017ed1 nid=0x1d88 waiting for monitor entry  [0x00007f86e]
           java.lang.Thread.State: BLOCKED (on object monitor)
        \tat com.shop.Till.open(Till.java:4)
        \t- waiting to lock <0x000000069ec02f40> (a java.lang.Object)

        "VM Thread" os_prio=0 cpu=1.97ms tid=0x00007f86e0017ed2 nid=0x1d89 runnable

        JNI global refs: 15, weak refs: 0

        """

    @Test("a thread dump that somebody asked for is no crash")
    func threadDump() throws {
        let diagnosis = recognize("starting\n" + self.dump)
        #expect(diagnosis.format == "jvm-threads")
        #expect(diagnosis.kind == .hang)
        #expect(diagnosis.summary == "java: thread dump: 3 threads")
        let crash = try #require(diagnosis.crash)
        #expect(crash.threads.map(\.name) == ["main", "till-1", "VM Thread"])
        #expect(crash.threads.map(\.isCrashed) == [false, false, false])
        #expect(crash.threads[1].frames.map(\.function) == ["com.shop.Till.open"])
        #expect(crash.runtime?.name == "OpenJDK 64-Bit Server VM")
    }

    @Test("threads that wait for each other are named")
    func deadlock() {
        let diagnosis = recognize(
            self.dump + """
                Found one Java-level deadlock:
                =============================
                "till-1":
                  waiting to lock monitor 0x00007f8600001000 (object 0x000000069ec02f40, a java.lang.Object),
                  which is held by "till-2"
                "till-2":
                  waiting to lock monitor 0x00007f8600001001 (object 0x000000069ec02f41, a java.lang.Object),
                  which is held by "till-1"

                Java stack information for the threads listed above:

                """)
        #expect(diagnosis.kind == .hang)
        #expect(diagnosis.summary == "java: deadlock: till-1, till-2 in com.shop.Till.open at Till.java:4")
    }

    /// A `javacore`, with what its second line says of its event.
    private func core(event: String) -> String {
        """
        0SECTION       TITLE subcomponent dump routine
        NULL           ===============================
        1TICHARSET     UTF-8
        1TISIGINFO     Dump Event \(event) received
        1TIDATETIMEUTC Date: 2026/11/28 at 07:21:40:123 (UTC)
        0SECTION       GPINFO subcomponent dump routine
        2XHOSLEVEL     OS Level         : Linux 5.15.0
        2XHCPUARCH       Architecture   : amd64
        1XHEXCPCODE    J9Generic_Signal_Number: 00000018
        1XHEXCPCODE    Signal_Number: 0000000B
        1CIJAVAVERSION JRE 11 Linux amd64-64 (build 11.0.12+7)
        1CIPROCESSID   Process ID: 3144 (0xC48)
        1XMCURTHDINFO  Current thread
        3XMTHREADINFO      "main" J9VMThread:0x1, omrthread_t:0x2, java/lang/Thread:0x3, state:R, prio=5
        4XESTACKTRACE                at com/example/shop/Till.open(Till.java:12(Compiled Code))
        4XESTACKTRACE                at java/util/ArrayList.forEach(ArrayList.java:1511)
        1XMTHDINFO     Thread Details
        3XMTHREADINFO      "worker" J9VMThread:0x1, omrthread_t:0x2, java/lang/Thread:0x3, state:B, prio=5

        """
    }

    @Test("a javacore of a crash tells the signal and the current thread")
    func javacore() throws {
        let diagnosis = recognize(self.core(event: "\"gpf\" (00002000)"))
        #expect(diagnosis.format == "jvm-javacore")
        #expect(diagnosis.kind == .crash)
        #expect(diagnosis.summary == "java[3144]: SIGSEGV in com.example.shop.Till.open at Till.java:12")
        let crash = try #require(diagnosis.crash)
        #expect(crash.occurredAt == 1_795_850_500_123)
        #expect(crash.system == Crash.System(name: "Linux", version: "5.15.0", architecture: "x86_64"))
        #expect(crash.threads.map(\.isCrashed) == [true, false])
        #expect(crash.threads[0].frames.map(\.isOwn) == [true, false])
    }

    @Test("a javacore that somebody asked for, or that an exception has caused, is no crash")
    func requestedJavacore() {
        #expect(recognize(self.core(event: "\"user\" (00004000)")).kind == .hang)
        let thrown = recognize(
            self.core(event: "\"systhrow\" (00040000) Detail \"java/lang/OutOfMemoryError\" \"Java heap space\""))
        #expect(thrown.kind == .diagnostic)
        #expect(thrown.crash?.cause.message == "java.lang.OutOfMemoryError: Java heap space")
    }

    @Test("what OpenJ9 writes to its standard error is read")
    func openJ9() throws {
        let diagnosis = recognize(
            """
            Unhandled exception
            Type=Segmentation error vmState=0x00040000
            J9Generic_Signal_Number=00000018 Signal_Number=0000000b Error_Value=00000000 Signal_Code=00000001
            Handler1=00007F1C2B001139 Handler2=00007F1C2B001140
            Module=/srv/shop/libtill.so
            Module_base_address=00007F1C2A000000 Symbol=till_open
            ----------- Stack Backtrace -----------
            till_open+0x9 (0x00007F1C2A001139 [libtill.so+0x1139])
             (0x00007F1C2B001139 [libj9vm29.so+0x1139])
            ---------------------------------------
            JVMDUMP039I Processing dump event "gpf", detail "" at 2026/11/28 08:21:40 - please wait.
            """)
        #expect(diagnosis.format == "jvm-openj9")
        #expect(diagnosis.kind == .crash)
        #expect(diagnosis.summary == "java: SIGSEGV: Segmentation error in till_open")
        #expect(diagnosis.crash?.crashedThread?.frames.map(\.isOwn) == [true, false])
    }

    @Test("a native image of GraalVM is read")
    func nativeImage() {
        let diagnosis = recognize(
            """
            [ [ SegfaultHandler caught a segfault in thread 0x00007f1c2a001000 ] ]
            siginfo: si_signo: 11, si_code: 1, si_addr: 0x0000000000000028

            Stacktrace for the failing thread 0x00007f1c2a001000 (A=AOT compiled, J=JIT compiled, D=deoptimized, i=inlined):
              A  SP 0x00007ffd4a1b2c30 IP 0x0000000000501139 size=48    com.example.shop.Till.open(Till.java:12)
              A  SP 0x00007ffd4a1b2c60 IP 0x0000000000501200 size=48    com.oracle.svm.core.JavaMainWrapper.run(JavaMainWrapper.java:1)

            """)
        #expect(diagnosis.format == "jvm-native-image")
        #expect(diagnosis.summary == "java: SIGSEGV in com.example.shop.Till.open at Till.java:12")
        #expect(diagnosis.crash?.crashedThread?.frames.map(\.isOwn) == [true, false])
        #expect(diagnosis.crash?.cause.address == 0x28)
    }

    @Test(
        "text that only talks of dumps is none",
        arguments: [
            "Full thread dump is written to the log.\n", "Full thread dump OpenJDK (17):\nno threads\n",
            "Type=Segmentation error\n", "[ [ SegfaultHandler caught nothing ] ]\n", "1TISIGINFO is a field\n",
        ])
    func documentation(text: String) {
        #expect(recognize(text).kind == .log)
    }
}
