import Diagnosis
import Testing

@Suite("Crashes and hangs of Android")
struct AndroidTests {
    private func tombstone(process: Int = 3_144, function: String = "till_open(Till*)") -> String {
        """
        *** *** *** *** *** *** *** *** *** *** *** *** *** *** *** ***
        Build fingerprint: 'google/raven/raven:13/TP1A.220624.021/8877034:user/release-keys'
        Revision: 'MP1.0'
        ABI: 'arm64'
        Timestamp: 2026-11-28 08:21:40.123456789+0100
        Process uptime: 42s
        Cmdline: com.example.shop
        pid: \(process), tid: 3160, name: RenderThread  >>> com.example.shop <<<
        uid: 10234
        signal 11 (SIGSEGV), code 1 (SEGV_MAPERR), fault addr 0x0000000000000028
        Cause: null pointer dereference
            x0  0000000000000000  x1  0000007b8c3d2c10  x2  0000000000000000  x3  0000000000000001
        backtrace:
              #00 pc 000000000004c2d8  /data/app/~~x==/com.example.shop-y==/lib/arm64/libshop.so (\(function)+24) (BuildId: 0f6d2f7e)
              #01 pc 000000000004c300  /data/app/~~x==/com.example.shop-y==/base.apk!libtill.so (offset 0x1000)
              #02 pc 0000000000021f98  /apex/com.android.runtime/lib64/bionic/libc.so (__pthread_start(void*)+264) (BuildId: aa01)

        memory near x0 (/system/lib64/libm.so):
            0000007b8c3d2c10 0000000000000000 0000000000000000  ................
        memory map (2 entries):
            00000000'1a2c0000-00000000'1a2c0fff r-x         0      1000  /system/bin/app_process64 (BuildId: bb02)
            0000007b'8c3d0000-0000007b'8c3dffff r-x         0      1000  /apex/com.android.runtime/lib64/bionic/libc.so (BuildId: aa01)
        --- --- --- --- --- --- --- --- --- --- --- --- --- --- --- ---
        pid: \(process), tid: 3145, name: Signal Catcher  >>> com.example.shop <<<
        uid: 10234
        backtrace:
              #00 pc 00000000000a5d98  /apex/com.android.runtime/lib64/bionic/libc.so (__rt_sigtimedwait+8) (BuildId: aa01)

        """
    }

