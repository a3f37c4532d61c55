import DurableIO
import Glibc
import Reports
import TestSupport
import Testing

@Suite("Many processes at one spool", .timeLimit(.minutes(2)))
struct ManyProcessesTests {
    private static let producers = 8
    private static let reportsEach = 6

    @Test("8 producers, 3 submitters, two that look, kills among them: each payload is stored once")
    func crowd() async throws {
        try await withTool(server: .accepting) { tool, server in
            let accepted = Monitor<Set<String>>([])
            let isOver = Gate()
            await withTaskGroup { group in
                for submitter in 0..<3 {
                    group.addTask { await noting { try await submit(tool, server, submitter == 0, until: isOver) } }
                }
                for command in ["list", "status"] {
                    group.addTask { await noting { try await look(tool, command, until: isOver) } }
                }
                await withTaskGroup { producers in
                    for producer in 0..<Self.producers {
                        producers.addTask { await noting { try await produce(tool, producer, accepted) } }
                    }
                }
                isOver.open()
            }
            let ids = accepted.value.union([ContentHash.of("report of all").hex])
            try await expectAllDelivered(ids, tool, server, "crowd")
            let stored = Set(server.requests.filter(\.isComplete).map(\.target))
            #expect(stored == Set(ids.map { "/" + $0 }))
            let report = try await tool.show(ContentHash.of("report of all").hex)
            #expect(report.count("occurrences") == Int64(Self.producers * Self.reportsEach))
            for id in ids where id != ContentHash.of("report of all").hex {
                #expect(try await tool.show(id).count("occurrences") == 1)
            }
        }
    }

    @Test("a stopped owner keeps the spool; lookers and producers do not wait for it")
    func stoppedOwner() async throws {
        let script = ServerScript { $0.index == 0 ? .stall : .response(201) }
        try await withTool(server: script) { tool, server in
            let first = try await tool.add("first")
            let owner = try tool.start("submit", "--endpoint", server.url("/{id}"))
            await server.waitForRequests(count: 1)
            owner.send(SIGSTOP)
            #expect(try await poll { state(of: owner) == "T" })

            let second = try await tool.add("second")
            for command in [["list", "--json"], ["status", "--json"], ["show", first], ["doctor"]] {
                // Of several tries one is fast, however busy the machine is.
                var shortest: Duration = .seconds(60)
                for _ in 0..<3 {
                    let start = ContinuousClock.now
                    let result = try await tool.run(command)
                    shortest = min(shortest, ContinuousClock.now - start)
                    #expect(result.status == 0, "\(command): \(result.errors)")
                }
                #expect(shortest < .seconds(1), "\(command)")
            }
            let kept = try await tool.run("submit", "--endpoint", server.url("/{id}"), "--deadline", "1")
            #expect(kept.status == 75)
            #expect(try await tool.objects("status").first?["owner"]?.boolValue == true)
            #expect(server.requests.count == 1)

            owner.send(SIGCONT)
            owner.send(SIGTERM)
            #expect(await owner.end().status == 143)
            try await expectAllDelivered([first, second], tool, server, "stopped")
        }
    }

    @Test("a killed owner is replaced at once by the one who waits")
    func killedOwner() async throws {
        let script = ServerScript { $0.index == 0 ? .stall : .response(201) }
        try await withTool(server: script) { tool, server in
            let id = try await tool.add("first")
            let owner = try tool.start("submit", "--endpoint", server.url("/{id}"))
            await server.waitForRequests(count: 1)
            let heir = try tool.start("submit", "--endpoint", server.url("/{id}"))
            #expect(try await poll { state(of: heir) != nil })
            let start = ContinuousClock.now
            await owner.killAtOnce()
            #expect(await heir.end().status == 0)
            // Far below the minute for which an owner is waited for.
            #expect(ContinuousClock.now - start < .seconds(30))
            #expect(Deliveries.ids(server) == [id, id])
            try await expectAllDelivered([id], tool, server, "killed")
        }
    }

