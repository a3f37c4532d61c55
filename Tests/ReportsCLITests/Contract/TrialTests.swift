import Diagnosis
import Foundation
import Reports
import TestSupport
import Testing

/// `reports test`: what it finds, what it says, and that it changes nothing.
@Suite("Trying destinations", .timeLimit(.minutes(10)))
struct TrialTests {
    private static let secret = "very-secret-3f9a"
    private static let header = ["--header", "Authorization: Bearer \(secret)", "--header", "X-Team: \(secret)-team"]

    /// Runs a trial in both forms and sees to it that no secret is in any output.
    private func test(
        _ tool: ReportsTool, _ arguments: [String]
    ) async throws -> (json: JSONValue, status: Int32, lines: String) {
        let result = try await tool.run(["test", "--json"] + arguments)
        let people = try await tool.run(["test"] + arguments)
        #expect(people.status == result.status, "\(people.output)\(people.errors)")
        for text in [result.output, result.errors, people.output, people.errors] {
            #expect(!text.contains(Self.secret), "\(text)")
        }
        return (try #require(try result.objects.first, "\(result.errors)"), result.status, people.output)
    }

    @Test("a good server: all steps, the masked request, and nothing is sent")
    func good() async throws {
        try await withTool(server: .always(.response(201))) { tool, server in
            let url = server.url("/{id}?token=\(Self.secret)")
            // The default spool need not exist, and is not made.
            var tool = tool
            tool.environment["REPORTS_SPOOL"] = nil
            let (object, status, lines) = try await test(tool, ["--endpoint", url] + Self.header)
            #expect(status == 0)
            #expect(object["destination"]?.stringValue == "main")
            #expect(object["kind"]?.stringValue == "http")
            #expect(object["gate"]?.stringValue == "http://127.0.0.1:\(server.port)")
            #expect(object["endpoint"]?.stringValue == server.url("/{id}?***"))
            #expect(object["ok"]?.boolValue == true)
            for step in ["resolve", "connect"] {
                #expect(object[step]?["ok"]?.boolValue == true)
                #expect(object[step]?["error"] == .null)
            }
            #expect(object["tls"] == .null)
            let request = try #require(object["request"])
            #expect(request["method"]?.stringValue == "PUT")
            #expect(request["url"]?.stringValue?.hasSuffix("?***") == true)
            let headers = try #require(request["headers"])
            #expect(headers["Authorization"]?.stringValue == "***")
            #expect(headers["X-Team"]?.stringValue == "***")
            #expect(headers["Report-Kind"]?.stringValue == "other")
            #expect(headers["Report-Annotations"]?.stringValue == "reports.test=\"true\"")
            #expect(request.count("body_size") ?? 0 > 100)
            #expect(object["sent"] == .null)
            for words in [
                "resolve   ok", "connect   ok", "request   PUT", "Authorization: ***", "Content-Encoding gzip",
            ] {
                #expect(lines.contains(words), "\(lines)")
            }
            #expect(server.requests.isEmpty)
            #expect(try FileManager.default.contentsOfDirectory(atPath: tool.home).isEmpty)
        }
    }

    @Test("a collector of minidumps is never sent a test report, however that is asked for")
    func minidumpsOnly() async throws {
        try await withTool(server: .always(.response(200, text: "CrashID=bp-1"))) { tool, server in
            let url = "minidump+\(server.url("/submit"))"
            var tool = tool
            tool.environment["REPORTS_SPOOL"] = nil
            let named = try await tool.run(["test", "main", "--send", "--endpoint", url])
            #expect(named.status == 64)
            let words = "--send: the destination main takes minidumps only, and a test report is none: leave --send out"
            #expect(named.errors.contains(words), "\(named.errors)")
            let (object, status, lines) = try await test(tool, ["--send", "--endpoint", url] + Self.header)
            #expect(status == 0)
            #expect(object["sent"] == .null)
            #expect(object["not_sent"]?.stringValue?.contains("takes minidumps only") == true)
            #expect(lines.contains("takes minidumps only"), "\(lines)")
            #expect(object["kind"]?.stringValue == "minidump+http")
            #expect(object["request"]?["method"]?.stringValue == "POST")
            #expect(server.requests.isEmpty)
        }
    }

    @Test("with --send one report arrives, whole, marked as a test, and the output says what stays there")
    func sends() async throws {
        // A server that repeats what it was sent.
        let script = ServerScript { request in
            .response(201, headers: [("Location", "/stored")], text: request.headers["Authorization"] ?? "")
        }
        try await withTool(server: script) { tool, server in
            let kept = try await tool.add("a report that waits")
            let before = try Self.tree(tool.spool)
            let (object, status, lines) = try await test(
                tool, ["main", "--send", "--endpoint", server.url("/{id}")] + Self.header)
            #expect(status == 0)
            // Once in each form.
            #expect(server.requests.count == 2)
            let ids = server.requests.map { String($0.target.dropFirst()) }
            #expect(Set(ids).count == 2)
            for request in server.requests {
                #expect(request.method == "PUT")
                #expect(request.headers["Report-Kind"] == "other")
                #expect(request.headers["Report-Annotations"] == "reports.test=\"true\"")
                #expect(request.headers["Authorization"] == "Bearer \(Self.secret)")
                let body = try tool.file("body.gz", bytes: request.body)
                let text = try run("gzip", ["-dc", body]).output
                #expect(text.hasPrefix("This is a test report, sent by 'reports test' of Reports "), "\(text)")
                let hash = try run("sh", ["-c", "gzip -dc '\(body)' | sha256sum"]).output
                #expect(hash.hasPrefix(request.target.dropFirst()))
            }
            let sent = try #require(object["sent"])
            #expect(sent["status"]?.integerValue == 201)
            #expect(sent["state"]?.stringValue == "delivered")
            #expect(sent["id"]?.stringValue == ids[0])
            #expect(sent["receipt"]?["location"]?.stringValue == "/stored")
            let words = "one report of kind other stays at \(server.url("/\(ids[1])")): delete it there"
            #expect(lines.contains(words), "\(lines)")
            // Neither file nor ledger nor gate has changed, and what waits there still waits.
            #expect(try Self.tree(tool.spool) == before)
            #expect(try await tool.state(of: kept) == "queued")
        }
    }

    @Test(
        "each answer is judged as that to a report, once",
        arguments: [
            (401, "held", "auth", 78), (403, "held", "forbidden", 78), (415, "held", "encoding", 78),
            (503, "waiting", "unreachable", 75), (429, "waiting", "unreachable", 75), (400, "rejected", nil, 65),
            (302, "held", "redirect", 78),
        ] as [(Int, String, String?, Int32)])
    func answers(answer: Int, state: String, reason: String?, exit: Int32) async throws {
        try await withLoopbackServer(.always(.response(201))) { elsewhere in
            let headers = answer == 302 ? [("Location", elsewhere.url("/\(Self.secret)?x"))] : []
            try await withTool(server: .always(.response(answer, headers: headers))) { tool, server in
                var tool = tool
                tool.environment["REPORTS_SPOOL"] = nil
                let result = try await tool.run(
                    ["test", "--json", "--send", "--endpoint", server.url("/{id}")] + Self.header)
                let object = try #require(try result.objects.first)
                #expect(result.status == exit, "\(object)")
                #expect(object["sent"]?["state"]?.stringValue == state)
                if let reason { #expect(object["sent"]?["reason"]?.stringValue == reason) }
                #expect(object["sent"]?["status"]?.integerValue == Int64(answer))
                #expect(object["ok"]?.boolValue == false)
                #expect(server.requests.count == 1)
                #expect(elsewhere.connectionCount == 0)
            }
        }
    }

    @Test("what cannot be reached is 75, with the step that failed, and nothing is sent")
    func unreachable() async throws {
        let closed = try RefusingPort()
        try await withTool { tool in
            var tool = tool
            tool.environment["REPORTS_SPOOL"] = nil
            for (url, step, words) in [
                (closed.url("/{id}"), "connect", "Connection refused"),
                ("http://nowhere.invalid/{id}", "resolve", "the name nowhere.invalid could not be resolved"),
            ] {
                let (object, status, lines) = try await test(tool, ["--send", "--endpoint", url] + Self.header)
                #expect(status == 75)
                #expect(object[step]?["ok"]?.boolValue == false)
                #expect(object[step]?["error"]?.stringValue?.contains(words) == true, "\(object)")
                #expect(object["not_sent"]?.stringValue == "there is no connection")
                #expect(lines.contains(words))
            }
        }
    }

    @Test("a certificate that is not trusted is 78, with whose it is; one that is trusted is told, too")
    func certificates() async throws {
        let authority = try TestAuthority()
        try await withTLSServer(authority.identity(), .always(.response(201))) { front, server in
            try await withTool { tool in
                var tool = tool
                tool.environment["REPORTS_SPOOL"] = nil
                let url = ["--endpoint", front.url("/{id}")]
                let (distrusted, status, lines) = try await test(tool, ["--send"] + url + Self.header)
                #expect(status == 78)
                #expect(distrusted["tls"]?["ok"]?.boolValue == false)
                #expect(distrusted["tls"]?["issuer"]?.stringValue == "A test's authority")
                #expect(lines.contains("its certificate is for localhost, 127.0.0.1, issued by A test's authority"))
                #expect(front.byteCount == 0)
                let roots = try tool.file("roots.pem", authority.pem)
                let (trusted, good, _) = try await test(tool, ["--tls-authorities", roots] + url + Self.header)
                #expect(good == 0)
                #expect(trusted["tls"]?["version"]?.stringValue == "1.3")
                #expect(trusted["kind"]?.stringValue == "https")
                #expect(server.requests.isEmpty)
            }
        }
    }

    @Test("a proxy is told without its credentials, and reached")
    func proxy() async throws {
        try await withTool(server: .always(.response(201))) { tool, proxy in
            var tool = tool
            tool.environment["REPORTS_SPOOL"] = nil
            let (object, status, lines) = try await test(
                tool,
                [
                    "--endpoint", "http://server.example/{id}", "--proxy",
                    "http://user:\(Self.secret)@127.0.0.1:\(proxy.port)", "--send",
                ])
            #expect(status == 0)
            #expect(object["proxy"]?.stringValue == "http://***@127.0.0.1:\(proxy.port)")
            #expect(lines.contains("the proxy connects to the server with each request"))
            #expect(proxy.requests.allSatisfy { $0.target.hasPrefix("http://server.example/") })
            #expect(proxy.requests.count == 2)
        }
    }

    @Test("an IPv6 address in brackets is one", .enabled(if: LoopbackServer.hasIPv6, "needs IPv6"))
    func literal() async throws {
        let server = try LoopbackServer(.always(.response(201)), isIPv6: true)
        defer { server.stop() }
        try await withTool { tool in
            var tool = tool
            tool.environment["REPORTS_SPOOL"] = nil
            let (object, status, _) = try await test(
                tool, ["--send", "--endpoint", "http://[::1]:\(server.port)/{id}"])
            #expect(status == 0, "\(object)")
            #expect(object["connect"]?["address"]?.stringValue == "::1")
            #expect(server.requests.count == 2)
        }
    }

    @Test("each destination of the settings is tried, or the one that is named; the worst counts")
    func several() async throws {
        let refusing = try LoopbackServer(.always(.response(400)))
        defer { refusing.stop() }
        let closed = try RefusingPort()
        try await withTool(server: .always(.response(201))) { tool, server in
            try await tool.add("makes the spool")
            let json = """
                {"destinations": {"main": {"endpoint": "\(server.url("/{id}"))"},
                  "picky": {"endpoint": "\(refusing.url("/{id}"))", "headers": {"X-Key": "\(Self.secret)"}},
                  "gone": {"endpoint": "\(closed.url("/{id}"))"}}, "routes": []}
                """
            try Data(json.utf8).write(to: URL(fileURLWithPath: tool.spool + "/reports.json"))
            let all = try await tool.run("test", "--json", "--send")
            #expect(all.status == 65, "\(all.output)\(all.errors)")
            let objects = try all.objects
            #expect(objects.map { $0["destination"]?.stringValue } == ["main", "picky", "gone"])
            #expect(objects.map { $0["ok"]?.boolValue } == [true, false, false])
            #expect(!all.output.contains(Self.secret))
            #expect(refusing.requests.first?.headers["X-Key"] == Self.secret)
            #expect(server.requests.first?.headers["X-Key"] == nil)
            #expect(try await tool.run("test", "main").status == 0)
            #expect(try await tool.run("test", "gone").status == 75)
            let unknown = try await tool.run("test", "archive")
            #expect(unknown.status == 64)
            #expect(unknown.errors.contains("there is no destination archive; there are: main, picky, gone"))
        }
    }

    @Test("a setting that cannot be used is 78; a spool that was named and is missing 66; both print nothing")
    func settings() async throws {
        try await withTool(server: .always(.response(201))) { tool, server in
            let url = ["--endpoint", server.url("/{id}")]
            for (arguments, status, words) in [
                (url, 66, "there is no spool at"), ([], 78, "no endpoint"),
                (url + ["--tls-authorities", "/nowhere.pem"], 78, "/nowhere.pem: cannot be read"),
                (url + ["--send=1"], 64, "does not take any value"),
            ] as [([String], Int32, String)] {
                let result = try await tool.run(["test"] + arguments)
                #expect(result.status == status, "\(result.errors)")
                #expect(result.output.isEmpty)
                #expect(result.errors.contains(words), "\(result.errors)")
            }
            #expect(server.connectionCount == 0)
        }
    }

    @Test("it works beside an owner, and an interrupt ends it")
    func besides() async throws {
        try await withTool(server: .always(.stall)) { tool, server in
            try await tool.add("one")
            let owner = try tool.start("submit", "--endpoint", server.url("/{id}"))
            await server.waitForRequests(count: 1)
            let trial = try tool.start("test", "--send", "--endpoint", server.url("/{id}"))
            await server.waitForRequests(count: 2)
            trial.send(SIGINT)
            #expect(await trial.end().status == 130)
            owner.send(SIGTERM)
            #expect(await owner.end().status == 143)
        }
    }

    /// Every file of a spool with its content, but for SQLite's memory of readers.
    private static func tree(_ spool: String) throws -> [String: Data] {
        var tree: [String: Data] = [:]
        for case let name as String in FileManager.default.enumerator(atPath: spool) ?? .init() {
            guard !name.hasSuffix("-shm") else { continue }
            tree[name] = (try? Data(contentsOf: URL(fileURLWithPath: spool + "/" + name))) ?? Data()
        }
        return tree
    }
}
