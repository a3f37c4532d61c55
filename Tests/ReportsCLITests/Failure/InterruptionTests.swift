import Glibc
import Reports
import TestSupport
import Testing

@Suite("Signals and readers that go away")
struct InterruptionTests {
    @Test(
        "a signal in the middle of a submit gives the report back, and the next submit delivers it",
        arguments: [(Int32(2), Int32(130)), (15, 143)])
    func signalGivesTheReportBack(_ signal: Int32, _ status: Int32) async throws {
        let script = ServerScript { $0.index == 0 ? .stall : .response(201) }
        try await withTool(server: script) { tool, server in
            let id = try await tool.add("interrupted")
            let submit = try tool.start("submit", "--endpoint", server.url("/{id}"))
            await server.waitForRequests(count: 1)
            #expect(try await tool.state(of: id) == "sending")
            submit.send(signal)
            let end = await submit.end()
            #expect(end.status == status && !end.wasSignalled)
            let report = try await tool.show(id)
            #expect(report["state"]?.stringValue == "waiting")
            #expect(report.count("charged") == 0)
            #expect(report.count("attempts") == 1)
            #expect(try await tool.submit(to: server).status == 0)
            #expect(Deliveries.ids(server) == [id, id])
        }
    }

    @Test("a ledger that another program keeps locked is not waited for after a signal, nor beyond the deadline")
    func lockedLedgerIsNotWaitedFor() async throws {
        try await withTool(server: .accepting) { tool, server in
            let id = try await tool.add("locked out")
            _ = try await tool.submit(to: server)
            try await tool.add("locked out, too")
            try await whileLedgerIsLocked("\(tool.spool)/ledger.sqlite") {
                let begun = ContinuousClock.now
                let late = try await tool.run("submit", "--endpoint", server.url("/{id}"), "--deadline", "0.2")
                #expect(late.status == 69)
                #expect(late.errors.contains("another program has locked it"))
                #expect(ContinuousClock.now - begun < .seconds(4))
            }
            #expect(try await tool.submit(to: server).status == 0)
            #expect(try await tool.state(of: id) == "delivered")
        }
    }

    @Test("kill -9 in the middle of a submit costs nothing but a second request")
    func killCostsNothingButASecondRequest() async throws {
        let script = ServerScript { $0.index == 0 ? .stall : .response(201) }
        try await withTool(server: script) { tool, server in
            let id = try await tool.add("killed")
            let submit = try tool.start("submit", "--endpoint", server.url("/{id}"))
            await server.waitForRequests(count: 1)
            await submit.killAtOnce()
            #expect(try await tool.submit(to: server).status == 0)
            #expect(Deliveries.ids(server) == [id, id])
            #expect(try await tool.state(of: id) == "delivered")
            #expect(try await tool.run("doctor").output == ReportsTool.wellWords)
        }
    }

    @Test("a reader that goes away ends a listing quietly")
    func readerThatGoesAwayEndsAListingQuietly() async throws {
        try await withTool { tool in
            try await tool.add("the spool has to be there")
            for number in 1...3_000 { try tool.drop("x", as: "\(number).log") }
            for command in ["list", "list --json"] {
                let result = try await tool.shell("{ \"$reports\" \(command); echo $? >&2; } | head -n 1")
                #expect(result.errors == "0\n")
                #expect(result.output.split(separator: "\n").count == 1)
            }
        }
    }

    @Test("whoever reads the output of add or submit may go away: the work is done all the same")
    func workIsDoneWhoeverReads() async throws {
        try await withTool(server: .accepting) { tool, server in
            let names = try (1...250).map { try tool.file("\($0).log", "report \($0)") }
            var quoted = names.joined(separator: "' '")
            quoted = "'\(quoted)'"
            let added = try await tool.shell("{ \"$reports\" add --move \(quoted); echo $? >&2; } | true")
            #expect(added.errors == "0\n")
            #expect(tool.names(in: "collected").count == 250)
            for name in names { #expect(access(name, F_OK) != 0) }
            let line = "{ \"$reports\" submit --endpoint '\(server.url())'; echo $? >&2; } | true"
            #expect(try await tool.shell(line).errors == "0\n")
            #expect(server.requests.count == 250)
        }
    }

    @Test("a full disk behind the output is an error that is named")
    func fullDiskBehindTheOutputIsNamed() async throws {
        try await withTool { tool in
            let id = try await tool.add("for nobody")
            let result = try await tool.shell("\"$reports\" cat \(id) > /dev/full")
            #expect(result.status == 73)
            #expect(result.errors.contains("standard output"))
        }
    }

    @Test("closed standard streams are no reason to write elsewhere")
    func closedStandardStreamsAreHarmless() async throws {
        try await withTool { tool in
            try tool.file("a.log", "closed streams")
            let result = try await tool.shell("\"$reports\" add \"$home/a.log\" <&- >&- 2>&-")
            #expect(result.status == 0)
            let id = try #require(try await tool.objects("list").first?["id"]?.stringValue)
            #expect(try await tool.run("cat", id).output == "closed streams")
        }
    }
}
