import Digests
import DurableIO
import Foundation
import Reports
import TestSupport
import Testing

/// A spool whose owner shares it, and other users of the machine: real users, each with a process of its own.
@Suite("A spool that others add to", .enabled(if: OtherUser.isAvailable, "needs root and setpriv"))
struct SharedSpoolTests {
    private static let owner: UInt32 = 61_001
    private static let third: UInt32 = 61_002

    /// Runs `body` with a spool of `owner`, shared unless said otherwise, and a server.
    private func withSpool(
        isShared: Bool = true, _ body: (ReportsTool, LoopbackServer) async throws -> Void
    ) async throws {
        try await withTool(server: .accepting) { tool, server in
            var tool = tool
            chmod(tool.home, 0o755)
            for user in [Self.owner, Self.third, OtherUser.nobody] {
                let home = "\(tool.home)/\(user)"
                try FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: false)
                chown(home, user, user)
                chmod(home, 0o755)
            }
            tool.spool = "\(tool.home)/\(Self.owner)/spool"
            tool.environment["REPORTS_SPOOL"] = tool.spool
            let made = try await submit(tool, server, isShared ? ["--shared"] : [])
            #expect(made.status == 0, "\(made.errors)")
            try await body(tool, server)
        }
    }

    private func submit(
        _ tool: ReportsTool, _ server: LoopbackServer, _ more: [String] = []
    ) async throws -> ToolResult {
        try await OtherUser.run(
            tool, ["submit", "--json", "--endpoint", server.url("/{id}")] + more, as: Self.owner)
    }

    /// A file in the home of a user.
    private func file(
        _ tool: ReportsTool, _ name: String, _ text: String, of user: UInt32 = OtherUser.nobody
    ) throws
        -> String
    {
        let path = try tool.file("\(user)/\(name)", text)
        chown(path, user, user)
        return path
    }

    private func mode(_ path: String) -> mode_t {
        var facts = stat()
        return lstat(path, &facts) == 0 ? facts.st_mode & 0o7777 : 0
    }

    @Test("any user adds; the owner's submit delivers the payload with its kind, name and annotations")
    func endToEnd() async throws {
        try await withSpool { tool, server in
            let path = try file(tool, "shop.log", "a report of nobody's")
            let added = try await OtherUser.run(
                tool, ["add", path, "--json", "--kind", "hang", "--annotate", "version=2.1"])
            #expect(added.status == 0, "\(added.errors)")
            #expect(added.errors == "")
            let object = try #require(try added.objects.first)
            let id = ContentHash.of("a report of nobody's").hex
            #expect(object["id"]?.stringValue == id)
            #expect(object["duplicate"] == .null)
            #expect(object.count("size") == 20)
            #expect(object["kind"]?.stringValue == "hang")
            let name = try #require(tool.names(in: "incoming").first)
            #expect(mode("\(tool.spool)/incoming") == 0o3733)
            #expect(mode("\(tool.spool)/incoming/\(name)") == 0o640)

            let listed = try await OtherUser.run(tool, ["list", "--json"], as: Self.owner)
            let waiting = try #require(try listed.objects.first)
            #expect(waiting["state"]?.stringValue == "incoming")
            #expect(waiting["kind"]?.stringValue == "hang")
            #expect(waiting["name"]?.stringValue == "shop.log")

            let delivered = try await submit(tool, server)
            #expect(try delivered.objects.first?.count("delivered") == 1, "\(delivered.errors)")
            let request = try #require(server.requests.first)
            try await Deliveries.check(request, holds: Array("a report of nobody's".utf8))
            #expect(request.headers["Report-Kind"] == "hang")
            // Nobody can say that somebody else has added it.
            #expect(request.headers["Report-Annotations"] == "drop.uid=\"\(OtherUser.nobody)\", version=\"2.1\"")
            let shown = try await OtherUser.run(tool, ["show", id, "--json"], as: Self.owner)
            #expect(try shown.objects.first?["name"]?.stringValue == "shop.log")
            #expect(tool.names(in: "incoming") + tool.names(in: "taken") == [])
        }
    }

    @Test("the name and the time that any user gives arrive; that user's own settings give no annotations")
    func namesAndTimes() async throws {
        try await withSpool { tool, server in
            var other = tool
            other.environment["REPORTS_ANNOTATIONS"] = "service=other\nhost"
            let options = ["--name", "shop.log", "--occurred-at", "2025-02-03T04:05:06Z", "--annotate", "a=b"]
            let added = try await OtherUser.run(other, ["add", "-"] + options, input: Array("piped".utf8))
            #expect(added.status == 0 && added.errors == "", "\(added.errors)")
            #expect(try await submit(tool, server).status == 0)
            let request = try #require(server.requests.first)
            #expect(request.headers["Report-Occurred-At"] == "2025-02-03T04:05:06.000Z")
            #expect(request.headers["Report-Annotations"]?.contains("service") == false)
            let shown = try await OtherUser.run(
                tool, ["show", ContentHash.of("piped").hex, "--json"], as: Self.owner)
            let report = try #require(try shown.objects.first)
            #expect(report["name"]?.stringValue == "shop.log")
            #expect(report["occurred_at"]?.stringValue == "2025-02-03T04:05:06.000Z")
            #expect(report["annotations"]?["a"]?.stringValue == "b")
        }
    }

    @Test("no third user can read, list, rename or remove what was added; nor can the one who added look further")
    func confidential() async throws {
        try await withSpool { tool, server in
            let added = try await OtherUser.run(tool, ["add", "-"], input: Array("secret".utf8))
            #expect(added.status == 0, "\(added.errors)")
            let name = try #require(tool.names(in: "incoming").first)
            let path = "\(tool.spool)/incoming/\(name)"
            for command in [
                ["cat", path], ["ls", tool.spool + "/incoming"], ["ls", tool.spool], ["rm", "-f", path],
                ["mv", path, path + ".mine"], ["ls", tool.spool + "/queued"],
            ] {
                #expect(try await OtherUser.run(tool, command: command, as: Self.third).status != 0, "\(command)")
            }
            for command in [["list"], ["status"], ["doctor"], ["submit", "--endpoint", server.url("/{id}")]] {
                let result = try await OtherUser.run(tool, command)
                #expect(result.status == 69, "\(command)")
                #expect(result.errors.contains("no permission"))
            }
            #expect(tool.names(in: "incoming") == [name])
        }
    }

    @Test("add reads standard input, moves files, goes on after a bad one and keeps to the limits, as for the owner")
    func asForTheOwner() async throws {
        try await withSpool { tool, server in
            let (good, secret) = (try file(tool, "good", "good"), try file(tool, "secret", "secret", of: Self.third))
            chmod(secret, 0o600)
            let mixed = try await OtherUser.run(
                tool, ["add", secret, tool.home + "/none", good, "--move", "--json"])
            #expect(mixed.status == 66, "\(mixed.errors)")
            #expect(try mixed.objects.compactMap { $0["id"]?.stringValue } == [ContentHash.of("good").hex])
            #expect(!FileManager.default.fileExists(atPath: good))
            let input = try await OtherUser.run(tool, ["add", "-", "--kind", "log"], input: Array("input".utf8))
            #expect(input.status == 0, "\(input.errors)")
            for arguments in [["--annotate", "no value"], ["--kind", "nonsense"]] {
                #expect(try await OtherUser.run(tool, ["add", "-"] + arguments).status == 64)
            }
            var small = tool
            small.environment["REPORTS_MAX_REPORT_SIZE"] = "4"
            let large = try file(tool, "large", String(repeating: "large ", count: 1_000))
            let tooLarge = try await OtherUser.run(small, ["add", large])
            #expect(tooLarge.status == 73)
            #expect(tooLarge.errors.contains("max_report_size"))
            var full = tool
            full.environment["REPORTS_MIN_FREE_SPACE"] = "1000 TiB"
            #expect(try await OtherUser.run(full, ["add", large]).status == 73)

            #expect(tool.names(in: "incoming").count == 2)
            #expect(try await submit(tool, server).status == 0)
            #expect(Set(try await Deliveries.texts(server)) == ["good", "input"])
        }
    }

    @Test("the owner's settings hold, whether others may read them or not; theirs never count for the owner")
    func settings() async throws {
        try await withSpool { tool, server in
            let path = tool.spool + "/reports.json"
            try Data(#"{"endpoint": "\#(server.url("/{id}"))", "nonsense": true}"#.utf8)
                .write(to: URL(fileURLWithPath: path))
            chown(path, Self.owner, Self.owner)
            for mode in [0o600, 0o644] as [mode_t] {
                chmod(path, mode)
                let added = try await OtherUser.run(tool, ["add", "-"], input: Array("report \(mode)".utf8))
                #expect(added.status == 0)
                #expect(added.errors == "")
            }
        }
    }

    @Test("a spool that is not shared is refused, with what to do, and nothing is made")
    func notShared() async throws {
        try await withSpool(isShared: false) { tool, _ in
            let before = tool.allFiles()
            for mode in [0o700, 0o711, 0o755] as [mode_t] {
                chmod(tool.spool, mode)
                let result = try await OtherUser.run(tool, ["add", "-"], input: [1])
                #expect(result.status == 69)
                #expect(result.errors.contains("no permission"), "\(result.errors)")
            }
            // Without the sticky bit another user could put a report of its own in the place of one that was added.
            chmod(tool.spool, 0o711)
            chmod(tool.spool + "/incoming", 0o2733)
            #expect(try await OtherUser.run(tool, ["add", "-"], input: [1]).status == 69)
            #expect(tool.allFiles() == before)
        }
    }

    @Test("a spool that an earlier version shared works, and the owner corrects it")
    func sharedEarlier() async throws {
        try await withSpool { tool, server in
            chmod(tool.spool + "/incoming", 0o1733)
            #expect(try await OtherUser.run(tool, ["add", "-"], input: Array("early".utf8)).status == 0)
            let name = try #require(tool.names(in: "incoming").first)
            #expect(mode("\(tool.spool)/incoming/\(name)") == 0o644)
            #expect(try await submit(tool, server).status == 0)
            #expect(try await Deliveries.texts(server) == ["early"])
            #expect(mode(tool.spool + "/incoming") == 0o3733)
        }
    }

    @Test("root adds and submits as the owner")
    func root() async throws {
        try await withSpool { tool, server in
            let id = try await tool.add("of root")
            #expect(tool.names(in: "incoming") == [])
            #expect(tool.names(in: "collected").count == 1)
            #expect(try await OtherUser.run(tool, ["add", "-"], input: Array("of nobody".utf8)).status == 0)
            #expect(try await tool.summary(to: server).count("delivered") == 2)
            #expect(try await tool.state(of: id) == "delivered")
        }
    }

    @Test("nothing that another user drops makes the owner send elsewhere, read what that user may not, or stand still")
    func hostile() async throws {
        let evil = try LoopbackServer(.accepting)
        defer { evil.stop() }
        try await withSpool { tool, server in
            let url = evil.url("/")
            let drop = PackedDrop(
                "evil",
                properties: """
                    {"v":1,"kind":"crash","kind_from":"given","name":"../../x","url":"\(url)","endpoint":"\(url)",
                    "lane":"@\(url)","request":{"method":"PUT","url":"\(url)","headers":[]}}
                    """)
            let path = try tool.file("\(OtherUser.nobody)/drop", bytes: drop.bytes)
            chmod(path, 0o644)
            let secret = try file(tool, "secret", "the owner's", of: Self.owner)
            chmod(secret, 0o600)
            let incoming = tool.spool + "/incoming"
            let made = try await OtherUser.run(
                tool,
                command: [
                    "/bin/sh", "-c",
                    """
                    cp \(path) \(incoming)/a && ln -s \(secret) \(incoming)/link && mkfifo -m 666 \(incoming)/fifo
                    cp \(path) \(incoming)/twin && ln \(incoming)/twin \(incoming)/twin-2
                    mkfifo -m 666 \(incoming)/.adding-fifo && ln -s \(secret) \(incoming)/.adding-link
                    mkdir -m 777 \(incoming)/.adding-directory
                    """,
                ])
            #expect(made.status == 0, "\(made.errors)")
            let result = try await submit(tool, server)
            #expect(result.status == 0, "\(result.errors)")
            #expect(evil.requests.isEmpty)
            #expect(try await Deliveries.texts(server) == ["evil"])
            #expect(FileManager.default.contents(atPath: secret) == Data("the owner's".utf8))
            #expect(Set(tool.names(in: "incoming")).isSuperset(of: ["link", "fifo", "twin", "twin-2"]))
            #expect(tool.names(in: "taken") == [])
        }
    }

    @Test("a drop that the owner may not read names the command that mends it", arguments: [true, false])
    func unreadableDrop(isOfOwnersGroup: Bool) async throws {
        try await withSpool { tool, server in
            let path = tool.spool + "/incoming/core"
            try tool.drop("a core", as: "core")
            chown(path, OtherUser.nobody, isOfOwnersGroup ? Self.owner : OtherUser.nobody)
            chmod(path, 0o600)
            _ = try await submit(tool, server)
            let right = isOfOwnersGroup ? "g+r" : "a+r"
            let words = "cannot be read: Permission denied: its owner or root has to run 'chmod \(right)' on it"
            let listed = try await OtherUser.run(tool, ["list"], as: Self.owner)
            #expect(listed.output.contains("[skipped: \(words)]"), "\(listed.output)")
            let changed = try await OtherUser.run(tool, command: ["chmod", right, path])
            #expect(changed.status == 0, "\(changed.errors)")
            #expect(try await submit(tool, server).status == 0)
            #expect(try await Deliveries.texts(server) == ["a core"])
        }
    }

    @Test("many users' adds beside the owner's submits: each arrives once")
    func manyAtOnce() async throws {
        try await withSpool { tool, server in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for user in [OtherUser.nobody, Self.third] {
                    group.addTask {
                        for number in 0..<5 {
                            let added = try await OtherUser.run(
                                tool, ["add", "-", "--json"], as: user, input: Array("\(user) \(number)".utf8))
                            #expect(added.status == 0, "\(added.errors)")
                        }
                    }
                }
                group.addTask { for _ in 0..<3 { _ = try await self.submit(tool, server) } }
                try await group.waitForAll()
            }
            #expect(try await submit(tool, server).status == 0)
            let texts = try await Deliveries.texts(server)
            #expect(texts.count == 10)
            #expect(Set(texts).count == 10)
            #expect(tool.names(in: "incoming") == [])
        }
    }
}
