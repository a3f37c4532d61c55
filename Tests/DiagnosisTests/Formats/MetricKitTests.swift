import Diagnosis
import Testing

@Suite("Payloads of MetricKit")
struct MetricKitTests {
    /// Frames inside each other, the fields behind the inner frames as the system writes them.
    private func frames(_ names: [String], samples: Int = 1) -> String {
        let open = names.indices.map { $0 == 0 ? "[{" : #""subFrames":[{"# }.joined()
        let close = names.enumerated().reversed().map { index, name in
            (index == names.count - 1 ? "" : ",")
                + #""binaryUUID":"0F6D2F7E-58A1-3D77-93C0-4A0B5E1C9D2\#(index % 10)","binaryName":"\#(name)","#
                + #""offsetIntoBinaryTextSegment":\#(100 + index),"address":\#(4_000_000_100 + index),"sampleCount":\#(samples)}]"#
        }.joined()
        return open + close
    }

    private let metadata = """
        {"bundleIdentifier":"com.example.Stockroom","appVersion":"4.1","appBuildVersion":"204",
         "osVersion":"iPhone OS 17.4 (21E219)","deviceType":"iPhone14,7","platformArchitecture":"arm64e",
         "signal":6,"exceptionType":10,"exceptionCode":0,"terminationReason":"Namespace SIGNAL, Code 6","pid":733 EXTRA}
        """

    private func crashes(_ names: [String], extra: String = "") -> String {
        let metadata = self.metadata.split(separator: "EXTRA").joined(separator: extra)
        return """
            {"crashDiagnostics":[{"version":"1.0.0","callStackTree":{"callStacks":[
              {"threadAttributed":false,"callStackRootFrames":\(self.frames(["libsystem_kernel.dylib"]))},
              {"threadAttributed":true,"callStackRootFrames":\(self.frames(names))}],"callStackPerThread":true},
              "diagnosticMetaData":\(metadata)}],
             "timeStampBegin":"2026-03-15 09:00:00","timeStampEnd":"2026-03-15 10:00:00 +0100"}
            """
    }

    @Test("a crash has its exception, its signal, and the stack of the thread it is attributed to")
    func crash() throws {
        let diagnosis = recognize(self.crashes(["libsystem_kernel.dylib", "Stockroom", "UIKitCore"]))
        #expect(diagnosis.format == "metrickit")
        #expect(diagnosis.kind == .crash)
        #expect(
            diagnosis.summary
                == "com.example.Stockroom 4.1 (204): 1 crash; SIGABRT Namespace SIGNAL, Code 6 (iPhone OS 17.4 (21E219), iPhone14,7)"
        )
        let crash = try #require(diagnosis.crash)
        #expect(
            crash.cause
                == Crash.Cause(type: "EXC_CRASH", message: "Namespace SIGNAL, Code 6", signal: "SIGABRT"))
        #expect(crash.process == 733)
        #expect(crash.system == Crash.System(name: "iPhone OS", version: "17.4 (21E219)", architecture: "arm64e"))
        #expect(crash.occurredAt == 1_773_565_200_000)
        let thread = try #require(crash.crashedThread)
        #expect(thread.number == 1)
        #expect(thread.frames.map(\.module) == ["libsystem_kernel.dylib", "Stockroom", "UIKitCore"])
        #expect(thread.frames.map(\.isOwn) == [false, true, false])
        #expect(thread.frames[1].moduleOffset == 101)
        #expect(crash.images.map(\.buildID).first == "0f6d2f7e58a13d7793c04a0b5e1c9d20")
        #expect(crash.images.first?.baseAddress == 4_000_000_000)
    }

    @Test("a bad access has its address and its code")
    func badAccess() {
        let metadata =
            #"{"signal":11,"exceptionType":1,"exceptionCode":1,"virtualMemoryRegionInfo":"0x10 is not in any region."}"#
        let diagnosis = recognize(#"{"timeStampBegin":"a","crashDiagnostics":[{"diagnosticMetaData":\#(metadata)}]}"#)
        #expect(
            diagnosis.crash?.cause
                == Crash.Cause(type: "EXC_BAD_ACCESS", signal: "SIGSEGV", code: "KERN_INVALID_ADDRESS", address: 16))
    }

    @Test("the exception of iOS 17 is the cause", arguments: ["exceptionReason", "objectiveCexceptionReason"])
    func exceptionReason(key: String) {
        let names = #""className":"NSException","exceptionName":"NSRangeException""#
        let reason = #","\#(key)":{"composedMessage":"index 7 beyond bounds",\#(names)}"#
        let diagnosis = recognize(self.crashes(["Stockroom"], extra: reason))
        #expect(
            diagnosis.crash?.cause
                == Crash.Cause(
                    type: "NSRangeException", message: "index 7 beyond bounds", signal: "SIGABRT", code: "EXC_CRASH"))
        #expect(diagnosis.summary.contains("1 crash; NSRangeException: index 7 beyond bounds (iPhone"))
    }

    @Test("a stack of thousands of frames inside each other is read to its end, without recursion")
    func deepStack() throws {
        let names = (0..<2_000).map { $0 == 1_999 ? "Stockroom" : "libdyld.dylib" }
        let frames = try #require(recognize(self.crashes(names)).crash?.crashedThread?.frames)
        #expect(frames.count == Crash.Bounds.frameCount)
        #expect(frames.last?.module == "Stockroom")
    }

    @Test("samples have the outermost frame at the root, and the most sampled way counts")
    func samples() throws {
        let tree = """
            [{"binaryName":"dyld","sampleCount":9,"subFrames":[
              {"binaryName":"libc++.1.dylib","sampleCount":2,"subFrames":[{"binaryName":"Other","sampleCount":2}]},
              {"binaryName":"Stockroom","sampleCount":7,"subFrames":[{"binaryName":"CoreFoundation","sampleCount":6}]}]}]
            """
        let diagnosis = recognize(
            """
            {"timeStampBegin":"x","cpuExceptionDiagnostics":[{"diagnosticMetaData":{"totalCPUTime":"90 sec"},
             "callStackTree":{"callStackPerThread":false,"callStacks":[{"callStackRootFrames":\(tree)}]}}]}
            """)
        #expect(diagnosis.kind == .diagnostic)
        #expect(diagnosis.crash?.cause == Crash.Cause(type: "MXCPUExceptionDiagnostic", message: "90 sec"))
        #expect(diagnosis.crash?.threads.first?.frames.map(\.module) == ["CoreFoundation", "Stockroom", "dyld"])
        #expect(diagnosis.crash?.threads.first?.isCrashed == false)
    }

    @Test("it is a crash, a hang or a diagnostic, by the worst that it holds")
    func kinds() {
        func payload(_ category: String, _ items: String) -> Diagnosis {
            recognize(#"{"timeStampBegin":"2026-01-01 00:00:00","\#(category)Diagnostics":\#(items)}"#)
        }
        #expect(payload("crash", "[{}]").kind == .crash)
        #expect(payload("crash", "[]").kind == .diagnostic)
        #expect(payload("hang", #"[{"diagnosticMetaData":{"hangDuration":"20 sec"}}]"#).kind == .hang)
        #expect(payload("hang", "[{}]").crash?.cause.type == "MXHangDiagnostic")
        #expect(payload("diskWriteException", "[{}]").kind == .diagnostic)
        #expect(payload("appLaunch", "[{}, {}]").summary.hasPrefix("2 appLaunch"))
        #expect(recognize(#"{"crashDiagnostics":[]}"#).format == "json")
        #expect(recognize(#"{"timeStampBegin":"a","timeStampEnd":"b"}"#).format == "json")
    }

    @Test("two runs of one fault have one signature, other places another")
    func signatures() {
        let signature = recognize(self.crashes(["Stockroom", "UIKitCore"])).signature
        let moved = self.crashes(["Stockroom", "UIKitCore"]).split(separator: "4000000").joined(separator: "5000000")
        #expect(signature != nil)
        #expect(signature == recognize(moved).signature)
        #expect(signature != recognize(self.crashes(["UIKitCore", "Stockroom"])).signature)
    }
}
