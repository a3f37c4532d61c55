import Diagnosis
import Foundation
import Glibc
import TestSupport
import Testing

@Suite("reports watch", .timeLimit(.minutes(5)))
struct WatchTests {
    @Test("a drop is sent within a second")
    func soon() async throws {
        try await withTool(server: .accepting) { tool, server in
            _ = try await tool.watching("--endpoint", server.url("/{id}")) { _, _ in
                var times: [Duration] = []
                for count in 1...3 {
                    let begun = ContinuousClock.now
                    try tool.drop("crash \(count)", as: "crash-\(count).txt")
                    await server.waitForRequests(count: count)
                    times.append(ContinuousClock.now - begun)
                }
                // Other tests may have the machine for one of them.
                let sorted = times.sorted()
                #expect(sorted[0] < .milliseconds(500) && sorted[1] < .seconds(1), "\(times)")
            }
        }
    }

    @Test("a drop is said on standard error with the time, and so is its delivery")
    func drop() async throws {
        try await withTool(server: .accepting) { tool, server in
            let end = try await tool.watching("--endpoint", server.url("/{id}")) { process, _ in
                try tool.drop("a crash", as: "crash.txt")
                try await poll { process.errors.contains("delivered") }
            }
            #expect(end.status == 0 && !end.wasSignalled)
            let lines = end.errors.split(separator: "\n")
            try #require(lines.count == 4, "\(end.errors)")
            #expect(lines[1].wholeMatch(of: /[-\d]{10}T[:.\d]{12}Z taken in [0-9a-f]{12} \([a-z]+\): .*/) != nil)
            #expect(lines[2].wholeMatch(of: /[-\d]{10}T[:.\d]{12}Z delivered [0-9a-f]{12}/) != nil)
            #expect(end.output == "")
        }
    }

    @Test("with --json each event is an object on standard output")
    func json() async throws {
        try await withTool(server: .accepting) { tool, server in
            let end = try await tool.watching("--json", "--endpoint", server.url("/{id}")) { process, _ in
                try tool.drop("a crash", as: "crash.txt")
                try await poll { process.output.contains("\"delivered\"") }
            }
            let objects = try end.output.split(separator: "\n").map { try JSONValue.parse(Array($0.utf8)) }
            let names = objects.compactMap { $0["event"]?.stringValue }
            #expect(names.filter { $0 != "standing" } == ["taken", "delivered"])
            #expect(objects.first { $0["event"]?.stringValue == "taken" }?["name"]?.stringValue == "crash.txt")
            #expect(objects.allSatisfy { $0["time"]?.stringValue != nil })
        }
    }

    @Test("where standard error leads to the journal, lines have priorities and no time", arguments: [true, false])
    func journal(isJournal: Bool) async throws {
        try await withTool { tool in
            try tool.drop("x", as: "x")
            chmod(tool.spool + "/incoming/x", 0)
            let stream = isJournal ? "$(stat -L -c %d:%i /proc/self/fd/2)" : "1:2"
            let result = try await tool.shell(
                """
                exec 2>"$home/errors"; JOURNAL_STREAM=\(stream); export JOURNAL_STREAM
                "$reports" watch --endpoint http://127.0.0.1:9 & pid=$!
                for n in $(seq 400); do grep -q skipped "$home/errors" && break; sleep 0.05; done
                kill $pid; wait $pid
                """)
            #expect(result.status == 0)
            let errors = try String(contentsOfFile: tool.home + "/errors", encoding: .utf8)
            let line = try #require(errors.split(separator: "\n").first { $0.contains("skipped incoming/x: ") })
            #expect(line.hasPrefix("<4>skipped incoming/x: ") == isJournal, "\(line)")
            #expect(errors.split(separator: "\n").allSatisfy { $0.hasPrefix("<") == isJournal }, "\(errors)")
        }
    }

    @Test("without an endpoint it says so once, and takes drops in")
    func noEndpoint() async throws {
        try await withTool { tool in
            let end = try await tool.watching { process, manager in
                try tool.drop("a crash", as: "crash.txt")
                await manager.wait(for: "STATUS=1 waiting")
            }
            #expect(end.status == 0)
            #expect(end.errors.ranges(of: "no endpoint: give --endpoint").count == 1)
            #expect(tool.names(in: "queued").count == 1)
        }
    }

