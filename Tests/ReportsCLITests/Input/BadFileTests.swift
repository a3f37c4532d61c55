import Foundation
import Reports
import TestSupport
import Testing

@Suite("Files that cannot be taken")
struct BadFileTests {
    @Test("a missing file in between: the others are stored, the status is 66")
    func missingFileInBetween() async throws {
        try await withTool { tool in
            let a = try tool.file("a", "first")
            let b = try tool.file("b", "second")
            let result = try await tool.run("add", a, tool.home + "/missing", b, "--json")
            #expect(result.status == 66)
            #expect(try result.objects.count == 2)
            #expect(result.errors == "reports: \(tool.home)/missing: No such file or directory\n")
            #expect(try await tool.objects("list").count == 2)
        }
    }

    @Test("the status is that of the first error")
    func statusIsThatOfTheFirstError() async throws {
        try await withTool { tool in
            let missing = tool.home + "/missing"
            let directoryFirst = try await tool.run("add", tool.home, missing)
            #expect(directoryFirst.status == 65)
            let missingFirst = try await tool.run("add", missing, tool.home)
            #expect(missingFirst.status == 66)
        }
    }

    @Test("a directory, a device, a socket: 65, with the reason")
    func directoryIsNoPayload() async throws {
        try await withTool { tool in
            let directory = try await tool.run("add", tool.home)
            #expect(directory.status == 65)
            #expect(directory.errors.contains("directory"))
            #expect(try await tool.run("add", "/dev/zero").status == 65)
            let oddName = tool.home + "/a\n/b"
            #expect(try await !tool.run("add", oddName).errors.contains("\n/"))
        }
    }

    @Test(
        "an unreadable file: 66, the others are stored",
        .enabled(if: OtherUser.isAvailable, "needs root and setpriv")
    )
    func unreadableFile() async throws {
        try await OtherUser.withTool { tool in
            let secret = try tool.file("secret", "not yours")
            chmod(secret, 0)
            let open = try tool.file("open", "yours")
            let result = try await OtherUser.run(tool, ["add", secret, open])
            #expect(result.status == 66, "\(result.errors)")
            #expect(result.errors.contains("\(secret): Permission denied"))
            #expect(result.output.contains("yours"))
        }
    }

    @Test("an empty payload is a report")
    func emptyPayloadIsAReport() async throws {
        try await withTool(server: .accepting) { tool, server in
            let id = try await tool.add("")
            #expect(try await tool.summary(to: server).count("delivered") == 1)
            let request = try #require(server.requests.first)
            #expect(try await Deliveries.check(request, holds: []) == id)
        }
    }

    @Test("a payload above the limit: 73 without reading a byte, and a drop of that size stays and is named")
    func payloadAboveTheLimit() async throws {
        try await withTool { tool in
            try await tool.add("first")
            try Data(#"{"max_report_size": 1000}"#.utf8).write(to: URL(fileURLWithPath: tool.spool + "/reports.json"))
            let path = try tool.file("huge.core", String(repeating: "x", count: 1_001))
            let result = try await tool.run("add", path)
            #expect(result.status == 73)
            // By the blocks of the file, so that holes count nothing.
            #expect(result.errors.hasSuffix("above the limit of 1000: raise max_report_size to take it\n"))
            #expect(rename(path, tool.spool + "/incoming/huge.core") == 0)
            let nobody = try RefusingPort()
            let submit = try await tool.run("submit", "--json", "--endpoint", nobody.url())
            #expect(try submit.objects.first?.count("skipped") == 1)
            #expect(tool.names(in: "incoming") == ["huge.core"])
            #expect(try await tool.run("list").output.contains("raise max_report_size"))
            #expect(try await tool.run("doctor").output.contains("raise max_report_size"))
        }
    }

    @Test("add says whether it stored a snapshot, and show does, too")
    func snapshot() async throws {
        try await withTool { tool in
            let quiet = try await tool.run("add", try tool.file("quiet.log", "INFO\n"), "--json")
            #expect(try quiet.objects.first?["snapshot"] == .bool(false))
            // Long enough to grow while it is read.
            let result = try await tool.shell(
                """
                yes '2026-11-28 08:13:04 INFO start' | head -n 2000000 > "$home/app.log"
                (while [ ! -e "$home/end" ]; do echo more >> "$home/app.log"; done) &
                "$reports" add --json "$home/app.log"; status=$?; : > "$home/end"; wait; exit $status
                """)
            #expect(result.status == 0, "\(result.errors)")
            let added = try #require(try result.objects.first)
            #expect(added["snapshot"] == .bool(true))
            let id = try #require(added["id"]?.stringValue)
            #expect(try await tool.run("show", id).output.contains("snapshot:   the file grew while it was read"))
        }
    }

    @Test("standard input: closed is an error, a file, a pipe and a FIFO are not")
    func standardInput() async throws {
        try await withTool { tool in
            let closed = try await tool.shell("\"$reports\" add - <&-")
            #expect(closed.status == 66)
            #expect(closed.errors == "reports: standard input is closed\n")
            let piped = try await tool.shell(
                """
                printf piped | "$reports" add - || exit 1
                printf file > "$home/f" && "$reports" add - < "$home/f"
                """)
            #expect(piped.status == 0)
            let fifo = try await tool.shell(
                """
                mkfifo "$home/p" && (printf fifo > "$home/p" &)
                "$reports" add "$home/p"
                """)
            #expect(fifo.status == 0, "\(fifo.errors)")
            let reports = try await tool.objects("list")
            #expect(Set(reports.compactMap { $0["summary"]?.stringValue }) == ["piped", "file", "fifo"])
        }
    }

    @Test("--move deletes what is durable, and nothing else")
    func moveDeletesWhatIsDurable() async throws {
        try await withTool { tool in
            let good = try tool.file("good", "to be moved")
            let result = try await tool.run("add", "--move", good, tool.home)
            #expect(result.status == 65)
            #expect(!FileManager.default.fileExists(atPath: good))
            #expect(FileManager.default.fileExists(atPath: tool.home))
            #expect(try await tool.objects("list").count == 1)

            // The spool takes nothing: the file stays.
            let kept = try tool.file("kept", "to be kept")
            try Data("2\n".utf8).write(to: URL(fileURLWithPath: tool.spool + "/VERSION"))
            #expect(try await tool.run("add", "--move", kept).status == 69)
            #expect(FileManager.default.fileExists(atPath: kept))
        }
    }

    @Test("--json objects are there when they are true, not at the end")
    func objectsAreThereWhenTheyAreTrue() async throws {
        try await withTool { tool in
            // Nobody writes to it yet: reading it is waiting, not the end.
            let fifo = tool.home + "/fifo"
            #expect(mkfifo(fifo, 0o600) == 0)
            let paths = try (1...101).map { try tool.file("\($0)", "\($0)") }
            let add = try RunningTool(
                ReportsTool.path, ["add", "--json"] + paths + [fifo], environment: tool.environment, home: tool.home)
            // All that is ready is published while the last file has yet to say anything.
            #expect(try await poll { add.output.split(separator: "\n").count == 101 })
            #expect(add.isRunning)
            #expect(tool.names(in: "collected").count == 101)
            try Data("late".utf8).write(to: URL(fileURLWithPath: fifo))
            #expect(await add.end().status == 0)
            #expect(add.output.split(separator: "\n").count == 102)
        }
    }
}
