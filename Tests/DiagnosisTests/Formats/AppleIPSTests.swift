import Diagnosis
import Testing

@Suite("Reports of Apple's systems")
struct AppleIPSTests {
    static func title(_ type: String, _ more: String = "") -> String {
        #"{"app_name":"Shop","timestamp":"2026-03-16 09:00:21.00 +0100","app_version":"2.0","bug_type":"\#(type)","#
            + #""os_version":"iPhone OS 26.3 (23D5110)"\#(more)}"# + "\n"
    }

    static let images = """
        [{"source":"P","arch":"arm64","base":4369416192,"size":245760,"uuid":"0f6d2f7e-58a1-3d77-93c0-4a0b5e1c9d21",
          "path":"/private/var/containers/Bundle/Application/1/Shop.app/Shop","name":"Shop"},
         {"source":"S","arch":"arm64e","base":6442450944,"size":65536,"uuid":"00000000-0000-0000-0000-000000000000",
          "path":"/usr/lib/system/libsystem_kernel.dylib","name":"libsystem_kernel.dylib"},
         {"source":"P","arch":"arm64","base":4470000000,"size":65536,"uuid":"1f6d2f7e-58a1-3d77-93c0-4a0b5e1c9d22",
          "path":"/private/var/containers/Bundle/Application/1/Shop.app/Frameworks/libswiftCore.dylib"}]
        """

    static func body(_ exception: String, _ more: String = "") -> String {
        """
        {"pid":733,"procName":"Shop","procPath":"/private/var/containers/Bundle/Application/1/Shop.app/Shop",
         "cpuType":"ARM-64","captureTime":"2026-03-16 09:00:20.5767 +0100","exception":\(exception),"faultingThread":1,
         "threads":[{"id":1,"name":"other","frames":[]},{"triggered":true,"id":9001,"queue":"com.apple.main-thread","frames":[
           {"imageOffset":5552,"symbol":"__pthread_kill","symbolLocation":8,"imageIndex":1},
           {"imageOffset":100,"symbol":"_assertionFailure(_:_:file:line:flags:)","symbolLocation":1,"imageIndex":2},
           {"imageOffset":4752,"sourceLine":15,"sourceFile":"Shelf.swift","symbol":"Shelf.restock(_:)","symbolLocation":48,
            "imageIndex":0},{"imageOffset":1,"imageIndex":99}]}],
         "usedImages":\(self.images)\(more)}
        """
    }