    @Test("it makes a spool that is removed or replaced again, and says so", arguments: [true, false])
    func gone(isReplaced: Bool) async throws {
        try await withTool(server: .accepting) { tool, server in
            let end = try await tool.watching("--endpoint", server.url("/{id}")) { process, manager in
                if isReplaced {
                    try FileManager.default.moveItem(atPath: tool.spool, toPath: tool.spool + ".old")
                } else {
                    try FileManager.default.removeItem(atPath: tool.spool)
                }
                await manager.wait(for: "READY=1", count: 2)
                try tool.drop("a crash", as: "crash.txt")
                await server.waitForRequests(count: 1)
            }
            #expect(end.status == 0)
            #expect(end.errors.contains("was removed or replaced") || end.errors.contains("is opened again"))
        }
    }

    @Test("while another process owns the spool it waits, and then goes on")
    func otherOwner() async throws {
        let script = ServerScript { $0.index == 0 ? .stall : .response(201) }
        try await withTool(server: script) { tool, server in
            try await tool.add("first")
            let submit = try tool.start("submit", "--endpoint", server.url("/{id}"))
            await server.waitForRequests(count: 1)
            let process = try tool.start("watch", "--endpoint", server.url("/{id}"))
            try await poll { process.errors.contains("another process owns the spool") }
            submit.send(SIGTERM)
            await submit.end()
            await server.waitForRequests(count: 2)
            try await poll { process.errors.contains("delivered") }
            process.send(SIGTERM)
            #expect(await process.end().status == 0)
        }
    }

    @Test("it says where reports go at its start and after new settings, and that it ends")
    func tells() async throws {
        try await withTool { tool in
            let settings = tool.home + "/settings.json"
            try tool.file("settings.json", #"{"endpoint": "http://127.0.0.1:9/{id}?key=secret"}"#)
            var configured = tool
            configured.environment["REPORTS_CONFIG"] = settings
            let end = try await configured.watching { process, manager in
                let start = "watching \(tool.spool), sending to http://127.0.0.1:9/"
                try await expectSoon { process.errors.contains(start) }
                try tool.file("settings.json", #"{"destinations": {"near": {"endpoint": "http://127.0.0.1:8/{id}"}}}"#)
                process.send(SIGHUP)
                await manager.wait(for: "READY=1", count: 2)
                try await expectSoon { process.errors.contains(", sending to near (http://127.0.0.1:8/{id})\n") }
                // With the same settings there is nothing to tell.
                process.send(SIGHUP)
                await manager.wait(for: "READY=1", count: 3)
            }
            #expect(end.errors.ranges(of: "sending to").count == 2, "\(end.errors)")
            #expect(end.errors.hasSuffix(" ended by a signal\n") && !end.errors.contains("secret"), "\(end.errors)")
        }
    }

    @Test("a retry beside it says who carries it out")
    func retryBeside() async throws {
        try await withTool(server: ServerScript { .response($0.index == 0 ? 400 : 201) }) { tool, server in
            let id = try await tool.add("first")
            #expect(try await tool.submit(to: server).status == 65)
            try await tool.watching("--endpoint", server.url("/{id}")) { process, _ in
                try await expectSoon { process.errors.contains("sending to") }
                let result = try await tool.run("retry", "--all")
                #expect(result.status == 0 && result.output.isEmpty)
                let words = "owns the spool and is asked to retry all that can be"
                #expect(result.errors.contains(words), "\(result.errors)")
                await server.waitForRequests(count: 2)
                try await expectSoon { process.errors.contains("delivered \(id.prefix(12))") }
            }
        }
    }

    @Test("wrong usage, settings and spools have the statuses that they have elsewhere")
    func statuses() async throws {
        try await withTool { tool in
            #expect(try await tool.run("watch", "--deadline", "5").status == 64)
            #expect(try await tool.run("watch", "--endpoint", "http://{nothing}/").status == 64)
            var wrong = tool
            wrong.environment["REPORTS_ENDPOINT"] = "http://{nothing}/"
            #expect(try await wrong.run("watch").status == 78)
            try tool.file("no-spool", "")
            #expect(try await tool.run("watch", "--spool", tool.home + "/no-spool").status == 69)
        }
    }
}
