import Foundation
import Reports
import TestSupport
import Testing

/// What company networks demand: proxies, client certificates, other forms and proofs. Nothing is lost for want of
/// them, and a person is told what is missing.
@Suite("Networks that demand something", .timeLimit(.minutes(10)))
struct CompanyNetworkTests {
    @Test(
        "a server that answers 400 for want of a client certificate parks nothing, and gets all once there is one",
        .enabled(if: PeerProcess.find("nginx") != nil, "needs nginx"))
    func clientCertificate() async throws {
        let authority = try TestAuthority()
        let pem = try authority.pem
        try await withNginx(authority.identity(), clients: pem) { nginx in
            try await withTool { tool in
                let client = try authority.identity()
                let roots = try tool.file("roots.pem", pem)
                let certificate = try tool.file("client.pem", client.certificate + "\n" + client.key)
                var ids: [String] = []
                for number in 0..<12 { ids.append(try await tool.add("report \(number)")) }
                let submit = [
                    "submit", "--json", "--endpoint", "https://127.0.0.1:\(nginx.port)/{id}", "--tls-authorities",
                    roots,
                ]
                let first = try await tool.run(submit)
                #expect(first.status == 75, "\(first.errors)")
                #expect(try first.objects.first?.count("rejected") == 0)
                #expect(tool.names(in: "parked").isEmpty)
                let status = try await tool.run("status").output
                #expect(status.contains("closed, tls"))
                #expect(status.contains("the server answered 400: it demands a client certificate"))

                let second = try await tool.run(submit + ["--tls-certificate", certificate])
                #expect(second.status == 0, "\(second.errors)")
                let stored = try FileManager.default.contentsOfDirectory(atPath: nginx.directory + "/stored")
                #expect(stored.sorted() == ids.sorted())
            }
        }
    }

    @Test("a certificate that is no use is bad configuration", arguments: ["--tls-authorities", "--tls-certificate"])
    func badFile(option: String) async throws {
        try await withTool(server: .accepting) { tool, server in
            try await tool.add("one")
            let result = try await tool.submit(to: server, option, "/nonexistent.pem")
            #expect(result.status == 78)
            #expect(result.errors.contains("/nonexistent.pem: cannot be read: No such file or directory"))
            #expect(server.connectionCount == 0)
        }
    }

    @Test(
        "a proxy that wants credentials holds all with a reason, and lets all through that has them",
        .enabled(if: PeerProcess.find("tinyproxy") != nil, "needs tinyproxy"))
    func proxyCredentials() async throws {
        try await withHTTPProxy(credentials: ("user", "secret")) { proxy in
            try await withTool(server: .accepting) { tool, server in
                var tool = tool
                var ids: [String] = []
                for number in 0..<12 { ids.append(try await tool.add("report \(number)")) }
                tool.environment["http_proxy"] = "http://127.0.0.1:\(proxy.port)"
                #expect(try await tool.submit(to: server).status == 75)
                #expect(tool.names(in: "parked").isEmpty)
                #expect(server.connectionCount == 0)
                let status = try await tool.run("status").output
                #expect(status.contains("closed, auth"))
                #expect(status.contains("the proxy wants credentials, or does not accept these (407)"))
                let held = try #require(try await tool.objects("list", "--state", "held").first?["id"]?.stringValue)
                #expect(try await tool.run("show", held).output.contains("put them into its URL"))

                tool.environment["http_proxy"] = "http://user:secret@127.0.0.1:\(proxy.port)"
                #expect(try await tool.submit(to: server).status == 0)
                #expect(Set(server.requests.map(\.target)) == Set(ids.map { "/\($0)" }))

                // Reached directly, a server needs no proxy.
                tool.environment["http_proxy"] = "http://127.0.0.1:9"
                tool.environment["no_proxy"] = "localhost,127.0.0.0/8"
                try await tool.add("direct")
                #expect(try await tool.submit(to: server).status == 0)
            }
        }
    }

    @Test("a proxy that cannot be spoken to is bad configuration, and named without its password")
    func badProxy() async throws {
        try await withTool(server: .accepting) { tool, server in
            var tool = tool
            try await tool.add("one")
            tool.environment["http_proxy"] = "https://user:secret@proxy.example:3128"
            let variable = try await tool.submit(to: server)
            #expect(variable.status == 78)
            #expect(variable.errors.contains("$http_proxy: is a proxy reached over TLS"))
            let option = try await tool.submit(to: server, "--proxy", "socks5://user:secret@proxy.example")
            #expect(option.status == 64)
            #expect(!(variable.errors + option.errors).contains("secret"))
            #expect(try await tool.submit(to: server, "--proxy", "none").status == 0)
        }
    }

    @Test("415 says in status what to do, and another form delivers")
    func encoding() async throws {
        let script = ServerScript { $0.headers["Content-Encoding"] == nil ? .response(201) : .response(415) }
        try await withTool(server: script) { tool, server in
            let id = try await tool.add("one")
            #expect(try await tool.submit(to: server).status == 75)
            let status = try await tool.run("status").output
            #expect(status.contains("encoding"))
            #expect(status.contains("the server answered 415: it does not take this encoding"), "\(status)")
            #expect(try await tool.run("show", id).output.contains("--encoding file or identity"))
            #expect(try await tool.submit(to: server, "--encoding", "identity").status == 0)
            #expect(server.requests.last?.text == "one")
        }
    }

    @Test("413 parks the report with a reason that says what to do")
    func tooLarge() async throws {
        let isMended = Gate()
        let script = ServerScript { _ in isMended.isOpen ? .response(201) : .response(413) }
        try await withTool(server: script) { tool, server in
            let id = try await tool.add("one")
            #expect(try await tool.submit(to: server).status == 65)
            let report = try await tool.show(id)
            #expect(
                report["reason"]?.stringValue == "too large for the server (413): raise the limit there, then retry it")
            isMended.open()
            #expect(try await tool.run("retry", id).status == 0)
            #expect(try await tool.submit(to: server).status == 0)
        }
    }

    @Test("an answer without the proof of receipt is no delivery; with it, show has the receipt")
    func acknowledgement() async throws {
        let isMended = Gate()
        let script = ServerScript { _ in
            isMended.isOpen
                ? .response(200, text: #"{"receipt": "n-17"}"#) : .response(200, text: "<html>welcome</html>")
        }
        try await withTool(server: script) { tool, server in
            let id = try await tool.add("one")
            let demand = ["--acknowledgement", "json:receipt"]
            #expect(try await tool.submit(to: server, demand[0], demand[1]).status == 75)
            #expect(try await tool.show(id)["reason"]?.stringValue == "acknowledgement")
            #expect(try await tool.run("show", id).output.contains("no proof of receipt"))
            isMended.open()
            #expect(try await tool.run("retry", id).status == 0)
            #expect(try await tool.submit(to: server, demand[0], demand[1]).status == 0)
            #expect(try await tool.show(id)["receipt"]?["acknowledgement"]?.stringValue == "n-17")
        }
    }
}
