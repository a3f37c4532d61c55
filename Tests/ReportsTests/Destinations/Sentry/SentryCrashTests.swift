import Diagnosis
import TestSupport
import Testing

@testable import Reports

@Suite("a crash as an event")
struct SentryCrashTests {
    @Test("the first cause of a chain comes first, each with its own stack")
    func pythonChain() throws {
        let event = SentryEvent(
            of: """
                Traceback (most recent call last):
                  File "/srv/till/rates.py", line 19, in lookup
                    return TABLE[currency]
                KeyError: 'CHW'

                The above exception was the direct cause of the following exception:

                Traceback (most recent call last):
                  File "/srv/till/main.py", line 3, in <module>
                    convert()
                  File "/usr/lib/python3.12/till/rates.py", line 7, in convert
                rates.RateError: no rate for CHW

                """)
        #expect(event.json["platform"]?.stringValue == "python")
        let values = try #require(event.json["exception"]?["values"]?.arrayValue)
        #expect(values.map { $0["type"]?.stringValue } == ["KeyError", "RateError"])
        #expect(values.map { $0["module"]?.stringValue } == [nil, "rates"])
        #expect(values.map { $0["value"]?.stringValue } == ["'CHW'", "no rate for CHW"])
        #expect(values.map { $0["mechanism"]?["type"]?.stringValue } == ["chained", "excepthook"])
        #expect(values.map { $0["mechanism"]?["exception_id"]?.integerValue } == [1, 0])
        #expect(values.map { $0["mechanism"]?["parent_id"]?.integerValue } == [0, nil])
        let frame = values[0]["stacktrace"]?["frames"]?[0]
        #expect(frame?["function"]?.stringValue == "lookup")
        #expect(frame?["context_line"]?.stringValue == "return TABLE[currency]")
        #expect(frame?["filename"]?.stringValue == "rates.py")
        #expect(frame?["abs_path"]?.stringValue == "/srv/till/rates.py")
        #expect(event.frames.map { $0["function"]?.stringValue } == ["<module>", "convert"])
        #expect(event.frames.map { $0["in_app"]?.boolValue } == [true, false])
    }

    @Test("classes of Java stand apart from their methods")
    func javaChain() throws {
        let event = SentryEvent(
            of: """
                Exception in thread "main" com.shop.TillException: closed
                \tat com.shop.Ledger.post(Ledger.java:88)
                \tat java.base/java.util.ArrayList.forEach(ArrayList.java:1511)
                Caused by: java.lang.IllegalStateException: no drawer
                \tat com.shop.Drawer.kick(Drawer.java:9)
                \t... 2 more

                """)
        #expect(event.json["platform"]?.stringValue == "java")
        let values = try #require(event.json["exception"]?["values"]?.arrayValue)
        #expect(values.map { $0["type"]?.stringValue } == ["IllegalStateException", "TillException"])
        #expect(values.map { $0["module"]?.stringValue } == ["java.lang", "com.shop"])
        #expect(values[0]["stacktrace"]?["frames"]?[0]?["module"]?.stringValue == "com.shop.Drawer")
        #expect(event.frames.last?["module"]?.stringValue == "com.shop.Ledger")
        #expect(event.frames.last?["function"]?.stringValue == "post")
        #expect(event.frames.last?["lineno"]?.integerValue == 88)
        #expect(event.json["threads"]?["values"]?[0]?["name"]?.stringValue == "main")
    }

    @Test("goroutines are threads with their states; the crashed one has its stack in the exception")
    func goroutines() throws {
        let event = SentryEvent(
            of: """
                panic: till is closed

                goroutine 7 [running]:
                main.(*till).settle(0xc00012c000)
                \t/srv/till/till.go:58 +0x9a
                created by main.main in goroutine 1
                \t/srv/till/main.go:22 +0xe5

                goroutine 1 [chan receive, 5 minutes]:
                main.main()
                \t/srv/till/main.go:30 +0xe5

                """)
        #expect(event.json["platform"]?.stringValue == "go")
        #expect(event.exception?["type"]?.stringValue == "panic")
        #expect(event.exception?["thread_id"]?.integerValue == 7)
        #expect(event.frames.last?["module"]?.stringValue == "main")
        #expect(event.frames.last?["function"]?.stringValue == "(*till).settle")
        let threads = try #require(event.json["threads"]?["values"]?.arrayValue)
        #expect(threads.map { $0["id"]?.integerValue } == [7, 1])
        #expect(threads.map { $0["crashed"]?.boolValue } == [true, false])
        #expect(threads.map { $0["state"]?.stringValue } == ["running", "chan receive, 5 minutes"])
        #expect(threads[0]["stacktrace"] == nil)
        #expect(threads[1]["stacktrace"]?["frames"]?[0]?["function"]?.stringValue == "main")
    }

