import Background
import Foundation
import HTTPTypes
import TestSupport
import Testing

@testable import Reports

/// An endpoint's marks: what is filled in, and what is refused before anything is sent to an address that nobody meant.
@Suite("Marks of an endpoint")
struct EndpointTemplateTests {
    private static func address(
        _ url: String, host: String = "box", annotations: [String: String] = [:]
    ) throws -> String {
        var properties = MarkValues.example(host: host).properties
        properties.annotations = annotations
        // 2026-11-22T05:13:03Z.
        properties.collectedAt = 1_795_324_383_000
        let values = MarkValues(id: "ab12", properties: properties, host: host)
        return try Endpoint(EndpointTemplate(url).url(values)).description
    }

    @Test(
        "marks are filled in, in path and query, and the host's also in the host name",
        arguments: [
            ("https://a.example/r/{id}", "https://a.example/r/ab12"),
            ("https://a.example/{kind}/{id}.gz?from={host}", "https://a.example/crash/ab12.gz?from=box"),
            ("https://{host}.a.example:8443/{id}", "https://box.a.example:8443/ab12"),
            ("http://[::1]:80/{id}{kind}", "http://[::1]/ab12crash"),
            ("https://a.example?id={id}", "https://a.example/?id=ab12"),
            ("https://a.example/%7Bid%7D/%7b{id}", "https://a.example/%7Bid%7D/%7bab12"),
            ("https://a.example/plain", "https://a.example/plain"),
            ("https://a.example/{format}/{yyyy}/{mm}/{dd}/{HH}/{id}", "https://a.example/text/2026/11/22/05/ab12"),
            ("https://a.example/{annotation:none}/{id}?s={annotation:none}", "https://a.example/_/ab12?s="),
        ])
    func filledIn(url: String, expected: String) throws {
        #expect(try Self.address(url) == expected)
    }

