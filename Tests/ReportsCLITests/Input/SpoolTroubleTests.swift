import Foundation
import Reports
import TestSupport
import Testing

@Suite("Spools that cannot be used")
struct SpoolTroubleTests {
    private static let commands = [
        ["add", "-"], ["submit", "--endpoint", "http://127.0.0.1:9/"], ["list"], ["show", "abcdef"], ["cat", "abcdef"],
        ["status"], ["retry", "--all"], ["remove", "abcdef"], ["doctor"], ["doctor", "--repair"],
    ]

    private static let readers = commands.filter { $0[0] != "add" && $0[0] != "submit" } + [["settings"]]

    @Test("a default spool that is missing: looking prints zeros, and makes nothing")
    func missingDefaultSpool() async throws {
        try await withTool { tool in
            var tool = tool
            tool.environment["REPORTS_SPOOL"] = nil
            for command in ["status", "list", "doctor", "doctor --repair", "retry --all"] {
                let words = command.split(separator: " ").map(String.init)
                for more in [[], ["--json"]] {
                    let result = try await tool.run(words + more)
                    #expect(result.status == 0, "\(command): \(result.errors)")
                    #expect(result.errors.isEmpty)
                }
            }
            let states = try #require(try await tool.objects("status").first?["states"]?.objectValue)
            #expect(states.members.count == 10)
            #expect(states.members.allSatisfy { $0.value.count("count") == 0 && $0.value.count("bytes") == 0 })
            #expect(try FileManager.default.contentsOfDirectory(atPath: tool.home).isEmpty)
        }
    }

    @Test("a spool that was named and is missing: 66, one line that says so, nothing on stdout", arguments: readers)
    func missingNamedSpool(_ command: [String]) async throws {
        try await withTool { tool in
            var unnamed = tool
            unnamed.environment["REPORTS_SPOOL"] = nil
            for (tool, words, name) in [
                (tool, command, "$REPORTS_SPOOL"), (tool, command + ["--json"], "$REPORTS_SPOOL"),
                (unnamed, command + ["--spool", tool.spool], "--spool"),
            ] {
                let result = try await tool.run(words)
                #expect(result.status == 66, "\(words): \(result.errors)")
                #expect(result.output.isEmpty, "\(words): \(result.output)")
                #expect(result.errors.hasPrefix("reports: there is no spool at "), "\(result.errors)")
                #expect(result.errors.contains(", which \(name) names: correct the name"), "\(result.errors)")
                #expect(result.errors.split(separator: "\n").count == 1)
            }
            #expect(!FileManager.default.fileExists(atPath: tool.spool))
        }
    }

