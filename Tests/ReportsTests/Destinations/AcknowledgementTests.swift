import Background
import Diagnosis
import DurableIO
import Foundation
import HTTPTypes
import Reports
import SystemPackage
import TestSupport
import Testing

/// The proof of receipt that an endpoint may have to give.
@Suite("Acknowledgements", .timeLimit(.minutes(10)))
struct AcknowledgementTests {
    private func withReporter(
        _ rule: Acknowledgement, _ script: ServerScript,
        _ body: (Reporter, ReportSpool, LoopbackServer) async throws -> Void
    ) async throws {
        try await withTemporaryDirectory { directory in
            try await withLoopbackServer(script) { server in
                var destination = Destination.http(server.url("/{id}"))
                destination.acknowledgement = rule
                let path = FilePath(directory + "/spool")
                let reporter = try Reporter(spool: path, destination: destination)
                let spool = try #require(try ReportSpool.open(path, isCreating: true))
                try await body(reporter, spool, server)
            }
        }
    }

    @Test(
        "a 2xx with the proof is a delivery, and the proof is kept",
        arguments: [
            (Acknowledgement.header("Report-Receipt"), "17"), (.json("receipt"), "n-1"),
            (.json("/result/0/id"), "deep"),
            (.json("count"), "3"), (.json("/a~1b"), "slash"),
        ])
    func proven(rule: Acknowledgement, proof: String) async throws {
        let answer = Answer.response(
            202, headers: [("Report-Receipt", "17")],
            text: #"{"receipt": "n-1", "result": [{"id": "deep"}], "count": 3, "a/b": "slash"}"#)
        try await withReporter(rule, .always(answer)) { reporter, spool, server in
            let id = try await reporter.collect([1])
            #expect(try await reporter.submitPending().delivered == 1)
            let record = try #require(try SpoolInspector(spool: spool).record(id))
            let receipt = try JSONValue.parse(Array((record.receipt ?? "").utf8))
            #expect(receipt["acknowledgement"]?.stringValue == proof)
            #expect(server.requests.count == 1)
        }
    }

    @Test(
        "a 2xx without it is none: the report is held, the others go on",
        arguments: [
            Acknowledgement.header("X-Other"), .json("other"), .json("nothing"), .json("no"), .json("empty"),
            .json("/a/b"),
            .json("/list/7"), .json("/list/x"),
        ])
    func unproven(rule: Acknowledgement) async throws {
        let lacking = #"{"receipt": 1, "nothing": null, "no": false, "empty": "", "a": {"c": 1}, "list": [1]}"#
        let isMended = Gate()
        let script = ServerScript { request in
            isMended.isOpen
                ? .response(
                    200, headers: [("X-Other", "x")],
                    text:
                        #"{"other": 1, "nothing": 1, "no": true, "empty": "x", "a": {"b": 1}, "list": {"7": 1, "x": 1}}"#
                )
                : .response(200, text: lacking)
        }
        try await withReporter(rule, script) { reporter, spool, _ in
            let id = try await reporter.collect([1])
            let first = try await reporter.submitPending()
            #expect(first.delivered == 0 && first.held == 1 && first.rejected == 0)
            let record = try #require(try SpoolInspector(spool: spool).record(id))
            #expect(record.reason == .held(.acknowledgement))
            #expect(record.lastError == "the server answered 200 without the proof of receipt")
            #expect(record.charged == 0)
            isMended.open()
            // What is held for a reason of its own waits for its hour, or for a person.
            _ = try await OrderDispatch(spool: spool).carryOut(.retry, ids: [id])
            #expect(try await reporter.submitPending().delivered == 1)
        }
    }

    @Test("the proof may be far down in a long answer, and not beyond 64 KiB", arguments: [(60_000, 1), (70_000, 0)])
    func longAnswer(padding: Int, delivered: Int) async throws {
        let text = "{\"padding\": \"\(String(repeating: "x", count: padding))\", \"receipt\": 1}"
        try await withReporter(.json("receipt"), .always(.response(200, text: text))) { reporter, _, _ in
            try await reporter.collect([1])
            #expect(try await reporter.submitPending().delivered == delivered)
        }
    }

    @Test("an answer that breaks off before the proof is a failure of the connection, tried again soon")
    func cutAnswer() async throws {
        let cut = Answer.response(200, headers: [("Content-Length", "200")], text: "{\"a\": ").then(.close)
        try await withReporter(.json("receipt"), .always(cut)) { reporter, spool, _ in
            for number in 0..<8 { try await reporter.collect([UInt8(number)]) }
            let summary = try await reporter.submitPending()
            #expect(summary.held == 0 && summary.delivered == 0 && summary.waiting == 8)
            let origin = try #require(try SpoolInspector(spool: spool).status().origins.first)
            #expect(origin.reason == "backing off")
        }
    }

    @Test("a page of HTML that has the proof is no portal's")
    func pageWithProof() async throws {
        let page = Answer.response(
            200, headers: [("Content-Type", "text/html"), ("X-Receipt", "7")], text: "<html>thanks</html>")
        try await withLoopbackServer(.always(page)) { proxy in
            try await withTemporaryDirectory { directory in
                var configuration = Reporter.Configuration()
                // By a proxy, so that the answer is not this machine's own.
                configuration.connection.proxy = try .server("http://127.0.0.1:\(proxy.port)", exceptions: "")
                var destination = Destination.http("http://server.example/{id}")
                destination.acknowledgement = .header("X-Receipt")
                let reporter = try Reporter(
                    spool: FilePath(directory + "/spool"), destination: destination, configuration: configuration)
                try await reporter.collect([1])
                #expect(try await reporter.submitPending().delivered == 1)
            }
        }
    }

    @Test("the last answer of an upload in parts may hold the proof as far down as any other")
    func parts() async throws {
        try await withTemporaryDirectory { directory in
            var rules = DraftRules()
            rules.application = { _ in
                ReportAnswer(
                    status: 201,
                    body: Array("{\"pad\": \"\(String(repeating: "x", count: 4_000))\", \"receipt\": 1}".utf8))
            }
            let server = try DraftResumableServer(rules)
            defer { server.stop() }
            var destination = Destination.http(server.url("/{id}"))
            destination.acknowledgement = .json("receipt")
            let reporter = try Reporter(spool: FilePath(directory + "/spool"), destination: destination)
            var generator = SeededGenerator(seed: 6)
            try await reporter.collect((0..<(9 << 20)).map { _ in UInt8.random(in: 0...255, using: &generator) })
            #expect(try await reporter.submitPending().delivered == 1)
            #expect(server.reports.first?.uploadPath != nil)
        }
    }

    @Test("five without it in a row close the server's gate")
    func gate() async throws {
        try await withReporter(.header("Receipt"), .always(.response(200))) { reporter, spool, server in
            for number in 0..<30 { try await reporter.collect([UInt8(number)]) }
            let summary = try await reporter.submitPending()
            #expect(summary.delivered == 0 && summary.rejected == 0)
            #expect(server.requests.count < 30)
            let origin = try #require(try SpoolInspector(spool: spool).status().origins.first)
            #expect(origin.reason == "acknowledgement")
        }
    }

    @Test(
        "rules are read as they are written",
        arguments: [
            ("header:Report-Receipt", "header:Report-Receipt"), ("json:receipt", "json:receipt"),
            ("json:/a/b", "json:/a/b"),
            ("header:", nil), ("header:a b", nil), ("json:", nil), ("Report-Receipt", nil), ("body:x", nil), ("", nil),
        ])
    func reading(text: String, description: String?) {
        #expect(Acknowledgement(text)?.description == description)
    }
}
