import Diagnosis
import Testing

@Suite("Swift backtraces in JSON")
struct SwiftBacktraceTests {
    private let frames = """
        [{"kind": "programCounter", "address": "0x7f0000001010", "description": "_assertionFailure(_:_:file:line:flags:) + 16",
          "image": "IMAGE"},
         {"kind": "programCounter", "address": "0x7f0000001010", "inlined": true, "runtimeFailure": true,
          "description": "Swift runtime failure: Index out of range", "image": "checkout-service-worker"},
         {"kind": "returnAddress", "description": "thunk for closure", "thunk": true, "image": "checkout-service-worker"},
         {"kind": "returnAddress", "address": "0x0000560000000109", "symbol": "$s8checkout3payyyF", "offset": 9,
          "description": "pay() + 9", "image": "checkout-service-worker",
          "sourceLocation": {"file": "/src/Sources/Pay.swift", "line": 7, "column": 1}},
         {"kind": "omittedFrames", "count": 41},
         {"kind": "asyncResumePoint", "address": "0x0000560000000200", "system": true, "description": "async_MainTQ0_ + 0",
          "image": "checkout-service-worker",
          "sourceLocation": {"file": "//<compiler-generated>", "line": 0, "column": 0}}, {"kind": "truncated"}]
        """

    private func report(
        description: String = "Aborted", image: String = "libswiftCore.so", architecture: String = "x86_64",
        tail: String = "}\n"
    ) -> String {
        let frames = String(self.frames.split(separator: "IMAGE").joined(separator: image))
        return """
            { "timestamp": "2026-11-22T10:43:23.038846Z", "kind": "crashReport", "description": "\(description)",
              "faultAddress": "0x0000000000000018", "platform": "Linux (Debian GNU/Linux 12 (bookworm))",
              "architecture": "\(architecture)",
              "threads": [ {"frames": []}, { "name": "checkout-servic", "crashed": true, "frames": \(frames) } ],
              "images": [ { "name": "libc.so.6", "path": "/usr/lib/libc.so.6" },
                { "name": "checkout-service-worker", "buildId": "08D49417149187a2", "path": "/srv/bin/checkout-service-worker",
                  "baseAddress": "0x0000560000000000", "endOfText": "0x0000560000001000" } ]\(tail)
            """
    }

    @Test("the program is named in full, and the first frame that is its own, linked either way")
    func programAndPlace() {
        for image in ["libswiftCore.so", "checkout-service-worker"] {
            let diagnosis = recognize(self.report(image: image), name: "checkout-servic-12-0.0.json")
            #expect(diagnosis.format == "swift-backtrace-json")
            #expect(diagnosis.summary == "checkout-service-worker[12]: Aborted in pay() + 9 at Pay.swift:7")
            #expect(diagnosis.crash?.program == "checkout-service-worker")
            #expect(diagnosis.crash?.process == 12)
        }
    }

    @Test("frames without symbols are found by their addresses")
    func withoutSymbols() throws {
        let report = self.report().split(separator: "threads").first.map(String.init) ?? ""
        let diagnosis = recognize(
            report + """
                threads": [ { "name": "till", "crashed": true, "frames": [
                    { "kind": "programCounter", "address": "0x00007f0000001010" },
                    { "kind": "returnAddress", "address": "0x0000560000000109" },
                    { "kind": "returnAddress", "address": "0x0000000000000109" } ] } ],
                  "images": [ { "name": "libc.so.6", "path": "/usr/lib/libc.so.6", "baseAddress": "0x00007f0000000000",
                    "endOfText": "0x00007f0000100000" }, { "name": "till", "path": "/srv/till",
                    "baseAddress": "0x0000560000000000", "endOfText": "0x0000560000001000" } ] }
                """)
        let frames = try #require(diagnosis.crash?.crashedThread?.frames)
        #expect(frames.map(\.module) == ["/usr/lib/libc.so.6", "/srv/till", nil])
        #expect(frames.map(\.isOwn) == [false, true, false])
        #expect(frames.map(\.moduleOffset) == [0x1010, 0x109, nil])
        #expect(diagnosis.signature != nil)
    }

    @Test("time, system, runtime and images are those of the report")
    func surroundings() throws {
        let crash = try #require(recognize(self.report()).crash)
        #expect(crash.occurredAt == 1_795_344_203_038)
        #expect(crash.system.name == "Linux")
        #expect(crash.system.version == "Debian GNU/Linux 12 (bookworm)")
        #expect(crash.system.architecture == "x86_64")
        #expect(crash.runtime?.name == "Swift")
        let program = Crash.Image(
            path: "/srv/bin/checkout-service-worker", buildID: "08d49417149187a2", baseAddress: 0x5600_0000_0000,
            endAddress: 0x5600_0000_1000)
        #expect(crash.images.last == program)
    }

    @Test("each frame has what the backtracer knows, and what the compiler made is not the program's own")
    func stack() throws {
        let thread = try #require(recognize(self.report()).crash?.crashedThread)
        #expect(thread.name == "checkout-servic")
        #expect(thread.frames.map(\.isOwn) == [false, false, false, true, false, false])
        let own = thread.frames[3]
        #expect(own.function == "pay()")
        #expect(own.file == "/src/Sources/Pay.swift")
        #expect(own.line == 7)
        #expect(own.module == "/srv/bin/checkout-service-worker")
        #expect(own.moduleOffset == 0x109)
        #expect(thread.frames[4].function == "<41 frames omitted>")
        #expect(thread.frames[5].file == nil)
    }