    @Test(
        "what is none of the marks is refused, and the message names those that there are",
        arguments: [
            ("https://a/{Id}", "has the unknown mark {Id}"),
            ("https://a/{report_id}", "has the unknown mark {report_id}"),
            ("https://a/{}", "has the unknown mark {}"), ("https://a/{ id }", "has the unknown mark { id }"),
            ("https://a/{id", "has a { that opens no mark"), ("https://a/{{id}}", "has a { that opens no mark"),
            ("https://a/id}", "has a } that ends no mark"), ("https://a/{id}}", "has a } that ends no mark"),
            ("https://a/x?key={secret}", "has an unknown mark in its query"),
            ("https://{id}.example/", "has {id} in its host name"),
            ("https://{kind}/{id}", "has {kind} in its host name"),
            ("https://a:{host}/{id}", "has {host} in its port"), ("{host}://a/{id}", "has {host} in its scheme"),
            ("https://{Host}/{id}", "has the unknown mark {Host}"), ("https://a/{YYYY}", "has the unknown mark {YYYY}"),
            ("https://a/{annotation}", "has the unknown mark {annotation}"),
            ("https://a/{annotation:}", "has the unknown mark {annotation:}"),
            ("https://a/{annotation:a b}", "has the unknown mark {annotation:a b}"),
            ("https://{annotation:a}.example/", "has {annotation:a} in its host name"),
            ("https://{yyyy}.example/", "has {yyyy} in its host name"),
        ])
    func refused(url: String, expected: String) throws {
        let error = #expect(throws: ReportsError.self) { try Destination.http(url).validate() }
        #expect(error?.code == .badConfiguration)
        let message = error?.message ?? ""
        #expect(message.hasPrefix("the endpoint \(expected)"), "\(message)")
        #expect(
            message.contains("{annotation:NAME}") || message.contains("marks stand in path and query"), "\(message)")
        #expect(!message.contains("secret"))
    }

    @Test(
        "what would become another address than the one that was meant is refused",
        arguments: [
            ("https://a/r#{id}", "holds a #"), ("https://a/#/r/{id}", "holds a #"),
            ("https://a/%{id}", "has a % without"),
            ("https://a/r?rate=5%", "has a % without"), ("https://a/${id}", "has a $ before {id}"),
        ])
    func otherAddresses(url: String, expected: String) throws {
        let error = #expect(throws: ReportsError.self) { try Destination.http(url).validate() }
        #expect(error?.message.hasPrefix("the endpoint \(expected)") == true, "\(String(describing: error))")
    }

    @Test("a password is told as one, and no brace in it is shown")
    func password() throws {
        let error = #expect(throws: ReportsError.self) {
            try Destination.http("https://user:{secret}@a.example/").validate()
        }
        #expect(
            error?.message == "the endpoint holds a user name or password: send them in a header; before the DSN of "
                + "Sentry write sentry+")
    }

    @Test("values are percent-encoded: none of them adds a segment, a query or another mark")
    func encoding() throws {
        #expect(
            try Self.address("https://a/{host}/{id}", host: "b/../c?d#e{id}")
                == "https://a/b%2F..%2Fc%3Fd%23e%7Bid%7D/ab12")
        #expect(throws: Endpoint.Problem.self) { try Self.address("https://{host}/{id}", host: "b/c") }
    }

    @Test(
        "a segment that would be empty, . or .. becomes _",
        arguments: [
            ("https://a/{host}/{id}", "", "https://a/_/ab12"), ("https://a/{host}/{id}", ".", "https://a/_/ab12"),
            ("https://a/{host}/{id}", "..", "https://a/_/ab12"), ("https://a/.{host}/x", ".", "https://a/_/x"),
            ("https://a/%2e{host}/x", ".", "https://a/_/x"), ("https://a/x/{host}", "", "https://a/x/_"),
            ("https://a/..{host}/x", ".", "https://a/.../x"), ("https://a/?h={host}", "..", "https://a/?h=.."),
            ("https://a/x//{host}", "b", "https://a/x//b"),
        ])
    func segments(url: String, host: String, expected: String) throws {
        #expect(try Self.address(url, host: host) == expected)
    }

    @Test(
        "a hostile annotation changes neither the host nor the path",
        arguments: [
            ("../..", "..%2F.."), ("a/b", "a%2Fb"), ("%2f..%2f", "%252f..%252f"), ("", "_"), ("..", "_"), (".", "_"),
            ("a\nb", "a%0Ab"), ("é", "%C3%A9"), ("x?y#z", "x%3Fy%23z"), ("@evil.example", "%40evil.example"),
            ("{id}", "%7Bid%7D"), ("\\..\\", "%5C..%5C"), ("//evil.example", "%2F%2Fevil.example"),
        ])
    func hostileAnnotation(value: String, expected: String) throws {
        let address = try Self.address("https://a.example/{annotation:who}/{id}", annotations: ["who": value])
        #expect(address == "https://a.example/\(expected)/ab12")
    }

    @Test("a program's own reporter is not made with such an endpoint, and its spool neither")
    func reporter() throws {
        try withTemporaryDirectory { directory in
            let error = #expect(throws: ReportsError.self) {
                try Reporter(spool: .init(directory + "/spool"), destination: .http("https://a.example/{report_id}"))
            }
            #expect(error?.code == .badConfiguration)
            let made = try FileManager.default.contentsOfDirectory(atPath: directory)
            #expect(made.isEmpty)
        }
    }

    @Test("a request of a report's own has no marks, and a brace in its URL is refused")
    func ownRequest() async throws {
        try await withTemporaryDirectory { directory in
            let harness = try SpoolHarness(directory + "/spool")
            let reporter = Reporter(spool: harness.spool, owner: harness.configuration())
            let request = HTTPRequest(method: .put, scheme: "https", authority: "a.example", path: "/r/{id}")
            let error = await #expect(throws: ReportsError.self) {
                try await reporter.submit(Array("log".utf8), request: request)
            }
            #expect(error?.code == .badArgument)
            #expect(error?.message.contains("holds a brace") == true)
            let stored = try harness.entries("collected")
            #expect(stored == [])
        }
    }
}
