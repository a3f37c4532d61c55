import Diagnosis
import Testing

@Suite("Reports of Apple's systems as text")
struct AppleTextTests {
    private func report(address: String = "0x0000000104c1d7a8", function: String = "Shelf.restock(_:)") -> String {
        """
        Incident Identifier: 5B0A4E2D-0000-4C11-8F11-2A9E64C5A001
        Hardware Model:      iPhone11,8
        Process:             Stockroom [2290]
        Path:                /private/var/containers/Bundle/Application/A/Stockroom.app/Stockroom
        Identifier:          com.example.stockroom
        Version:             118 (3.4)
        Code Type:           ARM-64 (Native)

        Date/Time:           2020-03-02 18:07:48.6021 +0100
        OS Version:          iPhone OS 13.3.1 (17D50)
        Report Version:      104

        Exception Type:  EXC_BAD_ACCESS (SIGSEGV)
        Exception Subtype: KERN_INVALID_ADDRESS at 0x0000000000000010
        Termination Reason: Namespace SIGNAL, Code 0xb
        Triggered by Thread:  1

        Application Specific Information:
        Stockroom/Shelf.swift:52: Fatal error: Unexpectedly found nil

        Thread 0 name:  Dispatch queue: com.apple.main-thread
        Thread 0:
        0   libsystem_kernel.dylib        \t0x00000001b6d3f1c0 mach_msg_trap + 8

        Thread 1 name:  worker
        Thread 1 Crashed:
        0   Stockroom                     \t\(address) \(function) + 120744 (Shelf.swift:52)
        1   Stockroom                     \t0x0000000104c1c004 0x104c00000 + 114692
        2   UIKitCore                     \t0x00000001b6d3f1c0 -[UIApplication sendAction:to:from:forEvent:] + 92

        Thread 1 crashed with ARM Thread State (64-bit):
            x0: 0x0000000000000000   x1: 0x0000000104c1d7a8

        Binary Images:
        0x104c00000 - 0x104c4bfff Stockroom arm64  <0f6d2f7e58a13d7793c04a0b5e1c9d21> /private/var/A/Stockroom.app/Stockroom
        0x1b6d00000 - 0x1b6dfffff UIKitCore arm64e  <aaaaaaaa58a13d7793c04a0b5e1c9d21> /System/Library/UIKitCore

        """
    }

