import Diagnosis
import Testing

@Suite("Reports of KSCrash")
struct KSCrashTests {
    private let images = """
        [{"image_addr":4362076160,"image_size":262144,"name":"/private/var/containers/Bundle/Application/1/Shop.app/Shop",
          "uuid":"0F6D2F7E-58A1-3D77-93C0-4A0B5E1C9D21"},
         {"image_addr":6442450944,"image_size":65536,"name":"/usr/lib/system/libsystem_kernel.dylib","uuid":null}]
        """
    private let threads = """
        [{"index":0,"crashed":false,"name":"main","backtrace":{"contents":[]}},
         {"index":3,"crashed":true,"dispatch_queue":"com.example.sync","backtrace":{"skipped":0,"contents":[
           {"instruction_addr":6442450960,"object_name":"libsystem_kernel.dylib","symbol_name":"__pthread_kill"},
           {"instruction_addr":4362080256,"object_addr":4362076160,"object_name":"Shop","symbol_name":"-[Shelf restock:]"},
           {"instruction_addr":4362084352}]}}]
        """
    private let system = """
        {"process_name":"Shop","CFBundleExecutable":"Shop","CFBundleShortVersionString":"1.2","process_id":733,
         "system_name":"iOS","system_version":"26.3","cpu_arch":"arm64"}
        """

    private func report(_ error: String, threads: String? = nil, extra: String = "") -> String {
        """
        {"report":{"id":"6C1D","timestamp":1795346012,"type":"standard"},"binary_images":\(self.images),
         "process":{},"system":\(self.system),"crash":{"error":\(error),"threads":\(threads ?? self.threads)\(extra)}}
        """
    }

    private let exception = """
        {"type":"nsexception","nsexception":{"name":"NSRangeException"},"reason":"index 3 beyond bounds","address":0,
         "signal":{"name":"SIGABRT","signal":6},"mach":{"exception_name":"EXC_CRASH","code_name":"KERN_SUCCESS"}}
        """

    @Test("an exception has its name and reason, and the crash its program, time, system and images")
    func exceptionReport() throws {
        let diagnosis = recognize(self.report(self.exception))
        #expect(diagnosis.format == "kscrash")
        #expect(diagnosis.kind == .crash)
        #expect(diagnosis.summary == "Shop 1.2[733]: NSRangeException: index 3 beyond bounds in -[Shelf restock:]")
        let crash = try #require(diagnosis.crash)
        #expect(crash.cause.type == "NSRangeException")
        #expect(crash.cause.signal == "SIGABRT")
        #expect(crash.cause.address == nil)
        #expect(crash.occurredAt == 1_795_346_012_000)
        #expect(crash.system == Crash.System(name: "iOS", version: "26.3", architecture: "arm64"))
        #expect(crash.images.map(\.buildID) == ["0f6d2f7e58a13d7793c04a0b5e1c9d21", nil])
        #expect(crash.images.first?.endAddress == 4_362_338_304)
    }

    @Test("frames without symbols are found by their addresses")
    func frames() throws {
        let thread = try #require(recognize(self.report(self.exception)).crash?.crashedThread)
        #expect(thread.number == 3)
        #expect(thread.name == "com.example.sync")
        #expect(thread.frames.map(\.isOwn) == [false, true, true])
        #expect(thread.frames[2].module?.hasSuffix("/Shop") == true)
        #expect(thread.frames[2].moduleOffset == 8_192)
    }

    @Test(
        "the type of the error tells where the cause stands",
        arguments: [
            (
                """
                {"type":"mach","address":16,"signal":{"name":"SIGSEGV"},
                 "mach":{"exception_name":"EXC_BAD_ACCESS","code_name":"KERN_INVALID_ADDRESS"}}
                """,
                Crash.Cause(
                    type: "EXC_BAD_ACCESS", message: "Attempted to dereference null pointer.", signal: "SIGSEGV",
                    code: "KERN_INVALID_ADDRESS", address: 16)
            ),
            (
                #"{"type":"signal","address":0,"signal":{"name":"SIGABRT","code_name":"SI_USER"}}"#,
                Crash.Cause(
                    type: "SIGABRT", message: "Attempted to dereference null pointer.", signal: "SIGABRT",
                    code: "SI_USER")
            ),
            (
                #"{"type":"cpp_exception","cpp_exception":{"name":"std::out_of_range"},"reason":"vector"}"#,
                Crash.Cause(type: "std::out_of_range", message: "vector")
            ),
            (
                #"{"type":"memory_termination","memory_termination":{"memory_pressure":"urgent","memory_level":"terminal"}}"#,
                Crash.Cause(type: "killed for memory", message: "pressure urgent, level terminal")
            ),
        ])
    func causes(error: String, cause: Crash.Cause) {
        let extra = #","diagnosis":"Attempted to dereference null pointer.""#
        let diagnosis = recognize(self.report(error, extra: extra))
        #expect(diagnosis.crash?.cause == cause)
        #expect(diagnosis.kind == .crash)
    }

