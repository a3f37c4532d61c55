import Diagnosis
import Testing

/// The document of `reports run`.
@Suite("The document of reports run")
struct RunReportTests {
    private func document(
        cause: String = "signal", exit: String = #"{"code":null,"signal":11,"signal_name":"SIGSEGV"}"#,
        stderr: String = "null", message: String = "ended by SIGSEGV"
    ) -> String {
        """
        {"format":"reports-run","version":1,"incident":"01234567-89ab-4cde-8f01-23456789abcd","cause":"\(cause)",\
        "message":"\(message)","program":{"name":"shopd","path":"/usr/bin/shopd","arguments":5,"argv":null,\
        "cwd":"/srv","pid":2740,"uid":1000},"exit":\(exit),"started_at":"2026-11-29T08:00:00.000Z",\
        "ended_at":"2026-11-29T08:00:05.250Z","uptime_ms":5250,"stderr":\(stderr),"files":[],"release":"2.1"}

        """
    }

    @Test("tells the program, the signal, the message and the time")
    func signal() throws {
        let found = recognize(document())
        #expect(found.format == "reports-run")
        #expect(found.contentType == "application/json")
        #expect(found.kind == .crash)
        #expect(found.summary == "shopd[2740]: SIGSEGV")
        let crash = try #require(found.crash)
        #expect(crash.cause.signal == "SIGSEGV")
        #expect(crash.version == "2.1")
        #expect(crash.occurredAt == 1_795_939_205_250)
        #expect(found.signature == nil)
    }

    @Test("a crash on standard error gives its cause and its stack, and has the signature of that text")
    func stack() throws {
        let text = "panic: till is empty\\n\\ngoroutine 1 [running]:\\nmain.checkout(...)\\n\\t/srv/shop/main.go:12\\n"
        let found = recognize(
            document(
                cause: "exit", exit: #"{"code":2,"signal":null}"#,
                stderr: #"{"bytes":99,"head":"\#(text)","tail":"bye\n","dropped":0,"base64":false}"#))
        let crash = try #require(found.crash)
        #expect(found.kind == .crash)
        #expect(crash.cause.message == "till is empty")
        #expect(crash.threads.first?.frames.first?.function == "main.checkout")
        #expect(crash.program == "shopd")
        let own = recognize(text.replacing("\\n", with: "\n").replacing("\\t", with: "\t"))
        #expect(found.signature != nil && found.signature == own.signature)
    }

    @Test("standard error that is not what the program died of says nothing of the death", arguments: ["none", "tail"])
    func otherWords(part: String) throws {
        let text = #"Traceback (most recent call last):\n  File \"/a.py\", line 4, in f\nValueError: handled\n"#
        let found = recognize(
            document(stderr: #"{"bytes":99,"head":"\#(text)","tail":"bye\n","base64":false,"crash":"\#(part)"}"#))
        #expect(found.summary == "shopd[2740]: SIGSEGV" && found.signature == nil)
        let head = recognize(document(stderr: #"{"bytes":99,"head":"\#(text)","tail":"","crash":"head"}"#))
        #expect(head.crash?.cause.type == "ValueError")
    }

    @Test("standard error that is no UTF-8 is read from its bytes")
    func base64() throws {
        // "panic: \xff\n\ngoroutine 1 [running]:\nmain.f()\n\t/a.go:1\n"
        let text = "cGFuaWM6IP8KCmdvcm91dGluZSAxIFtydW5uaW5nXToKbWFpbi5mKCkKCS9hLmdvOjEK"
        let found = recognize(
            document(
                stderr: #"{"bytes":99,"head":"","tail":"\#(text)","dropped":0,"base64":true}"#))
        #expect(found.crash?.threads.first?.frames.first?.function == "main.f")
    }

    @Test(
        "each cause has its type",
        arguments: [
            ("oom", "{}", "out of memory"), ("killed", "{}", "killed"), ("lost", "null", "lost"),
            ("exit", #"{"code":3}"#, "exit status 3"),
        ])
    func causes(cause: String, exit: String, type: String) {
        let found = recognize(document(cause: cause, exit: exit))
        #expect(found.crash?.cause.type == type)
        #expect(found.kind == .crash)
    }

    @Test(
        "what a message repeats of the cause is said once",
        arguments: [
            ("exit", "exit status 3", "exit status 3"),
            ("exit", "exit status 3: probably SIGSEGV", "exit status 3: probably SIGSEGV"),
            ("exit", "exit status 30 was expected", "exit status 3: exit status 30 was expected"),
            ("killed", "killed by another process (SIGKILL)", "killed by another process"),
            (
                "oom", "killed for want of memory (limit 38 MiB)",
                "out of memory: killed for want of memory (limit 38 MiB)"
            ),
            ("lost", "lost", "lost"),
        ])
    func repeated(cause: String, message: String, summary: String) {
        let found = recognize(document(cause: cause, exit: #"{"code":3,"signal":null}"#, message: message))
        #expect(found.summary == "shopd[2740]: \(summary)")
    }

    @Test("the end of standard error that is no crash is kept, from a whole line on")
    func lastWords() {
        func words(_ stderr: String) -> String? {
            recognize(document(cause: "exit", exit: #"{"code":3}"#, stderr: stderr, message: "exit status 3"))
                .crash?.lastWords
        }
        let long = String(repeating: "an early line\\n", count: 300)
        let early = words(#"{"bytes":4242,"head":"","tail":"\#(long)cannot open /srv/till\n","base64":false}"#)
        #expect(early?.hasPrefix("an early line\n") == true)
        #expect(early?.hasSuffix("an early line\ncannot open /srv/till\n") == true)
        #expect((early?.utf8.count ?? .max) <= 2 << 10)
        #expect(words(#"{"bytes":3,"head":"","tail":"bm8K","base64":true}"#) == "no\n")
        #expect(words("null") == nil)
        let panic = #"panic: no\n\ngoroutine 1 [running]:\nmain.f(...)\n\t/srv/main.go:12\n"#
        #expect(words(#"{"bytes":99,"head":"\#(panic)","tail":"bye\n","base64":false}"#) == nil)
    }

    @Test("a clean end is no crash", arguments: ["file", "exit"])
    func cleanEnd(cause: String) {
        #expect(recognize(document(cause: cause, exit: #"{"code":0,"signal":null}"#)).kind == .diagnostic)
    }

    @Test("a cut one is damaged, and other JSON with an incident is none")
    func others() {
        #expect(recognize(String(document().dropLast(60))).format == "reports-run (damaged)")
        #expect(recognize(#"{"incident":"x","cause":"signal"}"#).format == "json")
        #expect(recognize(#"{"format":"reports-run"}"#).format == "json")
    }
}
