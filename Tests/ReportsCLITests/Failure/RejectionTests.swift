import Digests
import DurableIO
import Reports
import TestSupport
import Testing

@Suite("What the server refuses, and what a person does about it")
struct RejectionTests {
    @Test("400: the bytes are parked, cat gives the payload, retry sends it")
    func rejectedBytesAreParkedAndCanBeSentAgain() async throws {
        let script = ServerScript { $0.index == 0 ? .response(400, text: "no such field") : .response(201) }
        try await withTool(server: script) { tool, server in
            let payload = try #require(CorpusFile.all.first { $0.name == "core" })
            try tool.drop(payload.bytes, as: "core")
            let id = ContentHash.of(payload.bytes).hex
            let result = try await tool.submit(to: server)
            #expect(result.status == 65)
            #expect(try result.objects.first?.count("rejected") == 1)
            #expect(tool.names(in: "parked") == ["\(id).gz"])
            #expect(tool.names(in: "queued").isEmpty)
            #expect(try await tool.run("cat", id).stdout == payload.bytes)
            let report = try await tool.show(id)
            #expect(report["state"]?.stringValue == "rejected")
            #expect(report.count("last_status") == 400)
            #expect(report["receipt"]?["body"]?.stringValue == "no such field")
            // Nothing happens by itself; and what was rejected before this run is not this run's failure.
            #expect(try await tool.submit(to: server).status == 0)
            #expect(server.requests.count == 1)

            #expect(try await tool.run("retry", String(id.prefix(6))).output == id + "\n")
            #expect(tool.names(in: "queued") == ["\(id).gz"])
            #expect(try await tool.submit(to: server).status == 0)
            #expect(server.requests.count == 2)
            try await Deliveries.check(try #require(server.requests.last), holds: payload.bytes)
        }
    }

    @Test("retry --all takes all that are parked or held")
    func retryAllTakesAll() async throws {
        let script = ServerScript { $0.index < 2 ? .response($0.index == 0 ? 400 : 403) : .response(200) }
        try await withTool(server: script) { tool, server in
            for text in ["one", "two"] {
                try await tool.add(text)
                _ = try await tool.submit(to: server)
            }
            let result = try await tool.run("retry", "--all", "--json")
            #expect(try result.objects.count == 2)
            #expect(try await tool.summary(to: server).count("delivered") == 2)
        }
    }

    @Test("remove deletes the bytes and keeps the record; the same bytes dropped again are sent")
    func removeDeletesBytesAndKeepsTheRecord() async throws {
        try await withTool(server: .accepting) { tool, server in
            let id = try await tool.add("to be removed")
            let other = try await tool.add("to be kept")
            #expect(try await tool.run("remove", id).output == id + "\n")
            #expect(tool.names(in: "queued") == ["\(other).gz"])
            #expect(try await tool.state(of: id) == "removed")
            #expect(try await tool.run("cat", id).status == 66)
            #expect(try await tool.run("retry", id).status == 66)
            #expect(try await tool.summary(to: server).count("delivered") == 1)

            try tool.drop("to be removed", as: "again.log")
            #expect(try await tool.summary(to: server).count("delivered") == 1)
            #expect(Deliveries.ids(server) == [other, id])
            #expect(try await tool.state(of: id) == "delivered")
        }
    }

    @Test("a parked report can be removed, too")
    func parkedReportCanBeRemoved() async throws {
        try await withTool(server: .always(.response(422))) { tool, server in
            let id = try await tool.add("unwanted")
            #expect(try await tool.submit(to: server).status == 65)
            #expect(try await tool.run("remove", id).status == 0)
            #expect(tool.names(in: "parked").isEmpty)
            #expect(try await tool.run("doctor").output == ReportsTool.wellWords)
        }
    }
}
