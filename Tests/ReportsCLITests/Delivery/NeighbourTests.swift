import Glibc
import Reports
import TestSupport
import Testing

@Suite("Several processes at one spool")
struct NeighbourTests {
    @Test("add while another owns the spool: at once, and the owner sends it")
    func addWhileAnotherOwnsTheSpool() async throws {
        let gate = Gate()
        let script = ServerScript.always(.delay(until: gate, then: .response(201)))
        try await withTool(server: script) { tool, server in
            let first = try await tool.add("first")
            let owner = try tool.start("submit", "--json", "--endpoint", server.url("/{id}"))
            await server.waitForRequests(count: 1)
            #expect(try await tool.objects("status").first?["owner"]?.boolValue == true)

            let second = try await tool.add("second")
            // The owner may have begun to send it beside the first.
            #expect(["queued", "sending"].contains(try await tool.state(of: second)))
            #expect(try await tool.run("cat", second).output == "second")
            #expect(try await tool.add("first") == first)
            gate.open()
            #expect(await owner.end().status == 0)
            #expect(Deliveries.ids(server) == [first, second])
            #expect(try await tool.show(first).count("occurrences") == 2)
        }
    }

    @Test("two submits at once: each report goes once, and both end well")
    func twoSubmitsAtOnceSendEachReportOnce() async throws {
        try await withTool(server: .accepting) { tool, server in
            for number in 1...200 { try tool.drop("report \(number)", as: "\(number).log") }
            async let one = tool.submit(to: server)
            async let two = tool.submit(to: server)
            let results = try await [one, two]
            #expect(results.map(\.status) == [0, 0], "\(results.map(\.output))")
            let delivered = try results.compactMap { try $0.objects.first?.count("delivered") }
            #expect(delivered.reduce(0, +) == 200)
            #expect(server.requests.count == 200)
            #expect(Set(Deliveries.ids(server)).count == 200)
        }
    }

    @Test("submit that another owner keeps from its work ends at its deadline with 75")
    func submitKeptFromItsWorkEndsAtItsDeadline() async throws {
        try await withTool(server: .always(.stall)) { tool, server in
            try await tool.add("first")
            let owner = try tool.start("submit", "--endpoint", server.url("/{id}"))
            await server.waitForRequests(count: 1)
            let start = ContinuousClock.now
            let other = try await tool.run("submit", "--endpoint", server.url("/{id}"), "--deadline", "1")
            #expect(other.status == 75)
            #expect(other.output.contains("another process"))
            #expect(ContinuousClock.now - start < .seconds(10))
            owner.send(15)
            #expect(await owner.end().status == 143)
        }
    }

    @Test("status and list go on beside a submit, and every line they print is whole")
    func statusAndListGoOnBesideASubmit() async throws {
        try await withTool(server: .accepting) { tool, server in
            for number in 1...300 { try tool.drop("report \(number)", as: "\(number).log") }
            let submit = try tool.start("submit", "--json", "--endpoint", server.url("/{id}"))
            var looks = 0
            while submit.isRunning || looks == 0 {
                let status = try await tool.run("status", "--json")
                #expect(status.status == 0, "\(status.errors)")
                let counts = try #require(try status.objects.first?["states"]?.objectValue)
                // Between two looks a report changes rooms, so it may be seen twice or not at all, but no more.
                let total = counts.members.reduce(0) { $0 + ($1.value.count("count") ?? 0) }
                #expect(total <= 700)
                let list = try await tool.run("list", "--json")
                #expect(list.status == 0, "\(list.errors)")
                #expect(try list.objects.count <= 700)
                looks += 1
            }
            let end = await submit.end()
            #expect(end.status == 0, "\(end.errors)")
            #expect(Set(Deliveries.ids(server)).count == 300)
            #expect(server.requests.count == 300)
        }
    }

    @Test("retry and remove with a live owner: it carries them out, once")
    func retryAndRemoveWithALiveOwner() async throws {
        let gate = Gate()
        let script = ServerScript { request in
            switch request.index {
            case 0: .response(400)
            case 1: .delay(until: gate, then: .response(201))
            default: .response(201)
            }
        }
        try await withTool(server: script) { tool, server in
            let parked = try await tool.add("parked")
            #expect(try await tool.submit(to: server).status == 65)
            let busy = try await tool.add("busy")
            let owner = try tool.start("submit", "--endpoint", server.url("/{id}"))
            await server.waitForRequests(count: 2)

            let late = try await tool.add("late")
            // The owner looks each second, which the four programs here may take.
            owner.send(SIGSTOP)
            #expect(try await tool.run("retry", parked).output == parked + "\n")
            #expect(try await tool.run("remove", late).output == late + "\n")
            // Nothing has happened yet: the owner does it when it looks.
            #expect(try await tool.state(of: parked) == "rejected")
            owner.send(SIGCONT)
            gate.open()
            #expect(await owner.end().status == 0)
            #expect(Deliveries.ids(server) == [parked, busy, parked])
            #expect(try await tool.state(of: late) == "removed")
            #expect(tool.names(in: "collected").isEmpty)
        }
    }
}