    @Test("a crash tells its process, cause, threads, images and time")
    func crash() throws {
        let diagnosis = recognize(self.report())
        #expect(diagnosis.format == "apple-crash")
        #expect(diagnosis.kind == .crash)
        #expect(
            diagnosis.summary == "Stockroom[2290]: EXC_BAD_ACCESS (SIGSEGV): "
                + "Stockroom/Shelf.swift:52: Fatal error: Unexpectedly found nil in Shelf.restock(_:) at Shelf.swift:52"
        )
        let crash = try #require(diagnosis.crash)
        #expect(crash.cause.code == "KERN_INVALID_ADDRESS")
        #expect(crash.cause.address == 0x10)
        #expect(crash.version == "118 (3.4)")
        #expect(crash.system == Crash.System(name: "iPhone OS", version: "13.3.1 (17D50)", architecture: "arm64"))
        #expect(crash.occurredAt == 1_583_168_868_602)
        #expect(crash.threads.map(\.name) == ["Dispatch queue: com.apple.main-thread", "worker"])
        #expect(crash.threads.map(\.isCrashed) == [false, true])
        let frames = try #require(crash.crashedThread?.frames)
        #expect(frames.map(\.isOwn) == [true, true, false])
        #expect(frames[1].function == nil)
        #expect(frames[1].moduleOffset == 114_692)
        #expect(crash.images.first?.buildID == "0f6d2f7e58a13d7793c04a0b5e1c9d21")
        #expect(crash.images.first?.baseAddress == 0x1_04c0_0000)
    }

    @Test("two runs of one fault have one signature, other functions another")
    func signature() {
        let first = recognize(self.report()).signature
        #expect(first != nil)
        #expect(recognize(self.report(address: "0x000000010aaaaaa8")).signature == first)
        #expect(recognize(self.report(function: "Shelf.clear()")).signature != first)
    }

    @Test("of an uncaught exception its own name, reason and stack are told")
    func uncaughtException() throws {
        let text = """
            Process:               Shop [77]
            Exception Type:        EXC_CRASH (SIGABRT)
            Crashed Thread:        0  Dispatch queue: com.apple.main-thread

            Application Specific Information:
            *** Terminating app due to uncaught exception 'NSRangeException', reason: '*** index 9 beyond bounds [0 .. 3]'
            abort() called

            Application Specific Backtrace 1:
            0   CoreFoundation                      0x00007fff2041187b __exceptionPreprocess + 242

            Last Exception Backtrace:
            0   CoreFoundation                \t0x7fff2041187b __exceptionPreprocess + 242
            1   Shop                          \t0x10b2f9abc -[Till open] + 44

            Thread 0 Crashed:: Dispatch queue: com.apple.main-thread
            0   libsystem_kernel.dylib        \t0x7fff202fc91e __pthread_kill + 10
            """
        let crash = try #require(recognize(text).crash)
        #expect(crash.cause.type == "NSRangeException")
        #expect(crash.cause.message == "*** index 9 beyond bounds [0 .. 3]")
        #expect(crash.cause.signal == "SIGABRT")
        #expect(crash.place?.function == "-[Till open]")
        #expect(crash.crashedThread?.name == "Dispatch queue: com.apple.main-thread")
    }

    @Test("a translated report is read, and so is one in a log")
    func translated() {
        let line = "-------------------------------------\n"
        let text = line + "Translated Report (Full Report Below)\n" + line + "\n" + self.report()
        #expect(recognize(text).summary == recognize(self.report()).summary)
        #expect(recognize("uploading a report\n" + self.report()).format == "apple-crash")
    }

    @Test("a simulated exception is no crash")
    func simulated() {
        let text = self.report().replacing(
            "Report Version:", with: "Exception Note: SIMULATED (this is NOT a crash)\nReport Version:")
        #expect(recognize(text).kind == .diagnostic)
    }

    @Test("a program that does not answer hangs")
    func hang() throws {
        let diagnosis = recognize(
            """
            Date/Time:        2026-03-17 14:48:09.574 +0100
            OS Version:       macOS 14.4 (23E214)
            Architecture:     arm64e
            Report Version:   42

            Command:          Stockroom
            Version:          4.1 (204)
            PID:              43448

            Event:            hang
            Duration:         4.20s
            Steps:            42 (100ms sampling interval)

            Heaviest stack for the main thread of the target process:
              42  start + 520 (dyld + 24436) [0x19fce5f74]
              42  Till.open() + 20 (Stockroom + 123) [0x104c1007b]
              42  mach_msg2_trap + 8 (libsystem_kernel.dylib + 3000) [0x1a0c1007b]

            """)
        #expect(diagnosis.format == "apple-hang")
        #expect(diagnosis.kind == .hang)
        #expect(diagnosis.summary == "Stockroom[43448]: hang: not responsive for 4.20s in Till.open()")
        #expect(diagnosis.crash?.threads.first?.frames.map(\.function) == ["mach_msg2_trap", "Till.open()", "start"])
    }

    @Test("a sample that somebody took is a diagnostic")
    func sample() {
        let diagnosis = recognize(
            "Analysis of sampling Stockroom (pid 43448) every 1 millisecond\nProcess:         Stockroom [43448]\n"
                + "OS Version:      macOS 14.4 (23E214)\nCall graph:\n    2620 Thread_1   DispatchQueue_1\n")
        #expect(diagnosis.format == "apple-sample")
        #expect(diagnosis.kind == .diagnostic)
    }

    @Test(
        "text that only has such fields is none",
        arguments: [
            "Process:  how we work\nException Type: none\n", "Exception Type: EXC_CRASH\n",
            "Event: hang\nDate/Time: now\n",
            "Analysis of sampling errors\n", "    Process:  Shop [1]\n    Exception Type:  EXC_CRASH (SIGABRT)\n",
        ])
    func documentation(text: String) {
        #expect(recognize(text).kind == .log)
    }

    @Test("a report may end anywhere")
    func cut() {
        let bytes = Array(self.report().utf8)
        for length in stride(from: 0, to: bytes.count, by: 5) { _ = recognize(Array(bytes.prefix(length))) }
        #expect(recognize(Array(bytes.prefix(bytes.count / 2))).format == "apple-crash")
    }

    @Test("an exception on standard error gives its name, its reason and its stack")
    func exceptionOnStandardError() {
        func output(_ method: String, process: Int) -> String {
            """
            2026-11-28 08:21:40.123 My Till[\(process):98765] *** Terminating app due to uncaught exception \
            'NSRangeException', reason: '*** -[__NSArrayM objectAtIndex:]: index 5 beyond bounds [0 .. 2]'
            *** First throw call stack:
            (
            \t0   CoreFoundation                      0x00007ff80a1b2c3d __exceptionPreprocess + 242
            \t1   libobjc.A.dylib                     0x00007ff80a1b2c3e objc_exception_throw + 48
            \t2   My Till                             0x00000001\(process)c1b2 -[Till \(method)] + 99
            )
            libc++abi: terminating due to uncaught exception of type NSException

            """
        }
        let diagnosis = recognize(output("closeAt:", process: 4711))
        #expect(diagnosis.format == "apple-exception")
        #expect(
            diagnosis.summary
                == "My Till[4711]: NSRangeException: *** -[__NSArrayM objectAtIndex:]: index 5 beyond bounds [0 .. 2]"
                + " in -[Till closeAt:]")
        #expect(diagnosis.crash?.crashedThread?.frames.map(\.isOwn) == [false, false, true])
        #expect(diagnosis.signature != nil)
        #expect(diagnosis.signature == recognize(output("closeAt:", process: 4812)).signature)
        #expect(diagnosis.signature != recognize(output("open", process: 4711)).signature)
        #expect(recognize("*** First throw call stack:\n(\n)\n").format == "text")
    }
}
