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
                    ? .response(201) : .response(status, headers: [("Location", elsewhere.url("/stolen"))])
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
                #expect(try await tool.run("show", id).output.contains("points elsewhere: change the endpoint"))

                isMended.open()
                #expect(try await tool.run(submit).status == 0)
                for id in ids { #expect(try await tool.state(of: id) == "delivered") }
                #expect(elsewhere.connectionCount == 0)
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
