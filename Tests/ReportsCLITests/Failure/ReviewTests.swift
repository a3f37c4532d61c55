import DurableIO
import Foundation
import Reports
import TestSupport
import Testing

/// Faults that a review by hand found, each as it was found.
@Suite("Faults once found by hand")
struct ReviewTests {
    @Test("a status that is none does not kill the sender")
    func statusBelowOneHundred() async throws {
        let script = ServerScript { request in
            request.index == 0 ? .raw("HTTP/1.1 099 X\r\nContent-Length: 0\r\n\r\n") : .response(201)
        }
        try await withTool(server: script) { tool, server in
            let id = try await tool.add("odd status")
            let first = try await tool.submit(to: server)
            #expect(first.status == 75 && !first.wasSignalled, "\(first.errors)")
            #expect(try await tool.submit(to: server).status == 0)
            #expect(try await tool.state(of: id) == "delivered")
        }
    }

    @Test("a Retry-After counts on every answer", arguments: [401, 403, 409, 415])
    func retryAfterOnEveryAnswer(status: Int) async throws {
        let script = ServerScript.always(.response(status, headers: [("Retry-After", "3600")]))
        try await withTool(server: script) { tool, server in
            try await tool.add("put off")
            #expect(try await tool.submit(to: server).status == 75)
            let count = server.requests.count
            #expect(try await tool.submit(to: server).status == 75)
            #expect(server.requests.count == count)
        }
    }

    @Test("what a deadline cut off still counts as waiting")
    func deadlineBeforeIntake() async throws {
        try await withTool(server: .accepting) { tool, server in
            try await tool.add("cut off")
            let result = try await tool.submit(to: server, "--deadline", "0")
            let summary = try #require(try result.objects.first)
            let delivered = summary.count("delivered") == 1
            #expect(delivered ? result.status == 0 : result.status == 75 && summary.count("waiting") == 1)
        }
    }

    @Test("a damaged entry is parked, seen and removed, and stops nobody")
    func damagedEntry() async throws {
        try await withTool(server: .accepting) { tool, server in
            let damaged = try await tool.add("damaged")
            let sound = try await tool.add("sound")
            let entry = try #require(tool.allFiles().first { $0.hasPrefix("collected/" + damaged) })
            let url = URL(fileURLWithPath: tool.spool + "/" + entry)
            var bytes = try Data(contentsOf: url)
            bytes[0] ^= 0xff
            try bytes.write(to: url)
            #expect(try await tool.submit(to: server).status == 65)
            #expect(try await tool.state(of: sound) == "delivered")
            #expect(try await tool.state(of: damaged) == "rejected")
            #expect(Deliveries.ids(server) == [sound])
            #expect(try await tool.run("remove", damaged).status == 0)
            #expect(try await tool.state(of: damaged) == "removed")
            #expect(try await tool.run("doctor").status == 0)
        }
    }

    @Test("doctor notices two files under each other's names, and neither is told to be well")
    func swappedNames() async throws {
        let refusing = ServerScript.always(.response(503))
        try await withTool(server: refusing) { tool, server in
            let (one, two) = (try await tool.add("one"), try await tool.add("two"))
            _ = try await tool.submit(to: server)
            let room = tool.spool + "/queued/"
            for (from, to) in [(one, "swap"), (two, one), ("swap", two)] {
                try FileManager.default.moveItem(atPath: "\(room)\(from).gz", toPath: "\(room)\(to).gz")
            }
            let doctor = try await tool.run("doctor")
            #expect(doctor.status == 65)
            #expect(doctor.output.contains(one) && doctor.output.contains(two))
        }
    }

    @Test("two signals at once, as timeout(1) sends them, still give the report back")
    func twoSignalsAtOnce() async throws {
        let script = ServerScript { $0.index == 0 ? .stall : .response(201) }
        try await withTool(server: script) { tool, server in
            let id = try await tool.add("signalled twice")
            let submit = try tool.start("submit", "--endpoint", server.url("/{id}"))
            await server.waitForRequests(count: 1)
            submit.send(15)
            submit.send(15)
            #expect(await submit.end().status == 143)
            #expect(try await tool.state(of: id) == "waiting")
        }
    }

    @Test("annotation keys that differ in case only are refused")
    func annotationKeysThatCollide() async throws {
        try await withTool { tool in
            let result = try await tool.run(["add", "-", "--annotate", "A=1", "--annotate", "a=2"], input: [0x78])
            #expect(result.status == 64)
        }
    }
}