    @Test("a tombstone tells the signal, the threads, the libraries and the time")
    func tombstone() throws {
        let diagnosis = recognize(self.tombstone())
        #expect(diagnosis.format == "android-tombstone")
        #expect(diagnosis.kind == .crash)
        #expect(
            diagnosis.summary
                == "com.example.shop[3144]: SIGSEGV: null pointer dereference in till_open(Till*)")
        let crash = try #require(diagnosis.crash)
        #expect(crash.cause.code == "SEGV_MAPERR")
        #expect(crash.cause.address == 0x28)
        #expect(crash.occurredAt == 1_795_850_500_123)
        #expect(crash.system == Crash.System(name: "Android", version: "13", architecture: "arm64"))
        #expect(crash.threads.map(\.name) == ["RenderThread", "Signal Catcher"])
        #expect(crash.threads.map(\.number) == [3_160, 3_145])
        let frames = try #require(crash.crashedThread?.frames)
        #expect(frames.map(\.function) == ["till_open(Till*)", nil, "__pthread_start(void*)"])
        #expect(frames.map(\.isOwn) == [true, true, false])
        #expect(frames[1].module == "/data/app/~~x==/com.example.shop-y==/base.apk!libtill.so")
        #expect(crash.images.map(\.buildID) == ["0f6d2f7e", "aa01", "bb02"])
        #expect(crash.images[1].baseAddress == 0x7b_8c3d_0000)
    }

    @Test("two runs have one signature, another function another one")
    func signature() {
        let first = recognize(self.tombstone()).signature
        #expect(first != nil)
        #expect(recognize(self.tombstone(process: 12)).signature == first)
        #expect(recognize(self.tombstone(function: "till_close(Till*)")).signature != first)
    }

    @Test("a tombstone in the log is the same one, among the lines of other tags")
    func logcat() {
        let lines = self.tombstone().split(separator: "\n", omittingEmptySubsequences: false).map {
            "11-28 08:21:40.123  3170  3170 F DEBUG   : \($0)\n11-28 08:21:40.124  1044  1044 I chatty  : more\n"
        }
        let diagnosis = recognize(
            "--------- beginning of crash\n"
                + "11-28 08:21:40.001  3144  3160 F libc    : Fatal signal 11 (SIGSEGV), code 1 (SEGV_MAPERR), "
                + "fault addr 0x28 in tid 3160 (RenderThread), pid 3144 (m.example.shop)\n" + lines.joined())
        #expect(diagnosis.summary == recognize(self.tombstone()).summary)
        #expect(diagnosis.signature == recognize(self.tombstone()).signature)
    }

    @Test("the C library's line alone tells of the crash too")
    func fatalSignal() {
        let diagnosis = recognize(
            "11-28 08:21:40.001  3144  3160 F libc    : Fatal signal 6 (SIGABRT), code -1 (SI_QUEUE) "
                + "in tid 3160 (RenderThread), pid 3144 (m.example.shop)\n")
        #expect(diagnosis.kind == .crash)
        #expect(diagnosis.summary == "m.example.shop[3144]: SIGABRT")
    }

    @Test("a dump that somebody asked for is no crash")
    func requested() {
        let text = self.tombstone().replacing(
            "signal 11 (SIGSEGV), code 1", with: "signal 35 (<debuggerd signal>), code -1")
        #expect(recognize(text).kind == .diagnostic)
    }

    @Test("what an app store shows of a crash is read")
    func store() {
        let diagnosis = recognize(
            """
            *** *** *** *** *** *** *** *** *** *** *** *** *** *** *** ***
            pid: 0, tid: 3160 >>> com.example.shop <<<

            backtrace:
              #00  pc 0x000000000004c2d8  /data/app/x/split_config.arm64_v8a.apk!libshop.so (till_open+24)
              #01  pc 0x0000000000021f98  /apex/com.android.runtime/lib64/bionic/libc.so (__start_thread+64)
            """)
        #expect(diagnosis.summary == "com.example.shop: native crash in till_open")
    }

    @Test("an exception that nobody caught tells the app, the thread, the causes and the stack")
    func exception() throws {
        let lines = [
            "FATAL EXCEPTION: main", "Process: com.example.shop, PID: 3144",
            "java.lang.IllegalStateException: no till", "in this shop",
            "\tat com.example.shop.Till.open(Till.java:12)",
            "\tat android.app.Activity.performCreate(Activity.java:8051)",
            "Caused by: java.io.FileNotFoundException: till.db", "\tat com.example.shop.Store.read(Store.kt:7)",
            "\t... 2 more",
        ]
        let text = lines.map { "11-28 08:21:40.123  3144  3144 E AndroidRuntime: \($0)\n" }.joined()
        let diagnosis = recognize(text)
        #expect(diagnosis.format == "android-exception")
        #expect(diagnosis.kind == .crash)
        #expect(
            diagnosis.summary == "com.example.shop[3144]: java.lang.IllegalStateException: no till "
                + "in com.example.shop.Till.open at Till.java:12")
        let crash = try #require(diagnosis.crash)
        #expect(crash.cause.message == "no till\nin this shop")
        #expect(crash.earlierCauses.map(\.type) == ["java.io.FileNotFoundException"])
        #expect(crash.crashedThread?.name == "main")
        #expect(crash.crashedThread?.frames.map(\.isOwn) == [true, false])
    }

    @Test("an exception in a file of the drop box tells the versions too")
    func dropBox() throws {
        let diagnosis = recognize(
            """
            Process: com.example.shop
            PID: 3144
            UID: 10234
            Flags: 0x20e83e44
            Package: com.example.shop v42 (1.2.3)
            Foreground: Yes
            Build: google/raven/raven:13/TP1A.220624.021/8877034:user/release-keys

            java.lang.IllegalStateException: no till
            \tat com.example.shop.Till.open(Till.java:12)

            """)
        #expect(
            diagnosis.summary == "com.example.shop[3144]: java.lang.IllegalStateException: no till "
                + "in com.example.shop.Till.open at Till.java:12")
        let crash = try #require(diagnosis.crash)
        #expect(crash.version == "1.2.3")
        #expect(crash.system.version == "13")
    }

    @Test("an app that does not answer hangs")
    func hang() {
        let traces = recognize(
            """
            Subject: Input dispatching timed out
            ----- pid 3144 at 2026-11-28 08:21:40.123456789+0100 -----
            Cmd line: com.example.shop
            Build fingerprint: 'google/raven/raven:13/TP1A/8877034:user/release-keys'

            "main" prio=5 tid=1 Sleeping
              | group="main" sCount=1 ucsCount=0 flags=1 obj=0x72d0a1b8 self=0xb400007c5a1c
              at java.lang.Thread.sleep(Native method)
              at com.example.shop.Till.open(Till.java:12)

            ----- end 3144 -----
            """)
        #expect(traces.format == "android-anr")
        #expect(traces.kind == .hang)
        #expect(
            traces.summary
                == "com.example.shop[3144]: ANR: Input dispatching timed out in com.example.shop.Till.open at Till.java:12"
        )
        let note = recognize(
            ["ANR in com.example.shop (com.example.shop/.Main)", "PID: 3144", "Reason: Input dispatching timed out"]
                .map { "11-28 08:21:40.123  1044  1070 E ActivityManager: \($0)\n" }.joined())
        #expect(note.kind == .hang)
        #expect(note.summary == "com.example.shop[3144]: ANR: Input dispatching timed out")
    }

    @Test(
        "text that only has such lines is none",
        arguments: [
            "pid: 1, tid: 2, name: x\n", "pid: 1, tid: 2, name: x  >>> y <<<\nand so on\n", "FATAL EXCEPTION: main\n",
            "FATAL EXCEPTION: main\nsee the manual\n", "Fatal signal 11\n", "ANR in the shop\n", "----- pid 7 -----\n",
            "    FATAL EXCEPTION: main\n    java.lang.X: y\n\tat a.b.C.d(C.java:1)\n",
        ])
    func documentation(text: String) {
        #expect(recognize(text).kind == .log)
    }

    @Test("a tombstone may end anywhere")
    func cut() {
        let bytes = Array(self.tombstone().utf8)
        for length in stride(from: 0, to: bytes.count, by: 5) { _ = recognize(Array(bytes.prefix(length))) }
        #expect(recognize(Array(bytes.prefix(bytes.count / 2))).format == "android-tombstone")
    }

    @Test("where Android wraps the exception, the stack is that of the cause in the app's own code")
    func stackOfCause() {
        let diagnosis = recognize(
            """
            FATAL EXCEPTION: main
            Process: com.shop.app, PID: 4711
            java.lang.RuntimeException: Unable to start activity ComponentInfo{com.shop.app/com.shop.Main}
            \tat android.app.ActivityThread.performLaunchActivity(ActivityThread.java:3782)
            Caused by: java.lang.NullPointerException: till
            \tat com.shop.Main.onCreate(SourceFile:12)
            \t... 11 more
            """)
        #expect(diagnosis.summary.hasSuffix(" in com.shop.Main.onCreate at SourceFile:12"))
        #expect(diagnosis.signature != nil)
    }
}
