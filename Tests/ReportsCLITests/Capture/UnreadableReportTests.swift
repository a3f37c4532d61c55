import Diagnosis
import Foundation
import Reports
import TestSupport
import Testing

/// Programs of other users than the spool's owner, each a real user with processes of its own.
@Suite(
    "Reports that the owner of a shared spool may not read",
    .enabled(if: OtherUser.isAvailable, "needs root and setpriv"))
struct UnreadableReportTests {
    private static let owner: UInt32 = 61_001

    /// A program that leaves reports with the modes that runtimes give them, and is killed together with its watcher.
    private static let script = #"""
        umask "$mask"
        "$run" --quiet --name bobd -- sh -c '
            place=${ERL_CRASH_DUMP%/*}
            printf "panic: till is empty\n\ngoroutine 1 [running]:\nmain.main()\n\t/shop.go:1\n" >"$place/panic.txt"
            echo private >"$place/dotnet.json" && chmod 600 "$place/dotnet.json"
            echo ready && exec sleep 60' >"$out" &
        until grep -q ready "$out"; do kill -0 $! || exit 9; done
        kill -KILL $!
        wait $!
        exit 0
        """#

    @Test(
        "what the owner may read arrives, and what it may not is named; nothing stays",
        arguments: ["022", "027"])
    func left(mask: String) async throws {
        try await withTool(server: .always(.response(503))) { tool, server in
            var tool = tool
            chmod(tool.home, 0o777)
            tool.spool = tool.home + "/owned/spool"
            #expect(mkdir(tool.home + "/owned", 0o755) == 0 && chown(tool.home + "/owned", Self.owner, Self.owner) == 0)
            tool.environment["REPORTS_SPOOL"] = tool.spool
            let submit = ["submit", "--endpoint", server.url("/{id}"), "--shared"]
            _ = try await OtherUser.run(tool, submit, as: Self.owner)
            for (name, value) in [("run", ReportsTool.runner), ("out", tool.home + "/out"), ("mask", mask)] {
                tool.environment[name] = value
            }
            let ended = try await OtherUser.run(tool, command: ["sh", "-c", Self.script])
            #expect(ended.status == 0, "\(ended.errors)")
            #expect(tool.names(in: "incoming").count == 1)
            _ = try await OtherUser.run(tool, submit, as: Self.owner)
            let reports = try await OtherUser.run(tool, ["list", "--json"], as: Self.owner).objects
            #expect(reports.compactMap { $0["kind"]?.stringValue }.sorted() == ["crash", "diagnostic"])
            let crash = try #require(reports.first { $0["kind"]?.stringValue == "crash" })
            #expect(crash["format"]?.stringValue == "go-panic")
            #expect(crash["annotations"]?["drop.uid"]?.stringValue == "\(OtherUser.nobody)")
            let document = try #require(reports.first { $0["format"]?.stringValue == "reports-run" })
            let text = try await OtherUser.run(tool, ["cat", document["id"]?.stringValue ?? ""], as: Self.owner)
            let files = try #require(try text.objects.first?["files"]?.arrayValue)
            let left = try #require(files.first { $0["name"]?.stringValue == "dotnet.json" })
            #expect(left["left_out"]?.stringValue == "cannot be read: Permission denied")
            #expect(tool.names(in: "incoming") + tool.names(in: "runs") == [])
        }
    }
}
