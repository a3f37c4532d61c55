import Diagnosis
import Foundation
import Reports
import TestSupport
import Testing

/// Secrets of several destinations, each of which refuses at first: none may be found anywhere but in the requests to
/// its own server, and in the file in which the user has written it.
@Suite("Secrets of destinations")
struct DestinationPrivacyTests {
    private static let headers = ["bearer-of-the-first", "key-of-the-second"]
    private static let query = "token-in-the-query"
    private static let awsKey = [
        "AWS_ACCESS_KEY_ID": "AKIASECRETACCESSKEY7", "AWS_SECRET_ACCESS_KEY": "secret/access+key",
        "AWS_SESSION_TOKEN": "session-token-of-an-hour",
    ]

    /// Refuses in four ways, and repeats in its refusals what it was told, as real servers do.
    private static func script(
        _ success: Answer = .response(200, headers: [("ETag", "\"1\"")])
    ) -> ServerScript {
        ServerScript { refusal($0) ?? success }
    }

    private static func refusal(_ request: ReceivedRequest) -> Answer? {
        let told = request.headers.all.map { "\($0.name): \($0.value)" }.joined(separator: "\n")
        let error = """
            <Error><Code>SignatureDoesNotMatch</Code><Message>\(told)</Message><AWSAccessKeyId>\
            \(request.headers["Authorization"] ?? "")</AWSAccessKeyId></Error>
            """
        switch request.index {
        case 0: return .response(403, headers: [("X-Echo", told.replacing("\n", with: " "))], text: error)
        case 1: return .response(503, text: error)
        case 2: return .reset
        case 3: return .response(307, headers: [("Location", "https://x.example/?\(query)")], text: error)
        default: return nil
        }
    }

    @Test("they are in no file of the spool, in nothing that is printed, and in no other program's arguments")
    func nowhere() async throws {
        try await withTool(server: Self.script()) { tool, first in
            let (second, bucket) = (try LoopbackServer(Self.script()), try LoopbackServer(Self.script()))
            defer {
                second.stop()
                bucket.stop()
            }
            let tool = tool.with(Self.awsKey)
            try await writeSettings(tool, first, second, bucket)
            for kind in ["crash", "hang", "log"] { try await tool.add("a \(kind)", "--kind", kind) }
            let printed = try await everythingPrintedUntilDelivered(tool)
            #expect(first.requests.allSatisfy { $0.headers["Authorization"] == "Bearer " + Self.headers[0] })
            #expect(first.requests.allSatisfy { $0.target.hasSuffix(Self.query) })
            #expect(second.requests.allSatisfy { $0.headers["X-Key"] == Self.headers[1] })
            #expect(!bucket.requests.isEmpty)
            let signed = bucket.requests.compactMap { $0.headers["Authorization"] }
            #expect(signed.allSatisfy { $0.contains(Self.awsKey["AWS_ACCESS_KEY_ID"] ?? "?") })
            let signatures = signed.compactMap { $0.split(separator: "Signature=").last.map(String.init) }
            #expect(signatures.count == bucket.requests.count)
            expectNone(of: Self.headers + [Self.query] + Self.awsKey.values + signatures, in: printed, tool)
        }
    }

    private static let token = "SECRETTOKEN0123456789abcdef"

    @Test(
        "a token in the path of an endpoint is shown nowhere, whatever the kind of the destination",
        arguments: [
            "http://127.0.0.1:1/in/\(token)/{id}", "otlp+http://127.0.0.1:1/\(token)",
            "minidump+http://127.0.0.1:1/\(token)",
        ])
    func tokenInPath(_ endpoint: String) async throws {
        try await withTool { tool in
            let tool = tool.with(["REPORTS_ENDPOINT": endpoint])
            try await tool.add("one")
            var printed = ""
            for command in ["submit", "settings", "status", "test", "check", "metrics", "doctor"] {
                for options in [[], ["--json"]] where command != "metrics" || options.isEmpty {
                    let result = try await tool.run([command] + options)
                    printed += result.output + result.errors
                }
            }
            #expect(printed.contains("127.0.0.1:1/") && printed.contains("***"), "\(printed)")
            expectNone(of: [Self.token], in: printed, tool)
        }
    }