    @Test("a directory that was made for a spool and is empty, or has its settings only: zeros")
    func emptyDirectory() async throws {
        try await withTool { tool in
            try FileManager.default.createDirectory(atPath: tool.spool, withIntermediateDirectories: false)
            #expect(try await tool.run("list").output == "no reports\n")
            try tool.file("spool/reports.json", #"{"max_count": 5}"#)
            let status = try await tool.run("status")
            #expect(status.status == 0)
            #expect(status.output.contains("no reports\n") && status.output.contains("max_count:  5"))
            #expect(tool.allFiles() == ["reports.json"])
        }
    }

    @Test("a spool that was named and is missing is made by add and by submit, with all its directories")
    func madeSpool() async throws {
        try await withTool(server: .accepting) { tool, server in
            for (name, isAdding) in [("a/b/c/spool", true), ("d/spool", false)] {
                var deep = tool
                deep.spool = tool.home + "/" + name
                deep.environment["REPORTS_SPOOL"] = deep.spool
                if isAdding {
                    try await deep.add("deep")
                } else {
                    #expect(try await deep.submit(to: server).status == 0)
                }
                #expect(try await deep.run("list").status == 0)
            }
        }
    }

    @Test("a spool on a file, or below one: 69", arguments: commands)
    func spoolOnAFile(_ command: [String]) async throws {
        try await withTool { tool in
            var tool = tool
            let file = try tool.file("file", "not a directory")
            for spool in [file, file + "/below"] {
                tool.environment["REPORTS_SPOOL"] = spool
                let result = try await tool.run(command)
                #expect(result.status == 69, "\(result.errors)")
                #expect(result.errors.contains("not a directory"), "\(result.errors)")
            }
            #expect(try Data(contentsOf: URL(fileURLWithPath: file)) == Data("not a directory".utf8))
        }
    }

    @Test("a spool of a newer version: 69, nothing is touched", arguments: commands)
    func spoolOfANewerVersion(_ command: [String]) async throws {
        try await withTool { tool in
            try await tool.add("older")
            try tool.drop("dropped", as: "dropped.log")
            try Data("2\n".utf8).write(to: URL(fileURLWithPath: tool.spool + "/VERSION"))
            let before = tool.allFiles()
            let result = try await tool.run(command)
            #expect(result.status == 69)
            #expect(result.errors.contains("version 2") && result.errors.contains("nothing was touched"))
            #expect(tool.allFiles() == before)
        }
    }

    @Test("a ledger of a newer version: 69, nothing is touched", arguments: commands.filter { $0 != ["add", "-"] })
    func ledgerOfANewerVersion(_ command: [String]) async throws {
        try await withTool { tool in
            let id = try await tool.add("older")
            #expect(try await tool.run("retry", id).status == 0)
            try tool.drop("dropped", as: "dropped.log")
            let path = tool.spool + "/ledger.sqlite"
            // Offset 60 of an SQLite file is its user_version, big-endian (fileformat2.html).
            let file = try #require(FileHandle(forUpdatingAtPath: path))
            try file.seek(toOffset: 60)
            try file.write(contentsOf: Data([0, 0, 0x27, 0x0f]))
            try file.close()
            let before = (tool.allFiles(), try Data(contentsOf: URL(fileURLWithPath: path)))
            let result = try await tool.run(command)
            #expect(result.status == 69, "\(result.errors)")
            #expect(result.errors.contains("nothing was touched"), "\(result.errors)")
            #expect(tool.names(in: "incoming") == ["dropped.log"] && tool.names(in: "queued") == ["\(id).gz"])
            #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == before.1)
        }
    }

    @Test("beside a ledger of a newer version add stores reports all the same, for the newer program to send")
    func addBesideANewerLedger() async throws {
        try await withTool(server: .accepting) { tool, server in
            let older = try await tool.add("older")
            #expect(try await tool.run("retry", older).status == 0)
            let path = tool.spool + "/ledger.sqlite"
            let current = try Data(contentsOf: URL(fileURLWithPath: path))
            var newer = current
            newer.replaceSubrange(60..<64, with: [0, 0, 0x27, 0x0f])
            try newer.write(to: URL(fileURLWithPath: path))

            let id = try await tool.add("meanwhile")
            #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == newer)
            #expect(tool.names(in: "collected").count == 1)
            // What the newer program will find is what this one finds once the ledger is its own again.
            try current.write(to: URL(fileURLWithPath: path))
            #expect(try await tool.submit(to: server).status == 0)
            #expect(try await tool.state(of: id) == "delivered")
        }
    }

    @Test(
        "no permission to make the spool, or to enter it: 69, with advice",
        .enabled(if: OtherUser.isAvailable, "needs root and setpriv"))
    func noPermission() async throws {
        try await OtherUser.withTool { tool in
            var tool = tool
            let locked = tool.home + "/locked"
            try FileManager.default.createDirectory(atPath: locked, withIntermediateDirectories: false)
            chmod(locked, 0o700)
            for spool in [locked, locked + "/spool"] {
                tool.environment["REPORTS_SPOOL"] = spool
                for command in [["add", "/etc/hostname"], ["list"], ["submit", "--endpoint", "http://127.0.0.1:9"]] {
                    let result = try await OtherUser.run(tool, command)
                    #expect(result.status == 69, "\(command): \(result.errors)")
                    #expect(result.errors.contains("no permission"), "\(result.errors)")
                }
            }
        }
    }

    @Test("a VERSION that is none: 69, this is no spool")
    func versionThatIsNone() async throws {
        try await withTool { tool in
            try FileManager.default.createDirectory(atPath: tool.spool, withIntermediateDirectories: false)
            try Data("seven\n".utf8).write(to: URL(fileURLWithPath: tool.spool + "/VERSION"))
            let result = try await tool.run("add", "-")
            #expect(result.status == 69)
            #expect(tool.names(in: ".") == ["VERSION"])
        }
    }

    @Test(
        "a full disk: add fails with 73 and says what to do, what was there stays, delivery goes on",
        .enabled(if: getuid() == 0 && findExecutable("unshare") != nil, "needs root for a small file system"))
    func fullDisk() async throws {
        try await withTool(server: .accepting) { tool, server in
            try FileManager.default.createDirectory(atPath: tool.spool, withIntermediateDirectories: false)
            for name in ["zeroth", "first", "last"] { try tool.file(name, "the \(name) report") }
            let result = try await tool.shell(
                """
                exec unshare -m /bin/sh -c '
                mount -t tmpfs -o size=8m,mode=700 none "$REPORTS_SPOOL" || exit 99
                "$reports" add "$home/zeroth" && "$reports" submit --endpoint "\(server.url("/{id}"))" || exit 98
                "$reports" add "$home/first" || exit 97
                cat /dev/zero > "$REPORTS_SPOOL/incoming/fill.tmp" 2>/dev/null
                "$reports" add "$home/last"; echo "add $?"
                "$reports" list --json | grep -c collected_at
                "$reports" submit --json --endpoint "\(server.url("/{id}"))"; echo "submit $?"
                rm "$REPORTS_SPOOL/incoming/fill.tmp"
                "$reports" add "$home/last" && "$reports" submit --endpoint "\(server.url("/{id}"))"; echo "after $?"'
                """)
            // Without the right to mount there is nothing to see.
            if result.status == 99 { return }
            #expect(result.output.contains("add 73\n"), "\(result.output)\(result.errors)")
            #expect(
                result.errors.contains("last: ") && result.errors.contains("lower min_free_space"), "\(result.errors)")
            #expect(result.output.contains("submit 0\n"), "\(result.output)\(result.errors)")
            #expect(result.output.contains("after 0\n"), "\(result.output)\(result.errors)")
            #expect(try await Deliveries.texts(server) == ["the zeroth report", "the first report", "the last report"])
        }
    }

