import Foundation
import Glibc
import TestSupport
import Testing

/// Spools whose paths have symbolic links in them, as `DynamicUser=yes` of systemd and administrators make them.
@Suite("A spool behind a symbolic link")
struct LinkedSpoolTests {
    @Test("every command serves it, whichever part of its path is the link", arguments: ["link", "folder/spool"])
    func served(path: String) async throws {
        try await withTool(server: .accepting) { tool, server in
            var tool = tool
            try FileManager.default.createDirectory(
                atPath: tool.home + "/real/spool", withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700])
            #expect(symlink("real/spool", tool.home + "/link") == 0)
            #expect(symlink("real", tool.home + "/folder") == 0)
            tool.spool = "\(tool.home)/\(path)"
            tool.environment["REPORTS_SPOOL"] = tool.spool
            let first = try await tool.add("first")
            let result = try await tool.submit(to: server)
            #expect(result.status == 0, "\(result.errors)")
            #expect(try await tool.state(of: first) == "delivered")
            let end = try await tool.watching("--endpoint", server.url("/{id}")) { _, _ in
                try tool.drop("second", as: "second.txt")
                await server.waitForRequests(count: 2)
            }
            #expect(end.status == 0, "\(end.errors)")
            #expect(try await tool.run("doctor").output == ReportsTool.wellWords)
            // The ledger has its files where it lies.
            #expect(FileManager.default.fileExists(atPath: tool.home + "/real/spool/ledger.sqlite-wal"))
        }
    }

    @Test("a ledger that is a link itself is refused as before")
    func linkedLedger() async throws {
        try await withTool(server: .accepting) { tool, server in
            try await tool.add("first")
            #expect(try await tool.submit(to: server).status == 0)
            let ledger = tool.spool + "/ledger.sqlite"
            try FileManager.default.moveItem(atPath: ledger, toPath: tool.home + "/elsewhere")
            #expect(symlink(tool.home + "/elsewhere", ledger) == 0)
            #expect(try await tool.submit(to: server).status == 69)
        }
    }

    @Test("a reader without the right to write looks at a copy, also where $TMPDIR is a link", needsRoot)
    func reader() async throws {
        try await withTool { tool in
            try await tool.add("first")
            _ = try await tool.run("submit", "--endpoint", "http://127.0.0.1:9/{id}")
            let result = try await tool.shell(
                """
                mkdir -m 1777 "$home/big" && ln -s big "$home/tmp"
                exec unshare -m /bin/sh -c '
                mount --bind "$REPORTS_SPOOL" "$REPORTS_SPOOL" && mount -o remount,ro,bind "$REPORTS_SPOOL" || exit 99
                TMPDIR="$home/tmp" "$reports" list --json'
                """)
            if result.status == 99 { return }
            #expect(result.status == 0 && result.output.contains("\"waiting\""), "\(result.output)\(result.errors)")
        }
    }
}

private let needsRoot: ConditionTrait = .enabled(
    if: geteuid() == 0 && findExecutable("unshare") != nil, "needs root for a read-only mount")
