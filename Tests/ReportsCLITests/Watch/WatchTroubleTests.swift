import Digests
import DurableIO
import Foundation
import Glibc
import SystemPackage
import TestSupport
import Testing

/// Trouble that comes after `watch` has begun passes sooner or later, and nobody starts the service again meanwhile.
@Suite("reports watch in trouble")
struct WatchTroubleTests {
    @Test("a ledger that another program locks ends nothing: it says so, and goes on afterwards")
    func lockedLedger() async throws {
        try await withTool(server: .accepting) { tool, server in
            let end = try await tool.watching("--endpoint", server.url("/{id}")) { process, manager in
                try await whileLedgerIsLocked(tool.spool + "/ledger.sqlite") {
                    try tool.drop("a crash", as: "crash.txt")
                    try await expectSoon { process.errors.contains("another program has locked it") }
                    try await expectSoon { manager.messages.value.contains { $0.hasPrefix("STATUS=trouble: ") } }
                }
                try await expectSoon { process.errors.contains("delivered") }
                try await expectSoon { manager.messages.value.last?.hasPrefix("STATUS=nothing waits") == true }
                // The drop itself comes last and alone, and is found to be in the spool already.
                try await expectSoon { try await tool.run("doctor").output == ReportsTool.wellWords }
            }
            #expect(end.status == 0)
            #expect(end.errors.ranges(of: "it is tried again").count == 1, "\(end.errors)")
            #expect(end.errors.contains(" the work goes on\n"))
        }
    }

    @Test("a ledger that is locked when it starts is waited for")
    func lockedAtStart() async throws {
        try await withTool(server: .accepting) { tool, server in
            try await tool.add("a crash")
            let process = try await whileLedgerIsLocked(tool.spool + "/ledger.sqlite") {
                let process = try tool.start("watch", "--endpoint", server.url("/{id}"))
                try await expectSoon { process.errors.contains("another program has locked it") }
                return process
            }
            try await expectSoon { process.errors.contains("delivered") }
            process.send(SIGTERM)
            #expect(await process.end().status == 0)
        }
    }

    @Test("an owner.lock that is removed ends nothing")
    func removedLock() async throws {
        try await withTool(server: .accepting) { tool, server in
            let end = try await tool.watching("--endpoint", server.url("/{id}")) { process, _ in
                try FileManager.default.removeItem(atPath: tool.spool + "/owner.lock")
                for name in ["first", "second"] {
                    try tool.drop(name, as: name + ".txt")
                    let text = "taken in " + ContentHash.of(name).hex.prefix(12)
                    try await expectSoon { process.errors.contains(text) }
                }
                try await expectSoon { process.errors.ranges(of: " delivered ").count == 2 }
            }
            #expect(end.status == 0)
        }
    }

    @Test("a spool whose place something else has taken is waited for, with signs of life")
    func occupiedPlace() async throws {
        try await withTool(server: .accepting) { tool, server in
            let end = try await tool.watching("--endpoint", server.url("/{id}"), watchdog: 400_000) {
                process, manager in
                try FileManager.default.moveItem(atPath: tool.spool, toPath: tool.spool + ".old")
                try tool.file("spool", "not a directory")
                try await expectSoon { process.errors.contains("something in its path is not a directory") }
                let pulses = manager.messages.value.count { $0.hasPrefix("WATCHDOG") }
                try await expectSoon { manager.messages.value.count { $0.hasPrefix("WATCHDOG") } >= pulses + 3 }
                try FileManager.default.removeItem(atPath: tool.spool)
                try tool.drop("a crash", as: "crash.txt")
                try await expectSoon { process.errors.contains("delivered") }
            }
            #expect(end.status == 0)
        }
    }

    @Test("in trouble it ends at SIGTERM at once, with status 0")
    func endsInTrouble() async throws {
        try await withTool(server: .accepting) { tool, server in
            var begun = ContinuousClock.now
            let end = try await tool.watching("--endpoint", server.url("/{id}")) { process, _ in
                try FileManager.default.moveItem(atPath: tool.spool, toPath: tool.spool + ".old")
                try tool.file("spool", "not a directory")
                try await expectSoon { process.errors.contains("it is tried again") }
                begun = .now
            }
            #expect(end.status == 0 && ContinuousClock.now - begun < .seconds(5))
        }
    }