    @Test(
        "a full disk with thousands queued: each commit is larger than what one report frees, and all are delivered",
        .enabled(if: getuid() == 0 && findExecutable("unshare") != nil, "needs root for a small file system"))
    func fullDiskWithThousands() async throws {
        let refusing = try RefusingPort()
        try await withTool(server: .accepting) { tool, server in
            try FileManager.default.createDirectory(atPath: tool.spool, withIntermediateDirectories: false)
            let result = try await tool.shell(
                """
                exec unshare -m /bin/sh -c '
                mount -t tmpfs -o size=64m,mode=700 none "$REPORTS_SPOOL" || exit 99
                mkdir -m 700 "$REPORTS_SPOOL/incoming"
                seq 1 3000 | split -l 1 -a 4 - "$REPORTS_SPOOL/incoming/drop-"
                "$reports" submit --json --endpoint "\(refusing.url("/{id}"))"
                cat /dev/zero > "$REPORTS_SPOOL/incoming/fill.tmp" 2>/dev/null
                "$reports" submit --json --endpoint "\(server.url("/{id}"))"; echo "submit $?"'
                """)
            if result.status == 99 { return }
            #expect(result.output.contains("submit 0\n"), "\(result.output)\(result.errors)")
            #expect(Set(server.requests.map(\.target)).count == 3_000)
        }
    }

    @Test(
        "a full disk and a ledger set aside: rows without space are made anew from the files, all is delivered",
        .enabled(if: getuid() == 0 && findExecutable("unshare") != nil, "needs root for a small file system"))
    func fullDiskAndDamagedLedger() async throws {
        let refusing = try RefusingPort()
        try await withTool(server: .accepting) { tool, server in
            try FileManager.default.createDirectory(atPath: tool.spool, withIntermediateDirectories: false)
            let result = try await tool.shell(
                """
                exec unshare -m /bin/sh -c '
                mount -t tmpfs -o size=64m,mode=700 none "$REPORTS_SPOOL" || exit 99
                mkdir -m 700 "$REPORTS_SPOOL/incoming"
                seq 1 3000 | split -l 1 -a 4 - "$REPORTS_SPOOL/incoming/drop-"
                "$reports" submit --json --endpoint "\(refusing.url("/{id}"))"
                cd "$REPORTS_SPOOL"
                printf "\\000\\000\\000\\004" | dd of=ledger.sqlite bs=1 seek=60 conv=notrunc 2>/dev/null
                cat /dev/zero > "$REPORTS_SPOOL/incoming/fill.tmp" 2>/dev/null
                "$reports" submit --json --endpoint "\(server.url("/{id}"))"; echo "submit $?"'
                """)
            if result.status == 99 { return }
            #expect(result.output.contains("submit 0\n"), "\(result.output)\(result.errors)")
            #expect("\(result.output)\(result.errors)".contains(" 0 rows saved, rebuilt from the files"))
            #expect(Set(server.requests.map(\.target)).count == 3_000)
        }
    }
}
