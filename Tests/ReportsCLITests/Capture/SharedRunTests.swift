import Diagnosis
import Foundation
import Glibc
import TestSupport
import Testing

/// `reports-run` of a user in the spool of another, as the Debian package makes it: real users, with processes of their
/// own.
@Suite("A wrapper in another user's spool", .enabled(if: OtherUser.isAvailable, "needs root and setpriv"))
struct SharedRunTests {
    private static let owner: UInt32 = 61_003
    private static let user: UInt32 = 61_004
    private static let third: UInt32 = 61_005

    private static let crash = """
        echo "Traceback (most recent call last):
          File \\"shop.py\\", line 4, in settle
        ValueError: the till is empty" >&2
        kill -ABRT $$
        """

    /// Runs `body` with a spool of mode 0711 whose `incoming/` has mode 3733.
    private func withSpool(_ body: (ReportsTool, LoopbackServer) async throws -> Void) async throws {
        try await withTool(server: .accepting) { tool, server in
            var tool = tool
            chmod(tool.home, 0o755)
            for user in [Self.owner, Self.user] {
                let home = "\(tool.home)/\(user)"
                try FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: false)
                chown(home, user, user)
                chmod(home, 0o755)
            }
            tool.spool = "\(tool.home)/\(Self.owner)/spool"
            tool.environment["REPORTS_SPOOL"] = tool.spool
            #expect(try await submit(tool, server, "--shared").status == 0)
            #expect(mode(tool.spool) == 0o711 && mode(tool.spool + "/incoming") == 0o3733)
            try await body(tool, server)
        }
    }

    private func submit(_ tool: ReportsTool, _ server: LoopbackServer, _ more: String...) async throws -> ToolResult {
        let words = ["submit", "--json", "--endpoint", server.url("/{id}")] + more
        return try await OtherUser.run(tool, words, as: Self.owner)
    }

    private func run(_ tool: ReportsTool, _ words: String..., as user: UInt32 = user) async throws -> ToolResult {
        try await OtherUser.run(
            tool, command: [ReportsTool.runner, "--spool", tool.spool] + words, as: user)
    }

    private func mode(_ path: String) -> mode_t {
        var facts = stat()
        return lstat(path, &facts) == 0 ? facts.st_mode & 0o7777 : 0
    }

    @Test(
        "an incoming/ that was removed is made again for all users, whoever comes first",
        arguments: ["submit", "run of its owner", "run of root"])
    func madeAgain(_ first: String) async throws {
        try await withSpool { tool, server in
            #expect(rmdir(tool.spool + "/incoming") == 0)
            switch first {
            case "submit": #expect(try await submit(tool, server).status == 0)
            case "run of root": #expect(try await run(tool, "--", "true", as: 0).errors == "")
            default: #expect(try await run(tool, "--", "true", as: Self.owner).errors == "")
            }
            #expect(mode(tool.spool + "/incoming") == 0o3733)
            let added = try await OtherUser.run(tool, ["add", "-"], as: Self.user, input: Array("one".utf8))
            #expect(added.status == 0, "\(added.errors)")
            #expect(try await submit(tool, server).status == 0)
            #expect(try await Deliveries.texts(server) == ["one"])
        }
    }

    /// What the owner knows: one incident, of which exactly one report is the crash, all of them the user's.
    private func expectOneIncident(_ tool: ReportsTool, cause: String) async throws {
        let listed = try await OtherUser.run(tool, ["list", "--json"], as: Self.owner).objects
        #expect(listed.count { $0["kind"]?.stringValue == "crash" } == 1, "\(listed)")
        #expect(Set(listed.map { $0["annotations"]?["incident"]?.stringValue ?? "" }).count == 1, "\(listed)")
        for report in listed {
            #expect(report["state"]?.stringValue == "delivered")
            #expect(report.count("occurrences") == 1)
            #expect(report["annotations"]?["drop.uid"]?.stringValue == "\(Self.user)")
            #expect(report["annotations"]?["run.cause"]?.stringValue == cause)
        }
        #expect(tool.names(in: "incoming") + tool.names(in: "runs") + tool.names(in: "taken") == [])
    }

    @Test("its program ends as without it, nothing is said, and the crash arrives as one incident")
    func crash() async throws {
        try await withSpool { tool, server in
            let result = try await run(tool, "--", "/bin/sh", "-c", Self.crash)
            #expect(result.wasSignalled && result.status == SIGABRT)
            #expect(!result.errors.contains("reports-run:"), "\(result.errors)")
            #expect(tool.names(in: "incoming").count == 2)
            for name in tool.names(in: "incoming") {
                // Neither another user nor the one who has dropped it finds it by its name.
                let path = "\(tool.spool)/incoming/\(name)"
                #expect(try await OtherUser.run(tool, command: ["rm", "-f", path], as: Self.third).status != 0)
                #expect(name.count > 40, "\(name)")
            }
            for user in [Self.user, Self.third] {
                for room in ["incoming", "runs", "queued"] {
                    let look = try await OtherUser.run(tool, command: ["ls", "\(tool.spool)/\(room)"], as: user)
                    #expect(look.status != 0 && look.output.isEmpty)
                }
            }
            #expect(try await submit(tool, server).status == 0)
            try await expectOneIncident(tool, cause: "signal")
            #expect(server.requests.count == 2)
        }
    }

    @Test("one that ends well leaves nothing")
    func endsWell() async throws {
        try await withSpool { tool, _ in
            let result = try await run(tool, "--", "/bin/sh", "-c", "exit 0")
            #expect(result.status == 0 && result.errors.isEmpty, "\(result.errors)")
            let plain = try await run(tool, "--", "/bin/sh", "-c", "exit 3")
            #expect(plain.status == 3 && plain.errors.isEmpty, "\(plain.errors)")
            #expect(tool.names(in: "incoming") + tool.names(in: "runs") == [])
        }
    }

    /// Kills a wrapper and its program, once the program has written its crash and waits.
    private func leave(_ tool: ReportsTool) async throws {
        let script = """
            setsid "$@" & group=$!
            read go <"$0/there"
            kill -s KILL -- -$group
            wait $group
            """
        let folder = "\(tool.home)/\(Self.user)"
        #expect(mkfifo(folder + "/there", 0o600) == 0 && chown(folder + "/there", Self.user, Self.user) == 0)
        let program = Self.crash.replacing("kill -ABRT $$", with: "echo go >\"$1/there\"; exec sleep 60")
        let words = ["/bin/sh", "-c", script, folder, ReportsTool.runner, "--spool", tool.spool]
        let result = try await OtherUser.run(
            tool, command: words + ["--", "/bin/sh", "-c", program, "sh", folder], as: Self.user)
        #expect(result.status == 128 + SIGKILL, "\(result.errors)")
        #expect(!result.errors.contains("reports-run:"), "\(result.errors)")
    }

    @Test("one that is killed with its program is told of once, by the spool's owner and by nobody before")
    func killed() async throws {
        try await withSpool { tool, server in
            try await leave(tool)
            let left = tool.names(in: "incoming")
            #expect(left.count == 1 && left.allSatisfy { $0.hasPrefix(".run-") })
            // Nobody else can look into it, nor take it away.
            for command in [["ls", "-A"], ["rm", "-rf"]] {
                let path = "\(tool.spool)/incoming/\(left.first ?? "")"
                #expect(try await OtherUser.run(tool, command: command + [path], as: Self.third).status != 0)
            }
            // The user's next wrapper cannot list the room: it leaves this to the owner.
            #expect(try await run(tool, "--", "true").status == 0)
            #expect(tool.names(in: "incoming") == left)
            let listed = try await OtherUser.run(tool, ["list", "--json"], as: Self.owner)
            #expect(listed.status == 0 && listed.output.isEmpty, "\(listed.output)")

            let result = try await submit(tool, server)
            #expect(result.status == 0, "\(result.errors)")
            try await expectOneIncident(tool, cause: "lost")
            let count = server.requests.count
            #expect(try await submit(tool, server).status == 0)
            #expect(server.requests.count == count)
            try await expectOneIncident(tool, cause: "lost")
        }
    }

    @Test("one that is under way is left alone by the owner")
    func underWay() async throws {
        try await withSpool { tool, server in
            let folder = "\(tool.home)/\(Self.user)"
            #expect(mkfifo(folder + "/go", 0o600) == 0 && chown(folder + "/go", Self.user, Self.user) == 0)
            let program = "read go <\"$1/go\"; " + Self.crash
            async let ended = run(tool, "--", "/bin/sh", "-c", program, "sh", folder)
            try await poll { tool.names(in: "incoming").contains { $0.hasPrefix(".run-") } }
            let go = open(folder + "/go", O_WRONLY)
            #expect(try await submit(tool, server).status == 0)
            #expect(tool.names(in: "incoming").count == 1 && server.requests.isEmpty)
            _ = write(go, "go\n", 3)
            close(go)
            let result = try await ended
            #expect(result.wasSignalled && result.status == SIGABRT)
            #expect(try await submit(tool, server).status == 0)
            try await expectOneIncident(tool, cause: "signal")
        }
    }

    @Test("a spool that does not let it drop costs one warning, and the program its crash alone")
    func closed() async throws {
        try await withSpool { tool, _ in
            chmod(tool.spool, 0o700)
            let result = try await run(tool, "--", "/bin/sh", "-c", Self.crash)
            #expect(result.wasSignalled && result.status == SIGABRT)
            let said = result.errors.split(separator: "\n").filter { $0.hasPrefix("reports-run:") }
            #expect(said.count == 1 && said[0].contains("will not be reported"), "\(result.errors)")
            #expect(tool.names(in: "incoming") == [])
        }
    }
}