    @Test("with owner.lock replaced the old owner starts nothing more, and nothing is lost")
    func replacedLock() async throws {
        let gate = Gate()
        let script = ServerScript { $0.index == 0 ? .delay(until: gate, then: .response(201)) : .response(201) }
        try await withTool(server: script) { tool, server in
            var ids: Set<String> = [try await tool.add("first")]
            let old = try tool.start("submit", "--endpoint", server.url("/{id}"), "--max-concurrent", "1")
            await server.waitForRequests(count: 1)
            let lock = tool.spool + "/owner.lock"
            #expect(unlink(lock) == 0)
            for number in 0..<20 { ids.insert(try await tool.add("later \(number)")) }
            let new = try await tool.submit(to: server)
            #expect(new.status == 0, "\(new.errors)")
            let connections = Set(server.requests.dropFirst().map(\.connection))
            gate.open()
            let end = await old.end()
            #expect(end.status == 0 || end.status == 69, "\(end.errors)")
            // What the old one has on its connection is what it had before.
            #expect(server.requests.filter { $0.connection == 0 }.count == 1)
            #expect(Set(server.requests.dropFirst().map(\.connection)) == connections)
            try await expectAllDelivered(ids, tool, server, "replaced")
        }
    }

    // MARK: - The crowd

    /// So that one who fails stops none of the others.
    private func noting(_ body: () async throws -> Void) async {
        do {
            try await body()
        } catch {
            Issue.record(error)
        }
    }

    private func produce(_ tool: ReportsTool, _ producer: Int, _ accepted: Monitor<Set<String>>) async throws {
        for number in 0..<Self.reportsEach {
            let text = "report \(producer) \(number)"
            if number % 3 == 2 {
                try tool.drop(text, as: "\(producer)-\(number).log")
            } else {
                #expect(try await tool.add(text) == ContentHash.of(text).hex)
            }
            accepted.withLock { _ = $0.insert(ContentHash.of(text).hex) }
            // What all the others add, too: the same content is one report.
            try await tool.add("report of all")
        }
    }

    /// Submits again and again; some of its processes are killed once they have begun to send.
    private func submit(
        _ tool: ReportsTool, _ server: LoopbackServer, _ killing: Bool, until isOver: Gate
    ) async throws {
        var kills = 0
        while !isOver.isOpen {
            let running = try tool.start("submit", "--endpoint", server.url("/{id}"))
            if killing, kills < 6 {
                let count = server.requests.count
                try await poll { server.requests.count > count || !running.isRunning || isOver.isOpen }
                if running.isRunning { kills += 1 }
                await running.killAtOnce()
                continue
            }
            let end = await running.end()
            #expect(end.status == 0, "\(end.status): \(end.output) \(end.errors)")
        }
    }

    private func look(_ tool: ReportsTool, _ command: String, until isOver: Gate) async throws {
        var shortest: Duration = .seconds(60)
        while !isOver.isOpen {
            let start = ContinuousClock.now
            let result = try await tool.run(command, "--json")
            let time = ContinuousClock.now - start
            shortest = min(shortest, time)
            #expect(result.status == 0, "\(result.errors)")
            // Fifteen processes share the machine; a look that waits for a lock would wait for many of them.
            #expect(time < .seconds(20), "\(command)")
        }
        #expect(shortest < .seconds(1))
    }
}

/// The letter that the kernel shows for a process, `T` when it is stopped (proc_pid_stat(5)).
private func state(of process: RunningTool) -> String? {
    guard let file = fopen("/proc/\(process.processIdentifier)/stat", "r") else { return nil }
    defer { fclose(file) }
    var buffer = [CChar](repeating: 0, count: 512)
    guard fgets(&buffer, 512, file) != nil else { return nil }
    let text = String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    return text.split(separator: ")").last?.split(separator: " ").first.map(String.init)
}