    @Test("nor is it kept of an answer that repeats it", arguments: ["", "otlp+", "minidump+"])
    func repeatedToken(_ scheme: String) async throws {
        let script = ServerScript { request in
            let headers = request.index == 0 ? [(name: "Location", value: request.target + "/")] : []
            return .response(request.index == 0 ? 302 : 400, headers: headers, text: "nothing is at \(request.target)")
        }
        try await withTool(server: script) { tool, server in
            let tool = tool.with(["REPORTS_ENDPOINT": scheme + server.url("/in/\(Self.token)")])
            try tool.drop(try CorpusFile.bytes(of: "test.dmp"), as: "test.dmp")
            let options = scheme == "otlp+" ? ["?payload=omit"] : []
            let sent = tool.with(["REPORTS_ENDPOINT": (tool.environment["REPORTS_ENDPOINT"] ?? "") + options.joined()])
            var printed = ""
            for _ in 1...2 {
                _ = try await sent.run("submit")
                let id = try #require(try await sent.objects("list").first?["id"]?.stringValue)
                for command in [["show", id], ["show", id, "--json"], ["status"], ["status", "--json"], ["check"]] {
                    printed += try await sent.run(command).output
                }
                _ = try await sent.run("retry", "--all")
            }
            #expect(server.requests.count >= 2 && server.requests.allSatisfy { $0.target.contains(Self.token) })
            #expect(printed.contains("and points to http://127.0.0.1:\(server.port)/in/***"), "\(printed)")
            expectNone(of: [Self.token], in: printed, tool)
        }
    }

    private func writeSettings(
        _ tool: ReportsTool, _ first: LoopbackServer, _ second: LoopbackServer, _ bucket: LoopbackServer
    ) async throws {
        // The spool has to be there for a file in it.
        _ = try await tool.add("one more")
        let settings: JSONValue = [
            "destinations": [
                "first": [
                    "endpoint": .string(first.url("/{id}?token=\(Self.query)")),
                    "headers": ["Authorization": .string("Bearer " + Self.headers[0])],
                ],
                "second": ["endpoint": .string(second.url("/{id}")), "headers": ["X-Key": .string(Self.headers[1])]],
                "bucket": ["endpoint": .string("s3://crashes?endpoint=\(bucket.url())")],
            ],
            "routes": [["kinds": ["hang"], "to": "second"], ["kinds": ["log"], "to": "bucket"]],
        ]
        try Data(settings.description.utf8).write(to: URL(fileURLWithPath: tool.spool + "/reports.json"))
        #expect(chmod(tool.spool + "/reports.json", 0o600) == 0)
    }

    /// Submits until all is delivered: after each refusal another run is needed, some of them a little later.
    /// - Returns: all that was printed on the way.
    private func everythingPrintedUntilDelivered(_ tool: ReportsTool) async throws -> String {
        var printed = ""
        for _ in 1...12 where try await !tool.objects("list", "--undelivered").isEmpty {
            _ = try await tool.run("retry", "--all")
            printed += try await everythingPrinted(tool)
        }
        #expect(try await tool.objects("list").allSatisfy { $0["state"] == "delivered" }, "\(printed)")
        return printed
    }

    /// All that the commands say, after a submission whose system calls show the programs that it starts.
    private func everythingPrinted(_ tool: ReportsTool) async throws -> String {
        var printed = ""
        let trace = tool.traceFile()
        let options = ["-f", "-qq", "-o", trace, "-s", "10000", "-e", "trace=execve"]
        let command = [ReportsTool.path, "submit", "--wait", "20"]
        let submit = (findExecutable("strace").map { [$0] + options } ?? []) + command
        let result = try await runAsynchronously(submit[0], Array(submit.dropFirst()), environment: tool.environment)
        printed += result.output + result.errors + tool.text(of: trace)
        var commands = ["list", "status", "check", "metrics", "settings", "test", "doctor"].map { [$0] }
        for report in try await tool.objects("list") { commands.append(["show", report["id"]?.stringValue ?? ""]) }
        for command in commands {
            for arguments in command == ["metrics"] ? [command] : [command, command + ["--json"]] {
                let look = try await tool.run(arguments)
                printed += look.output + look.errors
            }
        }
        return printed
    }