    @Test("the status says again what waits when the other owner has ended")
    func statusAfterOtherOwner() async throws {
        try await withTool(server: .accepting) { tool, server in
            try await tool.watching("--endpoint", server.url("/{id}")) { _, manager in
                func count(_ status: String) -> Int {
                    manager.messages.value.count { $0.hasPrefix("STATUS=" + status) }
                }
                try await expectSoon { count("nothing waits") == 1 }
                try await whileOwned(tool) {
                    try await expectSoon { count("another process owns the spool") == 1 }
                }
                try await expectSoon { count("nothing waits") == 2 }
            }
        }
    }

    /// Runs `body` as the owner of the tool's spool, which is taken from the one that there is.
    private func whileOwned(_ tool: ReportsTool, _ body: () async throws -> Void) async throws {
        let lock = try OwnerLock("owner.lock", in: POSIXFileSystem().openDirectory(FilePath(tool.spool)))
        let isOwner = try await poll {
            // The owner gives the lock back for a second, in which this test may have had no turn.
            try? FileManager.default.removeItem(atPath: tool.spool + "/incoming")
            return try lock.tryLock()
        }
        #expect(isOwner)
        try await body()
        withExtendedLifetime(lock) {}
    }

    @Test("what cannot be looked at is said once, in the log and as an event")
    func unreadable() async throws {
        try await withTool(server: .accepting) { tool, server in
            try await tool.add("a crash")
            try tool.file("spool/runs", "not a directory")
            let end = try await tool.watching("--json", "--endpoint", server.url("/{id}")) { process, _ in
                try await expectSoon { process.errors.contains("runs: the end of its program cannot be told of: ") }
                try await expectSoon { process.output.contains("\"trouble\"") }
            }
            #expect(end.status == 0)
            #expect(end.errors.ranges(of: "cannot be told of").count == 1, "\(end.errors)")
        }
    }

    @Test(
        "reports that a full disk has left without rows are sent when there is space, by the same run",
        .enabled(if: getuid() == 0 && findExecutable("unshare") != nil, "needs root for a small file system"),
        .timeLimit(.minutes(3)))
    func fullDisk() async throws {
        try await withTool(server: .accepting) { tool, server in
            try FileManager.default.createDirectory(atPath: tool.spool, withIntermediateDirectories: false)
            let script = """
                mount -t tmpfs -o size=8m,mode=700 none "$REPORTS_SPOOL" || exit 99
                echo zeroth | "$reports" add -
                "$reports" watch --endpoint "\(server.url("/{id}"))" 2>"$home/errors" & watch=$!
                for n in $(seq 400); do grep -q delivered "$home/errors" && break; sleep 0.05; done
                kill -STOP $watch
                value=$(head -c 700 /dev/zero | tr "\\\\0" x)
                for n in $(seq 1 40); do
                    echo $n | "$reports" add - --annotate a=$value --annotate b=$value --annotate c=$value >/dev/null
                done
                # Without it the commit has no space, whatever else happens.
                rm "$REPORTS_SPOOL/ledger.reserve"
                cat /dev/zero >"$REPORTS_SPOOL/fill" 2>/dev/null
                kill -CONT $watch
                n=0; until grep -q "not enough space" "$home/errors" || [ $n = 100 ]; do sleep 0.1; n=$((n+1)); done
                echo "left $(ls "$REPORTS_SPOOL/queued" | wc -l)"
                rm "$REPORTS_SPOOL/fill"
                n=0; until [ $(grep -c " delivered " "$home/errors") = 41 ] || [ $n = 900 ]; do
                    sleep 0.1; n=$((n+1))
                done
                "$reports" doctor
                kill $watch; wait $watch; echo "status $?"; cat "$home/errors" >&2
                """
            try Data(script.utf8).write(to: URL(fileURLWithPath: tool.home + "/script"))
            let result = try await tool.shell("exec unshare -m /bin/sh \"$home/script\"")
            // Without the right to mount there is nothing to see.
            if result.status == 99 { return }
            #expect(!result.output.contains("left 0\n"), "the disk was not full: \(result.output)\(result.errors)")
            #expect(result.output.hasSuffix(ReportsTool.wellWords + "status 0\n"), "\(result.output)\(result.errors)")
            #expect(Set(server.requests.map(\.target)).count == 41)
            #expect(result.errors.contains("there is space again"), "\(result.errors)")
        }
    }
}
