import Digests
import DurableIO
import Foundation
import Reports
import SystemPackage
import TestSupport
import Testing

@Suite("Many processes at one spool", .timeLimit(.minutes(10)))
struct ManyProcessesTests {
    private static let producers = 8
    private static let reportsEach = 6
    /// For which somebody who looks may wait for somebody else, in seconds.
    private static let longestWait = 1.0

    @Test("8 producers, 3 submitters, two that look, kills among them: each payload is stored once")
    func crowd() async throws {
        try await withTool(server: .accepting) { tool, server in
            // A look at a spool that nobody has made yet ends with 66.
            let accepted = Monitor<Set<String>>([try await tool.add("the first")])
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
                let look = try await tool.look(command)
                #expect(look.result.status == 0, "\(command): \(look.result.errors)")
                #expect(look.wait < Self.longestWait, "\(command)")
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

    @Test("what a look waits for is seen")
    func blockedLook() async throws {
        try await withTool(server: .accepting) { tool, server in
            try await tool.add("first")
            _ = try await tool.submit(to: server)
            let directory = try POSIXFileSystem().openDirectory(FilePath(tool.spool))
            // Over all of the ledger's bytes, those that SQLite locks among them.
            let lock = try OwnerLock("ledger.sqlite", in: directory)
            #expect(try lock.tryLock())
            let blocked = try await tool.look(["list"])
            #expect(blocked.wait > Self.longestWait)
            lock.unlock()
            let free = try await tool.look(["list"])
            #expect(free.wait < Self.longestWait)
        }
    }

    @Test(
        "a killed owner is replaced at once by the one who waits",
        .enabled(if: findExecutable("strace") != nil, "needs strace"))
    func killedOwner() async throws {
        let script = ServerScript { $0.index == 0 ? .stall : .response(201) }
        try await withTool(server: script) { tool, server in
            let id = try await tool.add("first")
            let owner = try tool.start("submit", "--endpoint", server.url("/{id}"))
            await server.waitForRequests(count: 1)
            let trace = tool.traceFile()
            let heir = try tool.start(tracing: "fcntl", to: trace, "submit", "--endpoint", server.url("/{id}"))
            // It has tried for the lock twice, so that it is one who waits.
            let isWaiting = try await poll { lockings(in: tool.text(of: trace)).count { !$0.isTaken } >= 2 }
            #expect(isWaiting)
            await owner.killAtOnce()
            let death = Date().timeIntervalSince1970
            #expect(await heir.end().status == 0)
            // It tries every 100 ms. How long that really takes is the machine's affair; that no try fails any more
            // once the owner is dead is ours.
            let tries = lockings(in: tool.text(of: trace))
            #expect(!tries.filter(\.isTaken).isEmpty)
            #expect(tries.filter { !$0.isTaken && $0.time > death }.isEmpty)
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
        while !isOver.isOpen {
            let look = try await tool.look([command, "--json"])
            #expect(look.result.status == 0, "\(look.result.errors)")
            #expect(look.wait < Self.longestWait, "\(command)")
        }
    }
}

/// The tries for the owner's lock in a trace.
private func lockings(in trace: String) -> [(time: Double, isTaken: Bool)] {
    SystemCall.all(in: trace).filter { $0.text.contains("F_OFD_SETLK") && $0.text.contains("F_WRLCK") }
        .map { ($0.time, !$0.text.contains("= -1 ")) }
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
