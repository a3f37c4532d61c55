import Diagnosis
import Testing

@Suite("Logs in lines of JSON")
struct ContainerLogTests {
    private let panic = [
        "thread 'main' (7) panicked at src/session.rs:204:38:\n", "called `Option::unwrap()` on a `None` value\n",
        "stack backtrace:\n", "   0: core::panicking::panic_fmt\n", "   1: gateway::session::resume\n",
        "             at ./src/session.rs:204:38\n",
    ]

    private func escaped(_ text: String) -> String {
        text.split(separator: "\\", omittingEmptySubsequences: false).joined(separator: "\\\\")
            .split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\\\"")
            .split(separator: "\n", omittingEmptySubsequences: false).joined(separator: "\\n")
    }

    private func docker(_ text: String, stream: String = "stderr") -> String {
        #"{"log":"\#(self.escaped(text))","stream":"\#(stream)","time":"2026-11-22T11:13:03.038846512Z"}"# + "\n"
    }

    @Test("a crash among the lines of a container is read without the lines that its other output put between")
    func containerCrash() throws {
        let lines = self.panic.map { self.docker($0) + self.docker("GET / 200\n", stream: "stdout") }
        let diagnosis = recognize(self.docker("listening\n", stream: "stdout") + lines.joined())
        #expect(diagnosis.format == "rust-panic")
        #expect(diagnosis.kind == .crash)
        #expect(diagnosis.contentType == "application/x-ndjson")
        let frames = try #require(diagnosis.crash?.crashedThread?.frames)
        #expect(frames.map(\.function) == ["gateway::session::resume"])
        #expect(frames.first?.line == 204)
    }

    @Test("pieces of a line are put together")
    func pieces() {
        let line = self.panic[0]
        let pieces = self.docker(String(line.prefix(9))) + self.docker(String(line.dropFirst(9)))
        #expect(recognize(pieces + self.panic.dropFirst().map { self.docker($0) }.joined()).format == "rust-panic")
    }

    @Test("a crash at the end of a log that is larger than the window is found")
    func largeLog() {
        let noise = self.docker("GET /index.html 200\n", stream: "stdout")
        let count = (PayloadWindow.headByteCount + PayloadWindow.tailByteCount) / noise.utf8.count + 100
        let log = String(repeating: noise, count: count) + self.panic.map { self.docker($0) }.joined()
        #expect(recognize(log).format == "rust-panic")
    }

    @Test("a container's log without a crash is a log")
    func quietLog() {
        let diagnosis = recognize(self.docker("\n") + self.docker("listening on :8080\n", stream: "stdout"))
        #expect(diagnosis.format == "container-log")
        #expect(diagnosis.kind == .log)
        #expect(diagnosis.contentType == "application/x-ndjson")
        #expect(diagnosis.summary == "listening on :8080")
        #expect(diagnosis.crash == nil)
    }

    @Test(
        "the stack in a member of a structured line is read",
        arguments: [
            #"{"level":"fatal","msg":"worker died","stack":"STACK"}"#,
            #"{"level":"error","message":"worker died","error":{"stack_trace":"STACK"}}"#,
            #"{"@timestamp":"2026-11-22T11:13:03Z","message":"died","error.stack_trace":"STACK"}"#,
            #"{"short_message":"died","full_message":"STACK"}"#,
        ])
    func structuredLog(line: String) {
        let crash = line.split(separator: "STACK").joined(separator: self.escaped(self.panic.joined()))
        let diagnosis = recognize(#"{"level":"info","msg":"started"}"# + "\n" + crash + "\n")
        #expect(diagnosis.format == "rust-panic")
        #expect(diagnosis.contentType == "application/x-ndjson")
        #expect(diagnosis.crash?.place?.function == "gateway::session::resume")
    }

    @Test("a crash that stands among lines of JSON as text is text")
    func mixed() {
        let diagnosis = recognize(#"{"level":"info","msg":"started"}"# + "\n" + self.panic.joined())
        #expect(diagnosis.format == "rust-panic")
        #expect(diagnosis.contentType == "text/plain; charset=utf-8")
    }

    @Test("structured lines that only speak of crashes are text, and one document is JSON")
    func lookAlikes() {
        let line = #"{"level":"info","msg":"the panic is over","error":"thread 'x' panicked"}"# + "\n"
        #expect(recognize(line + line).format == "text")
        #expect(recognize(line + line).kind == .log)
        #expect(recognize(line).format == "json")
        #expect(recognize(#"{"log":"x","stream":"stdin","time":"now"}"#).format == "json")
        #expect(recognize("{\n\"message\": \"\(self.escaped(self.panic.joined()))\"\n}").format == "json")
    }
}
