import Diagnosis
import Testing

@Suite("Other documents in JSON")
struct OtherDocumentTests {
    @Test("a crash report of .NET has the exception and the stack of its thread")
    func dotNet() throws {
        let diagnosis = recognize(
            """
            {
              "payload" : { "protocol_version" : "1.0.0",
                "configuration" : { "architecture" : "amd64", "version" : "8.0.824.36612 @Commit: 1" },
                "process_name" : "Shop", "threads" : [
                  { "is_managed" : "false", "crashed" : "false", "native_thread_id" : "0x1be5", "stack_frames" : [] },
                  { "is_managed" : "true", "crashed" : "true", "managed_exception_type" : "System.InvalidOperationException",
                    "managed_exception_hresult" : "0x80131509", "native_thread_id" : "0x1be6", "stack_frames" : [
                    { "is_managed" : "false", "module_address" : "0x7f0000000000", "native_address" : "0x7f0000000100",
                      "unmanaged_name" : "abort", "native_module" : "libc.so.6" },
                    { "is_managed" : "true", "native_address" : "0x7f1000000100", "method_name" : "System.Linq.Enumerable.First(x)",
                      "filename" : "System.Linq.dll" },
                    { "is_managed" : "true", "native_address" : "0x7f2000000100", "method_name" : "Shop.Till.Pay(Decimal)",
                      "filename" : "Shop.dll" } ] } ] }
            }
            """)
        #expect(diagnosis.format == "dotnet-crashreport")
        #expect(diagnosis.kind == .crash)
        #expect(diagnosis.summary == "Shop: System.InvalidOperationException in Shop.Till.Pay")
        let crash = try #require(diagnosis.crash)
        #expect(crash.cause == Crash.Cause(type: "System.InvalidOperationException", code: "0x80131509"))
        #expect(crash.runtime == Crash.Runtime(name: ".NET", version: "8.0.824.36612"))
        #expect(crash.crashedThread?.number == 0x1be6)
        #expect(crash.crashedThread?.frames.map(\.isOwn) == [false, false, true])
        #expect(crash.crashedThread?.frames.first?.moduleOffset == 0x100)
        #expect(diagnosis.signature != nil)
    }

    @Test("a dump of .NET that somebody asked for is no crash")
    func requestedDotNet() {
        let text = #"{"payload":{"protocol_version":"1.0.0","process_name":"Shop","threads":[{"crashed":"false"}]}}"#
        #expect(recognize(text).kind == .diagnostic)
        #expect(recognize(text).summary == "Shop: requested dump")
        #expect(recognize(#"{"payload":{"threads":[]}}"#).format == "json")
    }

    private func sentry(level: String, mechanism: String) -> Diagnosis {
        recognize(
            """
            {"event_id":"9ec79c33ec9942ab8353589fcb2e04dc","platform":"python","level":"\(level)",
             "timestamp":1795345984.5,"release":"shop@4.1","exception":{"values":[
               {"type":"ConnectionError","value":"refused"},
               {"type":"KeyError","value":"'SKU-1'","mechanism":\(mechanism),"stacktrace":{"frames":[
                 {"function":"<module>","abs_path":"/srv/app.py","lineno":9,"in_app":true},
                 {"function":"total","abs_path":"/srv/cart.py","lineno":33,"in_app":true},
                 {"function":"get","abs_path":"/usr/lib/python3/x.py","lineno":3,"in_app":false}]}}]}}
            """)
    }