    private func expectNone(of secrets: [String], in printed: String, _ tool: ReportsTool) {
        for secret in secrets {
            #expect(!printed.contains(secret), "\(printed)")
            for path in tool.allFiles() where path != "reports.json" {
                let data = FileManager.default.contents(atPath: tool.spool + "/" + path) ?? Data()
                #expect(data.range(of: Data(secret.utf8)) == nil, "\(path) holds \(secret)")
            }
        }
    }

    @Test("nor are the key of Sentry, the token of a collector of minidumps, and a header for OpenTelemetry")
    func nowhereElse() async throws {
        let (key, token, header) = (Judge.sentryKeys[0], "token-of-the-collector", "key-for-telemetry")
        try await withTool(server: Self.script(.response(200, text: "{\"id\":\"0\"}"))) { tool, sentry in
            let collector = try LoopbackServer(Self.script(.response(200, text: "CrashID=bp-0123456789\n")))
            let telemetry = try LoopbackServer(Self.script(.response(200)))
            defer {
                collector.stop()
                telemetry.stop()
            }
            try tool.drop(CorpusFile.bytes(of: "test.dmp"), as: "test.dmp")
            for kind in ["crash", "log"] { try await tool.add("a \(kind)", "--kind", kind) }
            let settings: JSONValue = [
                "destinations": [
                    "sentry": ["endpoint": .string(LocalEndpoint.sentry(sentry.port))],
                    "dumps": ["endpoint": .string(LocalEndpoint.minidump(collector.port, query: "?token=\(token)"))],
                    "logs": [
                        "endpoint": .string(LocalEndpoint.otlp(telemetry.port)), "headers": ["X-Key": .string(header)],
                    ],
                ],
                "routes": [
                    ["formats": ["minidump"], "to": "dumps"], ["kinds": ["log"], "to": "logs"],
                    ["kinds": ["crash"], "to": "sentry"],
                ],
            ]
            try Data(settings.description.utf8).write(to: URL(fileURLWithPath: tool.spool + "/reports.json"))
            #expect(chmod(tool.spool + "/reports.json", 0o600) == 0)
            let printed = try await everythingPrintedUntilDelivered(tool)
            #expect(sentry.requests.allSatisfy { $0.headers["X-Sentry-Auth"]?.contains(key) == true })
            #expect(collector.requests.allSatisfy { $0.target == "/submit?token=\(token)" })
            #expect(telemetry.requests.allSatisfy { $0.headers["X-Key"] == header })
            #expect([sentry, collector, telemetry].allSatisfy { $0.requests.count > 4 })
            expectNone(of: [key, token, header], in: printed, tool)
        }
    }

    @Test("an endpoint with a secret at a place for none is refused without it, whoever names it")
    func refusedWithout() async throws {
        let secret = "s3cr3t-part"
        try await withTool { tool in
            try await tool.add("one")
            for endpoint in [
                "https://user:\(secret)@reports.example/{id}", "https://\(secret)@reports.example/{id}",
                "s3://key:\(secret)@crashes", "s3://crashes?secret_key=\(secret)", "s3://crashes?token=\(secret)",
                "s3://crashes?x=\(secret)", "s3://crashes?region=\(secret)%2F&endpoint=http://127.0.0.1:9",
                "s3://crashes?endpoint=http://user:\(secret)@127.0.0.1:9", "s3://crashes?credentials=\(secret)",
                "sentry+https://\(secret)@sentry.example", "sentry+https://k:\(secret)!@sentry.example/1",
                "sentry+https://\(secret)@sentry.example/1?attachments=\(secret)",
                "https://reports.example/{id}?key=\(secret)#x",
            ] {
                let file = "{\"destinations\": {\"first\": {\"endpoint\": \"\(endpoint)\"}}}"
                let byOption = try await tool.run("submit", "--endpoint", endpoint)
                let byVariable = try await tool.with(["REPORTS_ENDPOINT": endpoint]).run("submit")
                try Data(file.utf8).write(to: URL(fileURLWithPath: tool.spool + "/reports.json"))
                let byFile = try await tool.run("submit")
                let settings = try await tool.run("settings")
                try FileManager.default.removeItem(atPath: tool.spool + "/reports.json")
                #expect([byOption, byVariable, byFile].map(\.status) == [64, 78, 78], "\(endpoint)")
                for result in [byOption, byVariable, byFile, settings] {
                    #expect(!(result.output + result.errors).contains(secret), "\(result.output)\(result.errors)")
                }
            }
        }
    }
}
