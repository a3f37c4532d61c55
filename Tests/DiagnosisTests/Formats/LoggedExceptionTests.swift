import Diagnosis
import Testing

@Suite("Exceptions in structured logs")
struct LoggedExceptionTests {
    private let java =
        #"java.lang.IllegalStateException: no rate\n\tat com.shop.Till.pay(Till.java:31)\n\t"#
        + #"at com.shop.Main.main(Main.java:4)\nCaused by: java.lang.NullPointerException: shelf\n\t... 2 more"#
    private let javaScript =
        #"TypeError: no rate\n    at rate (/srv/app/rates.js:31:5)\n    at main (/srv/app/main.js:3:1)"#
    private let dotNet =
        #"System.InvalidOperationException: no rate\n   at Shop.Till.Pay(String sku) in /src/Till.cs:line 31\n"#
        + #"   at Shop.Program.Main(String[] args)"#

    @Test("an exception of Java has its cause, and its program went on")
    func javaError() throws {
        for line in [
            #"{"log.level":"ERROR","message":"no sale","error.stack_trace":"\#(self.java)"}"#,
            #"{"level":"ERROR","message":"no sale","stack_trace":"\#(self.java)"}"#,
            #"{"level":"ERROR","message":"no sale","thrown":{"name":"x","extendedStackTrace":"\#(self.java)"}}"#,
        ] {
            let diagnosis = recognize(#"{"level":"INFO","message":"begun"}"# + "\n" + line + "\n")
            #expect(diagnosis.format == "jvm-logged")
            #expect(diagnosis.kind == .diagnostic)
            #expect(diagnosis.contentType == "application/x-ndjson")
            let place = "in com.shop.Till.pay at Till.java:31"
            #expect(diagnosis.summary == "java: java.lang.IllegalStateException: no rate \(place)")
            #expect(diagnosis.crash?.earlierCauses.map(\.type) == ["java.lang.NullPointerException"])
            #expect(diagnosis.signature != nil)
        }
    }

    @Test("an entry of the highest level tells of a crash, with the process that bunyan and pino name")
    func fatal() throws {
        let error = #""err":{"message":"no rate","name":"TypeError","stack":"\#(self.javaScript)"}"#
        let diagnosis = recognize(#"{"name":"till","hostname":"a","pid":7,"level":60,\#(error),"msg":"end","v":0}"#)
        #expect(diagnosis.format == "node-logged")
        #expect(diagnosis.kind == .crash)
        #expect(diagnosis.summary == "till[7]: TypeError: no rate in rate at rates.js:31")
        #expect(diagnosis.contentType == "application/json")
        let serilog = recognize(#"{"@t":"2026-11-22T11:13:03Z","@mt":"Ended","@l":"Fatal","@x":"\#(self.dotNet)"}"#)
        #expect(serilog.format == "dotnet-logged")
        #expect(serilog.kind == .crash)
        #expect(
            serilog.summary == "dotnet: System.InvalidOperationException: no rate in Shop.Till.Pay at Till.cs:31")
    }

    @Test("a stack of zap has the message and the functions")
    func zap() {
        let stack =
            #"main.(*till).pay\n\t/srv/app/till.go:31\n"#
            + #"main.main\n\t/srv/app/main.go:4\nruntime.main\n\t/go/src/runtime/proc.go:2"#
        let diagnosis = recognize(#"{"level":"panic","ts":1.5,"msg":"no rate","stacktrace":"\#(stack)"}"# + "\n")
        #expect(diagnosis.format == "go-logged")
        #expect(diagnosis.kind == .crash)
        #expect(diagnosis.summary == "go: panic: no rate in main.(*till).pay at till.go:31")
        #expect(diagnosis.crash?.crashedThread?.frames.map(\.isOwn) == [true, true, false])
    }

    @Test("the last exception counts, unless an earlier one ended the program")
    func worst() {
        func entry(_ level: String, _ type: String) -> String {
            #"{"level":"\#(level)","message":"m","stack":"a.\#(type): m\n\tat com.shop.Till.pay(Till.java:1)"}"# + "\n"
        }
        #expect(recognize(entry("error", "A") + entry("error", "B")).crash?.cause.type == "a.B")
        #expect(recognize(entry("fatal", "A") + entry("error", "B")).crash?.cause.type == "a.A")
        #expect(recognize(entry("fatal", "A") + entry("fatal", "B")).crash?.cause.type == "a.B")
    }

    @Test("what a service wraps is read like an entry")
    func wrapped() {
        let diagnosis = recognize(#"{"insertId":"a","jsonPayload":{"message":"m","stack_trace":"\#(self.java)"}}"#)
        #expect(diagnosis.format == "jvm-logged")
        let trace = #"Traceback (most recent call last):\n  File \"/srv/a.py\", line 3, in pay\n    x\nKeyError: 1"#
        #expect(recognize(#"{"insertId":"a","jsonPayload":{"message":"\#(trace)"}}"#).format == "python-traceback")
    }

    @Test(
        "words about exceptions are no exceptions",
        arguments: [
            #"{"level":"fatal","message":"m","stack":"net"}"#,
            #"{"level":"fatal","message":"m","stack":"Error: none"}"#,
            #"{"level":"fatal","message":"m","stack":"    at rate (/srv/app/rates.js:31:5)"}"#,
            #"{"level":"fatal","message":"m","error":"We met:\n at noon (the station)"}"#,
            #"{"message":"m","exception":{"stack":[1,2]}}"#,
        ])
    func lookAlikes(line: String) {
        #expect(recognize(line).format == "json")
        #expect(recognize(line + "\n" + line).format == "text")
    }
}
