import DurableIO
import Reports
import TestSupport
import Testing

@Suite("A crash, from file to server and screen")
struct CrashTests {
    private func panic(in function: String, line: Int, process: Int, address: String) -> String {
        """
        2026-11-28T08:13:55.620Z  WARN gateway::pool: connection \(process) was idle for 60 s

        thread 'tokio-runtime-worker' (\(process)) panicked at src/session.rs:\(line):38:
        called `Option::unwrap()` on a `None` value
        stack backtrace:
           0: \(address) - rust_begin_unwind
           1: \(address) - gateway::session::\(function)::h\(address.dropFirst(2))
                     at /srv/gateway/src/session.rs:\(line):38
           2: \(address) - gateway::main
                     at /srv/gateway/src/main.rs:9:5

        """
    }

    @Test("two crashes of the same fault have one signature in the list and on the wire, another fault has another")
    func signature() async throws {
        try await withTool(server: .accepting) { tool, server in
            let first = try await tool.add(
                panic(in: "resume", line: 204, process: 40_122, address: "0x55d0c0ffee00aa01"))
            let again = try await tool.add(panic(in: "resume", line: 206, process: 391, address: "0x5603bad0cafe1234"))
            let other = try await tool.add(
                panic(in: "close", line: 204, process: 40_122, address: "0x55d0c0ffee00aa01"))
            let text = try await tool.add("2026-11-28 08:13:01 INFO tick 1\n")

            let collected = try await tool.show(first)["signature"]?.stringValue
            let signature = try #require(collected)
            #expect(signature.utf8.count == 16)
            _ = try await tool.submit(to: server)
            for (id, expected) in [(first, signature), (again, signature)] {
                #expect(try await tool.show(id)["signature"]?.stringValue == expected)
                let request = try #require(server.requests.first { $0.target == "/" + id })
                #expect(request.headers["Report-Signature"] == expected)
                #expect(request.headers["Report-Kind"] == "crash")
            }
            #expect(try await tool.show(other)["signature"]?.stringValue != signature)
            #expect(try await tool.show(text)["signature"] == .null)
            let plain = try #require(server.requests.first { $0.target == "/" + text })
            #expect(plain.headers["Report-Signature"] == nil)
        }
    }

    @Test("show tells cause, stack and own code of what waits, and nothing of it once it is delivered")
    func show() async throws {
        try await withTool(server: .accepting) { tool, server in
            let id = try await tool.add(panic(in: "resume", line: 204, process: 7, address: "0x55d0c0ffee00aa01"))
            let waiting = try await tool.run("show", id).output
            let crash = """
                cause:      panic: called `Option::unwrap()` on a `None` value
                runtime:    Rust
                stack:      thread 7 tokio-runtime-worker
                  * 0   gateway::session::resume at /srv/gateway/src/session.rs:204
                  * 1   gateway::main at /srv/gateway/src/main.rs:9
                """
            #expect(waiting.contains(crash), "\(waiting)")
            let object = try await tool.show(id)["crash"]
            #expect(object?["cause"]?["type"]?.stringValue == "panic")
            #expect(object?["frames"]?[0]?["own"]?.boolValue == true)
            #expect(object?["frames"]?[0]?["line"]?.integerValue == 204)

            _ = try await tool.submit(to: server)
            #expect(try await tool.show(id)["crash"] == nil)
            #expect(try await tool.run("show", id).output.contains("rust: panic"))
        }
    }

    @Test("of a death without a stack show has the end of standard error")
    func lastWords() async throws {
        try await withTool { tool in
            _ = try await tool.shell(
                #""${reports}-run" --on exit --stderr tee -- sh -c 'echo cannot open the till >&2; exit 3'; true"#)
            _ = try await tool.run("submit", "--endpoint", "http://127.0.0.1:9/{id}")
            let id = try #require(try await tool.objects("list").first?["id"]?.stringValue)
            let shown = try await tool.run("show", id).output
            #expect(shown.contains("cause:      exit status 3\n"), "\(shown)")
            #expect(shown.contains("standard error, the end:\n    cannot open the till\n"), "\(shown)")
            #expect(try await tool.show(id)["crash"]?["last_words"]?.stringValue == "cannot open the till\n")
        }
    }

    @Test("nothing in a crash that show prints can steer a terminal")
    func escapes() async throws {
        try await withTool { tool in
            let hostile = "\u{1b}[2J\u{9b}31m\u{202e}"
            let id = try await tool.add(
                panic(in: "resume\(hostile)", line: 204, process: 7, address: "0x55d0c0ffee00aa01"))
            for arguments in [["show", id], ["show", id, "--json"], ["list"]] {
                let output = try await tool.run(arguments).output
                let steering = output.unicodeScalars.filter { $0.steersTerminals && $0 != "\n" }
                #expect(steering.isEmpty, "\(arguments)")
            }
        }
    }
}