    @Test("an event of Sentry has its last exception as the cause, and the innermost frame first")
    func sentryEvent() throws {
        let diagnosis = self.sentry(level: "error", mechanism: #"{"type":"excepthook","handled":false}"#)
        #expect(diagnosis.format == "sentry-event")
        #expect(diagnosis.kind == .crash)
        #expect(diagnosis.summary == "python: KeyError: 'SKU-1' in total at cart.py:33")
        let crash = try #require(diagnosis.crash)
        #expect(crash.earlierCauses == [Crash.Cause(type: "ConnectionError", message: "refused")])
        #expect(crash.crashedThread?.frames.map(\.function) == ["get", "total", "<module>"])
        #expect(crash.occurredAt == 1_795_345_984_500)
        #expect(self.sentry(level: "error", mechanism: #"{"handled":true}"#).kind == .diagnostic)
        #expect(self.sentry(level: "fatal", mechanism: "{}").kind == .crash)
    }

    @Test("an event in an envelope is read")
    func sentryEnvelope() {
        let event =
            #"{"event_id":"9ec7","level":"fatal","platform":"native","exception":{"values":[{"type":"SIGSEGV"}]}}"#
        let envelope =
            #"{"event_id":"9ec7","dsn":"https://k@sentry.example/1"}"# + "\n" + #"{"type":"session"}"# + "\n{}\n"
        let diagnosis = recognize(envelope + #"{"type":"event","length":99}"# + "\n\(event)\n")
        #expect(diagnosis.format == "sentry-envelope")
        #expect(diagnosis.kind == .crash)
        #expect(diagnosis.summary == "native: SIGSEGV")
        #expect(recognize(envelope).format == "text")
    }

    @Test("an event without an exception is JSON")
    func sentryMessage() {
        #expect(recognize(#"{"event_id":"9ec7","message":"hello"}"#).format == "json")
    }

    @Test("a report of ABRT has the signal, the program and the thread that crashed")
    func abrt() throws {
        let problem = """
            {"type":"core","signal":11,"executable":"/usr/bin/till","stacktrace":[
              {"crash_thread":false,"frames":[{"address":1,"function_name":"poll","file_name":"/usr/lib64/libc.so.6"}]},
              {"crash_thread":true,"frames":[
                {"address":140000,"build_id":"BF9B","build_id_offset":400,"function_name":"memcpy","file_name":"/usr/lib64/libc.so.6"},
                {"address":93824992235881,"build_id":"aa01","build_id_offset":4457,"function_name":"drawer_kick","file_name":"/usr/bin/till"}]}]}
            """
        let diagnosis = recognize(
            """
            {"ureport_version":2,"reason":"till killed by SIGSEGV","problem":\(problem),
             "os":{"name":"fedora","version":"42","architecture":"x86_64"}}
            """)
        #expect(diagnosis.format == "abrt-report")
        #expect(diagnosis.summary == "till: SIGSEGV in drawer_kick")
        let crash = try #require(diagnosis.crash)
        #expect(crash.crashedThread?.frames.map(\.isOwn) == [false, true])
        #expect(crash.crashedThread?.frames.last?.moduleOffset == 4_457)
        #expect(crash.images.map(\.buildID) == ["bf9b", "aa01"])
        #expect(recognize(problem).summary == "till: SIGSEGV in drawer_kick")
        #expect(recognize(#"{"stacktrace":[],"signal":1}"#).format == "json")
    }

    @Test("a report of ABRT about a script has one stack")
    func abrtPython() {
        let diagnosis = recognize(
            """
            {"ureport_version":2,"reason":"a.py:9:f:ZeroDivisionError","problem":{"type":"python","component":"shop",
             "exception_name":"ZeroDivisionError","stacktrace":[{"file_name":"/srv/a.py","file_line":9,"function_name":"f"}]}}
            """)
        #expect(diagnosis.crash?.cause.type == "ZeroDivisionError")
        #expect(diagnosis.summary == "shop: ZeroDivisionError: a.py:9:f:ZeroDivisionError in f at a.py:9")
    }

    @Test("other JSON is a diagnostic, and what only begins like it is a log")
    func otherJSON() {
        #expect(recognize("{ \"a\": 1 }\n").format == "json")
        #expect(recognize("[1, 2]").contentType == "application/json")
        #expect(recognize("[1, 2]").kind == .diagnostic)
        for text in ["{", "{not json}", "[2026-01-01] started\n", "{\"a\":1}\n{\"a\":2}\n"] {
            #expect(recognize(text).format == "text")
            #expect(recognize(text).kind == .log)
        }
    }

    @Test("JSON that is spread over lines is listed by its first members")
    func title() {
        #expect(recognize("{\n  \"name\": \"shop\",\n  \"main\": 1\n}\n").summary == #"{ "name": "shop", "main": 1 }"#)
        #expect(recognize(#"{"name": "shop"}"#).summary == #"{"name": "shop"}"#)
    }
}
