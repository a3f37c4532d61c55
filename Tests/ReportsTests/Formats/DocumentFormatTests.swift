import Reports
import Testing

@Suite("Formats in JSON")
struct DocumentFormatTests {
    private let frames = """
        [{"kind": "programCounter", "description": "_assertionFailure(_:_:file:line:flags:) + 1", "image": "IMAGE"},
         {"kind": "returnAddress", "description": "thunk for closure", "thunk": true, "image": "checkout"},
         {"kind": "returnAddress", "description": "pay() + 9", "image": "checkout-service-worker",
          "sourceLocation": {"file": "/src/Sources/Pay.swift", "line": 7, "column": 1}}]
        """

    private func crash(image: String, tail: String = "}\n") -> String {
        let frames = String(self.frames.split(separator: "IMAGE").joined(separator: image))
        return """
            { "timestamp": "2026-11-22T10:43:23Z", "kind": "crashReport", "description": "Aborted",
              "threads": [ { "name": "checkout-servic", "crashed": true, "frames": \(frames) } ],
              "images": [ { "name": "libc.so.6" }, { "name": "checkout-service-worker" } ]\(tail)
            """
    }

    @Test("A Swift report names the program in full, and the first frame that is its own, linked either way")
    func swiftFrames() {
        for image in ["libswiftCore.so", "checkout-service-worker"] {
            let recognition = recognize(self.crash(image: image))
            #expect(recognition.format == "swift-backtrace-json")
            #expect(recognition.summary == "checkout-service-worker: Aborted in pay() + 9 at Pay.swift:7")
        }
    }

    @Test(
        "The file's name tells the process",
        arguments: [
            ("shopd-12-0.0.json", "shopd[12]: "), ("my-app-12-3.4-2.json", "my-app[12]: "),
            ("my \"app\"-1-0.0.log", "my \"app\"[1]: "), ("shopd-0.0.json", "checkout-service-worker: "),
            ("notes.json", "checkout-service-worker: "), ("-12-0.0.json", "checkout-service-worker: "),
        ])
    func swiftNames(name: String, subject: String) {
        #expect(recognize(self.crash(image: "libc.so.6"), name: name).summary.hasPrefix(subject + "Aborted in pay()"))
    }

    @Test("What breaks the rules of JSON is sent as bytes, and still a crash")
    func swiftDamage() {
        let damages = [("", "truncated"), ("}\nPress space to interact", "damaged"), (", \"a\"b\"c\" }", "damaged")]
        for (tail, word) in damages {
            let recognition = recognize(self.crash(image: "libc.so.6", tail: tail))
            #expect(recognition.format == "swift-backtrace-json (damaged)")
            #expect(recognition.contentType == "application/octet-stream")
            #expect(recognition.kind == .crash)
            #expect(recognition.summary.hasSuffix("— \(word)"))
        }
        let invalid = Array(self.crash(image: "libc").utf8).map { $0 == UInt8(ascii: "P") ? 0xff : $0 }
        #expect(recognize(invalid).format == "swift-backtrace-json (damaged)")
    }

    @Test("MetricKit is a crash, a hang or a diagnostic, by what it holds")
    func metricKit() {
        func payload(_ category: String, _ items: String) -> Recognition {
            recognize(#"{"timeStampBegin":"2026-01-01 00:00:00","\#(category)Diagnostics":\#(items)}"#)
        }
        #expect(payload("crash", "[{}]").kind == .crash)
        #expect(payload("crash", "[]").kind == .diagnostic)
        #expect(payload("hang", "[{}]").kind == .hang)
        #expect(payload("cpuException", "[{}]").kind == .diagnostic)
        #expect(payload("appLaunch", "[{}, {}]").summary == "2 appLaunch")
        #expect(recognize(#"{"crashDiagnostics":[]}"#).format == "json")
    }

    @Test("KSCrash tells program, version, error and reason")
    func ksCrash() {
        let recognition = recognize(
            """
            {"binary_images":[],"system":{"process_name":"Shop","CFBundleShortVersionString":"1.2"},
            "crash":{"error":{"type":"nsexception","nsexception":{"name":"NSRangeException"},"signal":{"name":"SIGABRT"},
            "reason":"index 3 beyond bounds"}}}
            """)
        #expect(recognition.format == "kscrash")
        #expect(recognition.kind == .crash)
        #expect(recognition.summary == "Shop 1.2: nsexception NSRangeException SIGABRT: index 3 beyond bounds")
    }

    @Test("A report of Node without a stack is one")
    func nodeWithoutStack() {
        let recognition = recognize(
            "\n{\n \"header\": {\"nodejsVersion\": \"v20.1.0\", \"processId\": 7, \"trigger\": \"OOMError\"}}")
        #expect(recognition.format == "node-report")
        #expect(recognition.summary == "node[7] v20.1.0: OOMError")
    }

    @Test("Apple's two objects are text, also when the second is missing")
    func appleIPS() {
        let title = #"{"app_name":"Shop","app_version":"2.0","bug_type":"309","os_version":"iOS 18"}"#
        let whole = recognize(title + "\n" + #"{"procName":"Shop","pid":4,"exception":{"type":"EXC_CRASH"}}"#)
        #expect(whole.contentType == "text/plain; charset=utf-8")
        #expect(whole.summary == "Shop 2.0[4]: EXC_CRASH (iOS 18)")
        #expect(recognize(title).summary == "Shop 2.0: report (iOS 18)")
        #expect(recognize(title).kind == .crash)
    }

    @Test("Journal lines are counted, and a core dump among them is a crash")
    func journalLines() {
        let line = #"{"__CURSOR":"s=1","__REALTIME_TIMESTAMP":"1","MESSAGE":[1,2]}"# + "\n"
        #expect(recognize(line + line).format == "journal-json")
        #expect(recognize(line + line).contentType == "application/x-ndjson")
        #expect(recognize(line + line).summary == "2 journal entries")
        #expect(recognize(line + line).kind == .log)
        let core =
            #"{"__REALTIME_TIMESTAMP":"2","COREDUMP_COMM":"w","COREDUMP_PID":"9","COREDUMP_SIGNAL_NAME":"SIGBUS"}"#
        #expect(recognize(line + core).summary == "2 journal entries; coredump of w[9] SIGBUS")
        #expect(recognize(line + core).kind == .crash)
    }

    @Test("Other JSON is a diagnostic, and what only begins like it is a log")
    func otherJSON() {
        #expect(recognize("{ \"a\": 1 }\n").format == "json")
        #expect(recognize("[1, 2]").contentType == "application/json")
        #expect(recognize("[1, 2]").kind == .diagnostic)
        for text in ["{", "{not json}", "[2026-01-01] started\n", "{\"a\":1}\n{\"a\":2}\n"] {
            #expect(recognize(text).format == "text")
            #expect(recognize(text).kind == .log)
        }
    }
}
