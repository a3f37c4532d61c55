import Diagnosis
import Testing

@Suite("Reports of Node.js")
struct NodeReportTests {
    private func report(event: String, trigger: String, stack: String, process: Int = 2924) -> String {
        """

        {
          "header": {
            "reportVersion": 4, "event": "\(event)", "trigger": "\(trigger)",
            "dumpEventTime": "2026-11-22T11:13:04Z", "dumpEventTimeStamp": "1795345984631", "processId": \(process),
            "threadId": 0, "commandLine": ["/usr/bin/node", "--secret=x", "server.js"], "nodejsVersion": "v20.20.2",
            "arch": "x64", "platform": "linux", "osName": "Linux", "osRelease": "6.1.0", "osMachine": "x86_64"
          },
          "javascriptStack": \(stack),
          "nativeStack": [
            {"pc": "0x0000000000d5c4fa", "symbol": "node::TriggerNodeReport(v8::Isolate*) [/usr/bin/node]"},
            {"pc": "0x00007f0000001000", "symbol": "addon_fail() [/srv/app/build/Release/till.node]"}
          ],
          "sharedObjects": ["/lib/x86_64-linux-gnu/libc.so.6"]
        }
        """
    }

    private let stack = """
        {"message": "TypeError [ERR_INVALID_ARG]: no lines", "stack": ["of the invoice",
          "at new Ledger (/srv/app/node_modules/ledger/index.js:9:1)", "at async settle (file:///srv/app/pay.mjs:33:11)",
          "at eval (eval at run (/srv/app/vm.js:3:1), <anonymous>:1:7)", "at Array.map (<anonymous>)",
          "at /srv/app/index.js:4:1", "at node:internal/main/run_main_module:28:49"],
          "errorProperties": {"cause": "RangeError: total"}}
        """

    @Test("an exception that nobody caught is a crash with type, message, code and what caused it")
    func exception() throws {
        let diagnosis = recognize(self.report(event: "Exception", trigger: "Exception", stack: self.stack))
        #expect(diagnosis.format == "node-report")
        #expect(diagnosis.kind == .crash)
        let line = "node[2924] v20.20.2: Exception: TypeError [ERR_INVALID_ARG]: no lines"
        #expect(diagnosis.summary == "\(line) at async settle (file:///srv/app/pay.mjs:33:11)")
        let crash = try #require(diagnosis.crash)
        #expect(
            crash.cause
                == Crash.Cause(type: "TypeError", message: "no lines\nof the invoice", code: "ERR_INVALID_ARG"))
        #expect(crash.earlierCauses == [Crash.Cause(type: "RangeError", message: "total")])
        #expect(crash.occurredAt == 1_795_345_984_631)
        #expect(crash.system == Crash.System(name: "Linux", version: "6.1.0", architecture: "x86_64"))
        #expect(crash.runtime == Crash.Runtime(name: "Node.js", version: "v20.20.2"))
        #expect(crash.images.first?.path == "/lib/x86_64-linux-gnu/libc.so.6")
    }

    @Test("the frames are the innermost first, and packages and Node's own are not the program's")
    func frames() throws {
        let diagnosis = recognize(self.report(event: "Exception", trigger: "Exception", stack: self.stack))
        let frames = try #require(diagnosis.crash?.crashedThread?.frames)
        #expect(frames.map(\.function) == ["new Ledger", "settle", "eval", "Array.map", nil, nil])
        #expect(frames.map(\.isOwn) == [false, true, false, false, true, false])
        #expect(frames[1].file == "/srv/app/pay.mjs")
        #expect(frames[1].line == 33)
        #expect(frames[1].column == 11)
        #expect(diagnosis.crash?.threads.last?.frames.map(\.isOwn) == [false, true])
    }

    @Test("the end for want of memory has the native stack")
    func outOfMemory() throws {
        let event = "Allocation failed - JavaScript heap out of memory"
        let stack = #"{"message": "No stack.", "stack": ["Unavailable."], "errorProperties": {}}"#
        let diagnosis = recognize(self.report(event: event, trigger: "OOMError", stack: stack))
        #expect(diagnosis.kind == .crash)
        #expect(diagnosis.summary == "node[2924] v20.20.2: OOMError: \(event)")
        #expect(diagnosis.crash?.cause == Crash.Cause(type: "OOMError", message: event))
        #expect(diagnosis.crash?.crashedThread?.frames.first?.function == "node::TriggerNodeReport(v8::Isolate*)")
    }

    @Test(
        "a report that somebody asked for is no crash",
        arguments: [
            ("SIGUSR2", "Signal", #"{"message": "", "errorProperties": {}}"#, "Signal: SIGUSR2"),
            (
                "JavaScript API", "API",
                #"{"message": "Error [ERR_SYNTHETIC]: JavaScript Callstack", "stack": ["at f (/srv/a.js:1:2)"]}"#,
                "API: JavaScript API at f (/srv/a.js:1:2)"
            ),
        ])
    func requested(event: String, trigger: String, stack: String, words: String) {
        let diagnosis = recognize(self.report(event: event, trigger: trigger, stack: stack))
        #expect(diagnosis.kind == .diagnostic)
        #expect(diagnosis.summary == "node[2924] v20.20.2: \(words)")
        #expect(diagnosis.crash?.threads.contains { $0.isCrashed } == false)
    }

    @Test("a report without a stack is one, and so is a cut one")
    func fragments() {
        let header = #"{"nodejsVersion": "v20.1.0", "processId": 7, "trigger": "OOMError"}"#
        let short = recognize("\n{\n \"header\": \(header)}")
        #expect(short.format == "node-report")
        #expect(short.summary == "node[7] v20.1.0: OOMError")
        let whole = Array(self.report(event: "Exception", trigger: "Exception", stack: self.stack).utf8)
        let cut = recognize(Array(whole[..<(whole.count * 3 / 4)]))
        #expect(cut.format == "node-report (damaged)")
        #expect(cut.crash?.cause.type == "TypeError")
    }

    @Test("something that is thrown and no error is the message")
    func thrownText() {
        let stack = #"{"message": "a string: of no type", "errorProperties": {}}"#
        let diagnosis = recognize(self.report(event: "Exception", trigger: "Exception", stack: stack))
        #expect(diagnosis.crash?.cause == Crash.Cause(type: "Exception", message: "a string: of no type"))
    }

    @Test("two runs of one fault have one signature, other functions another")
    func signatures() {
        let report = { self.report(event: "Exception", trigger: "Exception", stack: $0, process: $1) }
        let elsewhere = self.stack.split(separator: "settle").joined(separator: "refund")
        let moved = self.stack.split(separator: ":33:11").joined(separator: ":34:2")
        let signature = recognize(report(self.stack, 1)).signature
        #expect(signature != nil)
        #expect(signature == recognize(report(moved, 2)).signature)
        #expect(signature != recognize(report(elsewhere, 1)).signature)
    }
}