    @Test("of several threads that were stopped the report is about the one that it numbers")
    func faultingThread() {
        let other = Self.body(#"{"type":"EXC_CRASH"}"#).replacing(#""name":"other""#, with: #""triggered":true"#)
        let diagnosis = recognize(Self.title("309") + other)
        #expect(diagnosis.crash?.crashedThread?.number == 1)
        let unknown = other.replacing(#""faultingThread":1"#, with: #""faultingThread":99"#)
        #expect(recognize(Self.title("309") + unknown).crash?.threads.first?.isCrashed == true)
    }

    @Test("a termination is told by its details, or by what its exception says")
    func terminationDetails() {
        let details = #","termination":{"namespace":"TCC","code":0,"details":["no usage description"]}"#
        let killed = recognize(Self.title("309") + Self.body(#"{"type":"EXC_CRASH","signal":"SIGKILL"}"#, details))
        #expect(killed.crash?.cause.message == "TCC 0x0: no usage description")
        let guarded = recognize(
            Self.title("385")
                + Self.body(
                    #"{"type":"EXC_GUARD","signal":"SIGKILL","subtype":"GUARD_TYPE_MACH_PORT"}"#,
                    #","termination":{"namespace":"GUARD","code":1}"#))
        #expect(guarded.kind == .diagnostic)
        #expect(guarded.crash?.cause.message == "GUARD 0x1: GUARD_TYPE_MACH_PORT")
    }

    @Test("a crash has its exception, its process, its images and the stack of the thread at fault")
    func crash() throws {
        let subtype = "KERN_INVALID_ADDRESS at 0x0000000000000010"
        let exception = #"{"type":"EXC_BAD_ACCESS","signal":"SIGSEGV","subtype":"\#(subtype)"}"#
        let diagnosis = recognize(Self.title("309") + Self.body(exception))
        #expect(diagnosis.format == "apple-ips")
        #expect(diagnosis.contentType == "text/plain; charset=utf-8")
        #expect(diagnosis.kind == .crash)
        let cause = "EXC_BAD_ACCESS SIGSEGV: KERN_INVALID_ADDRESS at 0x0000000000000010"
        #expect(
            diagnosis.summary
                == "Shop 2.0[733]: \(cause) in Shelf.restock(_:) at Shelf.swift:15 (iPhone OS 26.3 (23D5110))")
        let crash = try #require(diagnosis.crash)
        #expect(
            crash.cause
                == Crash.Cause(
                    type: "EXC_BAD_ACCESS", message: "KERN_INVALID_ADDRESS at 0x0000000000000010", signal: "SIGSEGV",
                    code: "KERN_INVALID_ADDRESS", address: 16))
        #expect(crash.occurredAt == 1_773_648_020_576)
        #expect(crash.system == Crash.System(name: "iPhone OS", version: "26.3 (23D5110)", architecture: "arm64"))
        #expect(crash.images.map(\.buildID).prefix(2) == ["0f6d2f7e58a13d7793c04a0b5e1c9d21", nil])
        let thread = try #require(crash.crashedThread)
        #expect(thread.name == "com.apple.main-thread")
        #expect(thread.number == 1)
        #expect(thread.frames.map(\.isOwn) == [false, false, true, false])
        #expect(thread.frames[2].address == 4_369_416_192 + 4_752)
        #expect(thread.frames[2].line == 15)
    }

    @Test("what a library said before the end is the message")
    func applicationSpecificInformation() {
        let note = #"""
            ,"asi":{"CoreFoundation":["dyld4 config: DYLD_X=/a"],"libsystem_c.dylib":"abort() called",
             "libswiftCore.dylib":["Shop/Shelf.swift:15: Fatal error: no shelf\n"]}
            """#
        let diagnosis = recognize(Self.title("309") + Self.body(#"{"type":"EXC_BREAKPOINT","signal":"SIGTRAP"}"#, note))
        #expect(diagnosis.crash?.cause.type == "EXC_BREAKPOINT")
        #expect(diagnosis.crash?.cause.message == "Shop/Shelf.swift:15: Fatal error: no shelf")
    }

    @Test(
        "an Objective-C exception is the cause, with the stack of its throw",
        arguments: [
            """
            "exceptionReason":{"name":"NSRangeException","type":"objc-exception","class":"NSException",
             "composed_message":"index 7 beyond bounds"}
            """,
            """
            "asi":{"CoreFoundation":["*** Terminating app due to uncaught exception 'NSRangeException', reason: \
            'index 7 beyond bounds'"]}
            """,
        ])
    func exception(reason: String) {
        let trace = """
            ,"lastExceptionBacktrace":[{"imageOffset":8,"symbol":"objc_exception_throw","imageIndex":1},
             {"imageOffset":9,"symbol":"Cart.total()","imageIndex":0}]
            """
        let body = Self.body(#"{"type":"EXC_CRASH","signal":"SIGABRT"}"#, ",\(reason)\(trace)")
        let diagnosis = recognize(Self.title("309") + body)
        #expect(
            diagnosis.crash?.cause
                == Crash.Cause(
                    type: "NSRangeException", message: "index 7 beyond bounds", signal: "SIGABRT", code: "EXC_CRASH"))
        #expect(diagnosis.crash?.crashedThread?.frames.map(\.function) == ["objc_exception_throw", "Cart.total()"])
        let cause = "NSRangeException SIGABRT: index 7 beyond bounds"
        #expect(diagnosis.summary.hasPrefix("Shop 2.0[733]: \(cause) in Cart.total()"))
    }

    @Test("who ended the process tells why")
    func watchdog() {
        let termination = """
            ,"termination":{"code":2343432205,"namespace":"FRONTBOARD","reasons":["<RBSTerminateContext| domain:10 \
            code:0x8BADF00D explanation:scene-update watchdog transgression: exhausted 10.00 seconds>"]}
            """
        let body = Self.body(#"{"type":"EXC_CRASH","signal":"SIGKILL"}"#, termination)
        let diagnosis = recognize(Self.title("309") + body)
        #expect(diagnosis.crash?.cause.code == "FRONTBOARD 0x8badf00d")
        let words = "FRONTBOARD 0x8badf00d: scene-update watchdog transgression: exhausted 10.00 seconds"
        #expect(diagnosis.summary.hasPrefix("Shop 2.0[733]: EXC_CRASH SIGKILL: \(words) in Shelf.restock(_:)"))
    }

    @Test("of several reasons the first is in the summary")
    func libraryMissing() {
        let termination = """
            ,"termination":{"code":1,"namespace":"DYLD","indicator":"Library missing",
             "reasons":["Library not loaded: @rpath/Cart.framework/Cart","Referenced from: /x","Reason: tried: /y"]}
            """
        let diagnosis = recognize(
            Self.title("309") + Self.body(#"{"type":"EXC_CRASH","signal":"SIGABRT"}"#, termination))
        #expect(diagnosis.crash?.cause.code == "DYLD 0x1")
        let words = "EXC_CRASH SIGABRT: DYLD 0x1: Library not loaded: @rpath/Cart.framework/Cart in Shelf"
        #expect(diagnosis.summary.hasPrefix("Shop 2.0[733]: \(words)"))
    }

    @Test("the second object may be missing or cut")
    func fragments() {
        let title = Self.title("309")
        #expect(recognize(title).summary == "Shop 2.0: report (iPhone OS 26.3 (23D5110))")
        #expect(recognize(title).kind == .crash)
        let bytes = Array((title + Self.body(#"{"type":"EXC_CRASH","signal":"SIGKILL"}"#)).utf8)
        for length in stride(from: title.utf8.count, to: bytes.count, by: 97) {
            #expect(recognize(Array(bytes[..<length])).format == "apple-ips")
        }
    }

    @Test("a panic is a crash of the kernel")
    func panic() {
        let text = #"panic(cpu 3 caller 0xfffffff0269b1c58): watchdog timeout: no checkins\nDebugger message: panic\n"#
        let diagnosis = recognize(Self.title("210") + #"{"build":"iPhone OS 26.3","panicString":"\#(text)"}"#)
        #expect(diagnosis.kind == .crash)
        #expect(diagnosis.summary == "kernel: panic: watchdog timeout: no checkins (iPhone OS 26.3 (23D5110))")
        #expect(diagnosis.crash?.cause == Crash.Cause(type: "panic", message: "watchdog timeout: no checkins"))
    }

    @Test("of a shortage of memory the process that was killed is told")
    func jetsam() {
        let processes = #"[{"name":"backboardd","pid":66,"rpages":9},{"name":"Shop","pid":612,"rpages":131072 REASON}]"#
        func report(_ reason: String) -> Diagnosis {
            let list = processes.split(separator: " REASON").joined(separator: reason)
            let body = #"{"largestProcess":"Shop","memoryStatus":{"pageSize":16384},"processes":\#(list)}"#
            return recognize(Self.title("298") + body)
        }
        let killed = report(#","reason":"per-process-limit""#)
        #expect(killed.kind == .crash)
        #expect(
            killed.summary
                == "Shop 2.0[612]: killed for memory: per-process-limit, using 2048 MiB (iPhone OS 26.3 (23D5110))")
        #expect(report("").kind == .diagnostic)
    }

    @Test("a report of any other type is no crash", arguments: ["385", "288", "202", "999"])
    func otherTypes(type: String) {
        let diagnosis = recognize(Self.title(type) + Self.body(#"{"type":"EXC_RESOURCE","signal":"SIGKILL"}"#))
        #expect(diagnosis.format == "apple-ips")
        #expect(diagnosis.kind == .diagnostic)
        #expect(diagnosis.crash?.threads.contains { $0.isCrashed } == false)
    }

    @Test("two runs of one fault have one signature, other functions another")
    func signatures() {
        let report = Self.title("309") + Self.body(#"{"type":"EXC_BREAKPOINT","signal":"SIGTRAP"}"#)
        let moved = report.split(separator: "4369416192").joined(separator: "4000000000")
        let elsewhere = report.split(separator: "restock").joined(separator: "refund")
        #expect(recognize(report).signature != nil)
        #expect(recognize(report).signature == recognize(moved).signature)
        #expect(recognize(report).signature != recognize(elsewhere).signature)
    }
}

@Suite("Reports of Apple's systems in text")
struct AppleTextBodyTests {
    @Test("a crash of the older form is read")
    func crash() throws {
        let body = """
            Process:             Shop [2290]
            Version:             118 (3.4)
            Code Type:           ARM-64 (Native)

            Date/Time:           2020-03-02 18:07:48.6021 +0100
            Exception Type:  EXC_BREAKPOINT (SIGTRAP)
            Termination Reason: Namespace SIGNAL, Code 0x5

            Thread 0 name:  Dispatch queue: com.apple.main-thread
            Thread 0 Crashed:
            0   libsystem_kernel.dylib        \t0x00000001b6d3f1c0 0x1b6d10000 + 192960
            1   Shop                          \t0x0000000104c1d7a8 Shelf.restock(_:) + 120744 (Shelf.swift:52)
            2   UIKitCore                     \t0x00000001b6d3f1c0 -[UIApplication sendAction:to:from:forEvent:] + 92

            Thread 1:
            0   libsystem_kernel.dylib        \t0x00000001b6d3f1c0 mach_msg_trap + 8
            """
        let diagnosis = recognize(AppleIPSTests.title("109") + body)
        #expect(diagnosis.format == "apple-ips")
        #expect(diagnosis.kind == .crash)
        #expect(
            diagnosis.summary
                == "Shop 2.0[2290]: EXC_BREAKPOINT SIGTRAP in Shelf.restock(_:) at Shelf.swift:52 (iPhone OS 26.3 (23D5110))"
        )
        let frames = try #require(diagnosis.crash?.crashedThread?.frames)
        #expect(frames.map(\.isOwn) == [false, true, false])
        #expect(frames[0].moduleOffset == 192_960)
        #expect(frames[2].function == "-[UIApplication sendAction:to:from:forEvent:]")
        #expect(diagnosis.crash?.occurredAt == 1_583_168_868_602)
    }

    @Test("an excess is a diagnostic, unless the system has ended the process", arguments: ["none", "Process killed"])
    func excess(action: String) {
        let body = """
            Date/Time:        2026-03-16 09:00:21.000 +0100
            Command:          Shop
            PID:              733
            Event:            cpu usage
            Action taken:     \(action)
            CPU:              90 seconds cpu time over 114 seconds (78% cpu average)
            """
        let diagnosis = recognize(AppleIPSTests.title("202") + body)
        #expect(diagnosis.kind == (action == "none" ? .diagnostic : .crash))
        #expect(diagnosis.summary.hasPrefix("Shop 2.0[733]: cpu usage: 90 seconds cpu time"))
    }

    @Test("a report about the system has no process")
    func systemReport() {
        let body = "Incident Identifier: 41E7\nCrashReporter Key:   0000\nReset count: 1\n"
        #expect(recognize(AppleIPSTests.title("115") + body).kind == .diagnostic)
        #expect(recognize(AppleIPSTests.title("115") + body).format == "apple-ips")
    }

    @Test("text behind an object that has the mark is no report", arguments: ["a line\n", "2026 started\n"])
    func lookAlikes(text: String) {
        #expect(recognize(AppleIPSTests.title("109") + text).format == "text")
        #expect(recognize(#"{"bug_type":"enhancement","id":4}"#).format == "json")
    }
}
