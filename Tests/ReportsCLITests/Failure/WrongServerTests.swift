import Foundation
import Reports
import TestSupport
import Testing

/// A server that is not the one it should be, or points to another: nothing goes there, and a person is told.
@Suite("A server that is not to be trusted")
struct WrongServerTests {
    private static let credential = ["--header", "Authorization: Bearer not-for-others"]

    @Test(
        "one that points elsewhere holds all, and is asked again when somebody submits",
        arguments: [301, 302, 303, 307])
    func redirect(status: Int) async throws {
        try await withLoopbackServer(.always(.response(201))) { elsewhere in
            let isMended = Gate()
            let script = ServerScript { _ in
                isMended.isOpen
                    ? .response(201) : .response(status, headers: [("Location", elsewhere.url("/stolen?secret"))])
            }
            try await withTool(server: script) { tool, server in
                var ids: [String] = []
                for number in 0..<40 { ids.append(try await tool.add("report \(number)")) }
                let submit = ["submit", "--json", "--endpoint", server.url("/{id}")] + Self.credential
                let first = try await tool.run(submit)
                #expect(first.status == 75, "\(first.errors)")
                #expect(server.requests.count < ids.count)
                let held = try await tool.objects("list", "--state", "held")
                #expect(held.count == server.requests.count)
                #expect(held.allSatisfy { $0["reason"]?.stringValue == "redirect" })
                let id = try #require(held.first?["id"]?.stringValue)
                // Where to, without what the query may hold.
                let target = "and points to \(elsewhere.url("/stolen"))"
                #expect(try await tool.run("show", id).output.contains("\(target): change the endpoint"))
                #expect(try await tool.run("status").output.contains(target))
                let (report, status) = (try await tool.show(id), try await tool.run("status", "--json"))
                for member in ["last_error", "note"] {
                    #expect(report[member]?.stringValue?.hasSuffix(target) == true, "\(report)")
                }
                #expect(status.output.contains("/stolen") && !status.output.contains("secret"))

                isMended.open()
                #expect(try await tool.run(submit).status == 0)
                for id in ids { #expect(try await tool.state(of: id) == "delivered") }
                #expect(elsewhere.connectionCount == 0)
            }
        }
    }

    @Test("one that names no address, or any text as one, is told as far as it goes, on one line of plain text")
    func strangeRedirect() async throws {
        for (location, words) in [
            (nil, "a redirect that names no address"), ("", "a redirect that names no address"),
            ("ftp://me:secret@files.example/x", "and points to ftp://files.example/x"),
            ("https://b.example/" + String(repeating: "a", count: 60_000), "and points to https://b.example/aaaa"),
            ("https://b.example/\u{202e}cba", "and points to https://b.example/\u{fffd}cba"),
        ] as [(String?, String)] {
            let headers = location.map { [("Location", $0)] } ?? []
            try await withTool(server: .always(.response(302, headers: headers))) { tool, server in
                let id = try await tool.add("one")
                let result = try await tool.run("submit", "--endpoint", server.url("/{id}"))
                #expect(result.status == 75)
                #expect(result.output.contains("redirect: the server answered 302"))
                #expect(result.output.contains(words) && !result.output.contains("secret"), "\(result.output)")
                #expect(result.output.count < 600)
                let error = try #require(try await tool.show(id)["last_error"]?.stringValue)
                #expect(error.contains(words) && !error.contains { $0.isNewline } && error.count < 300)
            }
        }
    }

    @Test("a portal in its place is told, and where one logs in")
    func portal() async throws {
        let page = #"<meta http-equiv="refresh" content="0; url=https://login.example.net/?s=secret">"#
        for (text, words) in [
            (page, "log in at https://login.example.net/"), ("<html>", "in a browser and log in"),
        ] {
            try await withTool(server: .always(.response(511, text: text))) { tool, server in
                let id = try await tool.add("one")
                let result = try await tool.run("submit", "--endpoint", server.url("/{id}"))
                #expect(result.status == 75)
                #expect(result.output.contains("portal: a portal answered 511 in the server's place"))
                #expect(result.output.contains(words) && !result.output.contains("secret"), "\(result.output)")
                #expect(try await tool.run("show", id).output.contains(words))
            }
        }
    }

    @Test("one whose certificate nobody vouches for sees no byte of a report, nor a credential")
    func untrusted() async throws {
        try await withTLSServer(TestAuthority.selfSigned(), .always(.response(201))) { front, server in
            try await withTool(server: .accepting) { tool, honest in
                let ids = try await [tool.add("one"), tool.add("two")]
                let wrong = try await tool.run(
                    ["submit", "--json", "--endpoint", front.url("/{id}")] + Self.credential)
                #expect(wrong.status == 75, "\(wrong.errors)")
                #expect(try wrong.objects.first?.count("held") == 2)
                #expect(front.connectionCount > 0)
                #expect(front.byteCount == 0)
                #expect(server.connectionCount == 0)
                let report = try await tool.show(ids[0])
                #expect(report["reason"]?.stringValue == "tls")
                #expect(report["last_error"]?.stringValue?.contains("certificate is not accepted") == true, "\(report)")
                let shown = try await tool.run("show", ids[0]).output
                #expect(shown.contains("check the certificates, and this machine's clock"))

                #expect(try await tool.submit(to: honest).status == 0)
                for id in ids { #expect(try await tool.state(of: id) == "delivered") }
            }
        }
    }
}