    @Test("a program that does not answer is a hang, and one that goes on has not crashed")
    func kinds() {
        #expect(recognize(self.report(#"{"type":"deadlock"}"#)).kind == .hang)
        #expect(recognize(self.report(#"{"type":"hang","is_fatal":false}"#)).kind == .hang)
        #expect(recognize(self.report(#"{"type":"user","is_fatal":false}"#)).kind == .diagnostic)
        #expect(recognize(self.report(#"{"type":"user","is_fatal":true}"#)).kind == .crash)
    }

    @Test("what ended a program is told by its next start")
    func termination() {
        let error = """
            {"type":"resource_termination","termination_reason":"low_battery","is_fatal":true,
             "signal":{"name":"SIGKILL"},"exit_reason":{"code":2343432205}}
            """
        #expect(
            recognize(self.report(error)).crash?.cause
                == Crash.Cause(
                    type: "killed by the system", message: "low_battery", signal: "SIGKILL", code: "0x8badf00d"))
    }

    @Test("an error that the program reports itself may bring a stack in a language of its own")
    func userReported() {
        let error = """
            {"type":"user","reason":"no rate","user_reported":{"name":"RateError","language":"javascript",
             "backtrace":["at rate (rates.js:3:1)","main"]}}
            """
        let crash = recognize(self.report(error)).crash
        #expect(crash?.cause == Crash.Cause(type: "RateError", message: "no rate"))
        #expect(crash?.crashedThread?.frames.map(\.function) == ["rate", "main"])
        #expect(crash?.crashedThread?.frames.map(\.isOwn) == [true, true])
        #expect(crash?.threads.filter(\.isCrashed).count == 1)
        #expect(recognize(self.report(error)).summary == "Shop 1.2[733]: RateError: no rate in rate at rates.js:3")
    }

    @Test("of a crash in the handler the first crash counts")
    func recrash() {
        let inner = #"{"error":\#(self.exception),"threads":\#(self.threads)}"#
        let diagnosis = recognize(
            """
            {"report":{"type":"minimal","timestamp":"2026-11-22T11:13:32.500Z"},
             "crash":{"error":{"type":"signal","signal":{"name":"SIGSEGV"}},"crashed_thread":{"crashed":true}},
             "recrash_report":{"system":\(self.system),"binary_images":\(self.images),"crash":\(inner)}}
            """)
        #expect(diagnosis.summary == "Shop 1.2[733]: NSRangeException: index 3 beyond bounds in -[Shelf restock:]")
        #expect(diagnosis.crash?.occurredAt == 1_795_346_012_500)
        let alone = #"{"report":{},"crash":{"error":{"type":"signal","signal":{"name":"SIGSEGV"}}}}"#
        #expect(recognize(alone).summary == "SIGSEGV")
    }

    @Test("JSON with a member named crash is no report")
    func lookAlikes() {
        for text in [#"{"crash":{"error":{"type":"x"}}}"#, #"{"crash":true,"system":{}}"#, #"{"binary_images":[]}"#] {
            #expect(recognize(text).format == "json")
        }
    }

    @Test("a cut report gives what it has, and a number that is none does no harm")
    func cut() {
        let bytes = Array(self.report(self.exception).utf8)
        let cut = recognize(Array(bytes[..<(bytes.count - 300)]))
        #expect(cut.format == "kscrash (damaged)")
        #expect(cut.crash?.cause.type == "NSRangeException")
        let odd = self.report(self.exception).split(separator: "262144").joined(separator: "18446744073709551615")
        #expect(recognize(odd).crash?.images.first?.endAddress == nil)
    }

    @Test("two runs of one fault have one signature, other functions another")
    func signatures() {
        let report = self.report(self.exception)
        let moved = report.split(separator: "4362").joined(separator: "4262")
        let elsewhere = report.split(separator: "restock").joined(separator: "refund")
        #expect(recognize(report).signature != nil)
        #expect(recognize(report).signature == recognize(moved).signature)
        #expect(recognize(report).signature != recognize(elsewhere).signature)
    }
}