    @Test(
        "the cause is the signal behind the description",
        arguments: [
            ("Illegal instruction", "SIGILL"), ("System trap", "SIGTRAP"), ("Aborted", "SIGABRT"),
            ("Bus error", "SIGBUS"), ("Floating point exception", "SIGFPE"), ("Bad pointer dereference", "SIGSEGV"),
            ("Terminated", "SIGQUIT"),
        ])
    func signals(description: String, signal: String) throws {
        let cause = try #require(recognize(self.report(description: description)).crash?.cause)
        #expect(cause.type == signal)
        #expect(cause.signal == signal)
        #expect(cause.message == description)
        #expect((cause.address == nil) == (signal == "SIGABRT" || signal == "SIGQUIT"))
    }

    @Test("a check of the runtime is a cause of its own", arguments: [("x86_64", "SIGILL"), ("arm64", "SIGTRAP")])
    func runtimeFailure(architecture: String, signal: String) throws {
        let diagnosis = recognize(
            self.report(description: "Swift runtime failure: arithmetic overflow", architecture: architecture),
            name: "checkout-servic-12-0.0.json")
        #expect(
            diagnosis.crash?.cause
                == Crash.Cause(
                    type: "Swift runtime failure", message: "arithmetic overflow", signal: signal, address: 0x18))
        #expect(diagnosis.summary.contains("]: Swift runtime failure: arithmetic overflow in pay() + 9"))
    }

    @Test(
        "the file's name tells the process",
        arguments: [
            ("shopd-12-0.0.json", "shopd[12]: "), ("my-app-12-3.4-2.json", "my-app[12]: "),
            ("my \"app\"-1-0.0.log", "my \"app\"[1]: "), ("-12-0.0.json", "Aborted"),
        ])
    func names(name: String, subject: String) {
        #expect(recognize(self.report(), name: name).summary.hasPrefix(subject))
    }

    @Test("what breaks the rules of JSON is sent as bytes, and still a crash with its stack")
    func damage() {
        let damages = [("", "truncated"), ("}\nPress space to interact", "damaged"), (", \"a\"b\"c\" }", "damaged")]
        for (tail, word) in damages {
            let diagnosis = recognize(self.report(tail: tail))
            #expect(diagnosis.format == "swift-backtrace-json (damaged)")
            #expect(diagnosis.contentType == "application/octet-stream")
            #expect(diagnosis.kind == .crash)
            #expect(diagnosis.summary.hasSuffix("— \(word)"))
            #expect(diagnosis.crash?.place?.function == "pay()")
        }
        let invalid = Array(self.report().utf8).map { $0 == UInt8(ascii: "P") ? 0xff : $0 }
        #expect(recognize(invalid).format == "swift-backtrace-json (damaged)")
    }

    @Test("a report among the lines of standard error is read, with the message that stands there alone")
    func standardError() throws {
        let line = self.report(description: "Illegal instruction").split(separator: "\n").joined(separator: " ")
        let output = """
            2026-11-28 08:00:00 INFO listening
            Pay.swift:7: Fatal error: ledger is closed

            *** Signal 4: Backtracing from 0x7f5f182f9361... done ***

            \(line)
            restarting

            """
        let diagnosis = recognize(output)
        #expect(diagnosis.format == "swift-stderr")
        #expect(diagnosis.kind == .crash)
        #expect(diagnosis.contentType == "text/plain; charset=utf-8")
        #expect(diagnosis.summary == "swift: Fatal error: ledger is closed in pay() at Pay.swift:7")
        let crash = try #require(diagnosis.crash)
        #expect(crash.cause.signal == "SIGILL")
        #expect(crash.images.count == 2)
        let bare = recognize("started\n\(line)\n")
        #expect(bare.summary == "Illegal instruction in pay() + 9 at Pay.swift:7 (thread checkout-servic)")
        #expect(recognize("started\n{ \"timestamp\": \"x\", \"kind\": \"other\" }\n").format == "text")
    }

    @Test("a report may end anywhere")
    func everyCut() {
        let bytes = Array(self.report().utf8)
        for length in stride(from: 80, to: bytes.count - 1, by: 7) {
            let diagnosis = recognize(Array(bytes[..<length]))
            #expect(diagnosis.format == "swift-backtrace-json (damaged)")
            #expect(diagnosis.kind == .crash)
        }
    }

    @Test("two runs of one fault have one signature, other functions another")
    func signatures() {
        let report = self.report()
        let other = report.split(separator: "0x0000560").joined(separator: "0x0000550")
        let elsewhere = report.split(separator: "pay()").joined(separator: "refund()")
        let signature = recognize(report, name: "shopd-12-0.0.json").signature
        #expect(signature != nil)
        #expect(signature == recognize(other, name: "shopd-77-0.0.json").signature)
        #expect(signature != recognize(elsewhere, name: "shopd-12-0.0.json").signature)
    }
}