    @Test("addresses that lie within the call already are marked, and others are left to the server")
    func addresses() {
        var crash = Crash(cause: Crash.Cause(type: "SIGSEGV", signal: "SIGSEGV", address: 0x18))
        crash.threads = [
            Crash.Thread(
                isCrashed: true,
                frames: [0x1000, 0x2000].map { Crash.Frame(function: "f", address: $0, isOwn: true) })
        ]
        var event = SentryEvent(of: crash)
        #expect(event.frames.map { $0["instruction_addr"]?.stringValue } == ["0x2000", "0x1000"])
        #expect(event.exception?["stacktrace"]?["instruction_addr_adjustment"] == nil)
        crash.threads[0].frames[1].isReturnAddress = true
        event = SentryEvent(of: crash)
        #expect(event.frames.map { $0["instruction_addr"]?.stringValue } == ["0x1fff", "0x1000"])
        #expect(event.exception?["stacktrace"]?["instruction_addr_adjustment"]?.stringValue == "none")
        crash.threads[0].frames[1].isInlined = true
        #expect(SentryEvent(of: crash).frames[0]["instruction_addr"] == nil)
        #expect(event.exception?["value"]?.stringValue == "address 0x18")
        #expect(event.exception?["mechanism"]?["synthetic"]?.boolValue == true)
        #expect(event.exception?["mechanism"]?["meta"]?["signal"]?["number"]?.integerValue == 11)
    }

    @Test("a signal without any function is not synthetic, and is grouped by program and signal")
    func coreDump() throws {
        let event = try SentryEvent(of: CorpusFile.bytes(of: "core"), name: "core")
        #expect(event.exception?["mechanism"]?["synthetic"] == nil)
        #expect(event.exception?["mechanism"]?["type"]?.stringValue == "elf-core")
        let program = try #require(event.json["contexts"]?["app"]?["app_name"])
        #expect(event.json["fingerprint"] == .array([.string("elf-core"), program, event.exception?["type"] ?? .null]))
        #expect(event.exception?["stacktrace"]?["registers"]?["rip"] != nil)
        #expect(event.frames.last?["package"]?.stringValue?.hasPrefix("/") == true)
    }

    @Test(
        "how grave it is follows from the kind, and a fault that a checker found is an error",
        arguments: [
            (Diagnosis.Kind.crash, "gdb", "fatal", false), (.hang, "gdb", "error", true),
            (.diagnostic, "metrickit", "warning", true), (.diagnostic, "sanitizer", "error", true),
            (.diagnostic, "python-traceback", "error", true), (.log, "text", "info", true),
        ])
    func levels(kind: Diagnosis.Kind, format: String, level: String, isHandled: Bool) {
        let event = SentryEvent(of: Crash(cause: Crash.Cause(type: "fault")), format: format, kind: kind)
        #expect(event.json["level"]?.stringValue == level)
        #expect(event.exception?["mechanism"]?["handled"]?.boolValue == isHandled)
    }

    @Test("signals have the numbers of the system that the program ran on")
    func signals() {
        for (system, number) in [(nil, 7), ("Linux", 7), ("Android", 7), ("macOS", 10), ("FreeBSD", 10)] {
            var crash = Crash(cause: Crash.Cause(type: "SIGBUS", signal: "SIGBUS"))
            crash.system.name = system
            #expect(crash.signalNumber == Int64(number))
        }
        #expect(Crash(cause: Crash.Cause(type: "SIGNOT", signal: "SIGNOT")).signalNumber == nil)
    }
}
