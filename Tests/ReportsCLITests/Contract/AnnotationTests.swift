import Diagnosis
import Digests
import DurableIO
import Foundation
import Reports
import TestSupport
import Testing

/// The setting `annotations`, and `add --name --occurred-at`, with the real tool.
@Suite("Annotations, names and times of what is added", .timeLimit(.minutes(10)))
struct AnnotationTests {
    private func configure(_ tool: ReportsTool, _ json: String) throws {
        try FileManager.default.createDirectory(
            atPath: tool.spool, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        try json.write(toFile: tool.spool + "/reports.json", atomically: true, encoding: .utf8)
    }

    private func add(_ tool: ReportsTool, _ text: String, _ arguments: String...) async throws -> ToolResult {
        try await tool.run(["add", "-"] + arguments, input: Array(text.utf8))
    }

    /// What `list --json` says of the report with this payload.
    private func listed(_ tool: ReportsTool, _ text: String) async throws -> JSONValue {
        let id = ContentHash.of(text).hex
        return try #require(try await tool.objects("list").first { $0["id"]?.stringValue == id })
    }

    private func annotations(_ report: JSONValue) -> [String: String] {
        let members = report["annotations"]?.objectValue?.members ?? []
        return Dictionary(uniqueKeysWithValues: members.map { ($0.key, $0.value.stringValue ?? "") })
    }

    private static let json = #"""
        {"annotations": {
            "service": "shop", "site": {"value": "berlin", "fixed": true}, "host": {"fact": "host"},
            "machine": {"fact": "machine_id"}, "shard": {"environment": "SHARD"}}}
        """#

    @Test("each report gets those of the settings; options may change them, but neither facts nor what is fixed")
    func endToEnd() async throws {
        try await withTool(server: .accepting) { tool, server in
            try configure(tool, Self.json)
            var tool = tool
            tool.environment["SHARD"] = "7"
            let options = ["service=mine", "SITE=x", "host=y", "version=2.1"].flatMap { ["--annotate", $0] }
            let added = try await tool.run(["add", "-"] + options, input: Array("one".utf8))
            #expect(added.status == 0, "\(added.errors)")
            #expect(added.errors.contains("--annotate SITE is not used: the settings fix this annotation"))
            #expect(added.errors.contains("--annotate host is not used"))
            #expect(!added.errors.contains("service"))
            let host = try #require(MachineFacts().host)
            var expected = ["service": "mine", "site": "berlin", "host": host, "version": "2.1", "shard": "7"]
            var found = annotations(try await listed(tool, "one"))
            let machine = found.removeValue(forKey: "machine")
            #expect(found == expected)
            #expect((machine != nil) == MachineFacts().hasIdentifier)
            // They go to the server with the report.
            #expect(try await tool.submit(to: server).status == 0)
            expected["machine"] = machine
            let header = server.requests.first?.headers["Report-Annotations"]
            #expect(
                header
                    == expected.sorted { $0.key < $1.key }.map { #"\#($0.key)="\#($0.value)""# }
                    .joined(separator: ", "))
        }
    }

    @Test(
        "two spools of one machine tell different names of it, none tells its id, and a moved spool keeps its name",
        .enabled(if: MachineFacts().hasIdentifier, "this machine has no id"))
    func machines() async throws {
        try await withTool { tool in
            func machine(_ spool: String) async throws -> String {
                var tool = tool
                tool.spool = spool
                tool.environment["REPORTS_SPOOL"] = spool
                tool.environment["REPORTS_ANNOTATIONS"] = "machine_id"
                let text = "in \(spool)"
                #expect(try await add(tool, text).status == 0)
                let name = try #require(annotations(try await listed(tool, text))["machine_id"])
                // `settings` shows the value that reports get.
                let shown = try await tool.objects("settings").first { $0["name"] == "annotations.machine_id" }
                #expect(shown?["value"]?.stringValue == name)
                #expect(shown?["fixed"] == .bool(true))
                return name
            }
            let names = [try await machine(tool.spool), try await machine(tool.home + "/other")]
            #expect(names[0] != names[1])
            let id = try String(contentsOfFile: "/etc/machine-id", encoding: .utf8).prefix(32)
            for name in names { #expect(name.count == 32 && name != id) }
            try FileManager.default.moveItem(atPath: tool.spool, toPath: tool.home + "/moved")
            #expect(try await machine(tool.home + "/moved") == names[0])
        }
    }

    @Test("add stores what the settings cannot annotate: without that annotation, and says so with 78")
    func slips() async throws {
        try await withTool { tool in
            try configure(tool, Self.json)
            let unset = try await add(tool, "one")
            #expect(unset.status == 78)
            #expect(unset.errors.contains("annotations.shard: $SHARD is not set; stored without this annotation"))
            #expect(annotations(try await listed(tool, "one"))["site"] == "berlin")
            #expect(annotations(try await listed(tool, "one"))["shard"] == nil)

            try configure(tool, #"{"annotations": {"service": "shop", "x": {"fact": "uptime"}}, "max_count": "many"}"#)
            let wrong = try await add(tool, "two")
            #expect(wrong.status == 78)
            #expect(wrong.errors.contains("stored within the default limits, without the annotations of the settings"))
            try configure(tool, #"{"annotations": {"#)
            #expect(try await add(tool, "three").status == 78)
            for text in ["two", "three"] { #expect(annotations(try await listed(tool, text)) == [:]) }
            #expect(try await tool.objects("list").count == 3)

            try configure(tool, #"{"annotations": {"a": "b", "x": {"fact": "uptime"}}}"#)
            let id = ContentHash.of("one").hex
            // Whoever sends or shows settings is stopped; whoever only moves reports needs no annotations.
            for (command, status) in [("submit", 78), ("settings", 78), ("status", 78), ("doctor", 65)] {
                let result = try await tool.run(command)
                #expect(result.status == status)
                #expect((result.output + result.errors).contains(#"there is no fact "uptime""#), "\(result.errors)")
            }
            #expect(try await tool.run("retry", id).status == 0)
            #expect(try await tool.run("remove", id).status == 0)
        }
    }

    @Test("variable, spool's file and machine's file: settings and status tell which is in force")
    func places() async throws {
        try await withTool { tool in
            try configure(tool, #"{"annotations": {"a": "file", "b": {"value": "file", "fixed": true}}}"#)
            var tool = tool
            tool.environment["REPORTS_ANNOTATIONS"] = "a=variable\nhost"
            let file = tool.spool + "/reports.json"
            let lines = try await tool.run("settings").output.split(separator: "\n").suffix(3).map { line in
                line.split(separator: " ").map(String.init)
            }
            let host = try #require(MachineFacts().host)
            let expected = [
                ["annotations.a", "variable", "$REPORTS_ANNOTATIONS"], ["annotations.b", "file", file + ",", "fixed"],
                ["annotations.host", host, "$REPORTS_ANNOTATIONS,", "fixed"],
            ]
            #expect(Array(lines) == expected)
            #expect(try await add(tool, "one").status == 0)
            #expect(annotations(try await listed(tool, "one")) == ["a": "variable", "b": "file", "host": host])
            let status = try await tool.objects("status")[0]["settings"]
            #expect(status?["annotations.b"]?["value"] == "file")
            #expect(status?["annotations.host"]?["source"] == "$REPORTS_ANNOTATIONS")
            #expect(try await tool.run("status").output.contains("annotations.b:  file  (\(file), fixed)\n"))
            let option = try await tool.run("add", "-", "--annotations", "a=b")
            #expect(option.status == 64)
            #expect(option.errors.contains("--annotations is no option: set annotations in the spool's reports.json"))
        }
    }

    @Test(
        "the machine's file gives facts under the spool's; a machine without an id is told of",
        .enabled(if: MachinePlaces.areAvailable, "needs root"))
    func machineFile() async throws {
        try await MachinePlaces.withUnnamedSpool { tool in
            let result = try await MachinePlaces.run(
                tool,
                """
                echo '{"annotations": {"machine": {"fact": "machine_id"}, "os": {"fact": "os"}, "a": "machine"}}' > "$machine"
                mkdir -m 700 "$home/spool"
                echo '{"annotations": {"a": "spool"}}' > "$home/spool/reports.json"
                rm -f /etc/machine-id /etc/os-release
                echo uninitialized > /etc/machine-id
                printf 'PRETTY_NAME="Our Linux 7"\\n' > /etc/os-release
                mount -t tmpfs none /var/lib
                echo one | "$reports" add - --spool "$home/spool" --annotate machine=forged
                "$reports" list --spool "$home/spool" --json
                "$reports" settings --spool "$home/spool" | tail -3
                "$reports" doctor --spool "$home/spool"
                """)
            if result.status == 99 { return }
            #expect(result.status == 0, "\(result.errors)")
            #expect(result.output.contains(#""annotations":{"a":"spool","os":"Our Linux 7"}"#), "\(result.output)")
            let words = "the annotation machine (machine_id) is left out, because its value is not known: this machine"
            #expect(result.output.contains("note: settings: \(words)"), "\(result.output)")
            #expect(result.errors.contains(words))
            #expect(result.output.contains("/etc/reports/reports.json, fixed"))
        }
    }

    // MARK: - Names and times

    @Test("--name names what standard input holds, made safe, and helps to recognise it")
    func names() async throws {
        try await withTool { tool in
            #expect(try await add(tool, "one", "--name", "a/b\u{1b}.log").status == 0)
            #expect(try await listed(tool, "one")["name"] == "a_b_.log")
            #expect(try await add(tool, "two").status == 0)
            #expect(try await listed(tool, "two")["name"] == .null)
            // What looks like a crash in a document is an example.
            let panic = "thread 'main' panicked at src/main.rs:2:5:\nboom\n"
            #expect(try await add(tool, panic).status == 0)
            #expect(try await listed(tool, panic)["kind"] == "crash")
            #expect(try await add(tool, panic + "\n", "--name", "errors.rst").status == 0)
            #expect(try await listed(tool, panic + "\n")["kind"] != "crash")
            let file = try tool.file("anything", "three")
            #expect(try await tool.run("add", file, "--name=shop.txt").status == 0)
            #expect(try await listed(tool, "three")["name"] == "shop.txt")
            // The bytes of a name need not be UTF-8.
            for (text, option) in [("four", "--name "), ("five", "--name=")] {
                let line = #"printf \#(text) | "$reports" add - \#(option)"$(printf 'a\377')""#
                #expect(try await tool.shell(line).status == 0)
                let shown = try await tool.show(ContentHash.of(text).hex)
                #expect(shown["name"] == "a\u{fffd}", "\(shown)")
                #expect(shown["name_b64"] == "Yf8=", "\(shown)")
            }
            let two = try await tool.run("add", file, file, "--name", "x")
            #expect(two.status == 64)
            #expect(two.errors.contains("--name is for one file, and 2 are given"))
            for name in ["", ".", ".."] {
                let result = try await add(tool, "six", "--name", name)
                #expect(result.status == 64 && result.errors.contains("is no name that a file can have"))
            }
            #expect(try await tool.objects("list").count == 7)
        }
    }

    @Test("when it happened: the option, else the payload's own time, else the file's")
    func occurred() async throws {
        try await withTool(server: .accepting) { tool, server in
            let crash = #"{"timestamp":"2025-02-03T04:05:06Z","kind":"crashReport","description":"Aborted"}"#
            let path = try tool.file("plain", "plain")
            let past = Date(timeIntervalSince1970: 1_700_000_000)
            try FileManager.default.setAttributes([.modificationDate: past], ofItemAtPath: path)
            let crashPath = try tool.file("crash.json", crash)
            try FileManager.default.setAttributes([.modificationDate: past], ofItemAtPath: crashPath)
            #expect(try await tool.run("add", path, crashPath).status == 0)
            #expect(try await add(tool, "piped").status == 0)
            #expect(try await add(tool, crash + "\n", "--occurred-at", "2024-01-02 03:04").status == 0)
            for (text, time) in [
                ("plain", "2023-11-14T22:13:20.000Z"), (crash, "2025-02-03T04:05:06.000Z"), ("piped", nil),
                (crash + "\n", "2024-01-02T03:04:00.000Z"),
            ] as [(String, String?)] {
                #expect(try await listed(tool, text)["occurred_at"]?.stringValue == time, "\(text)")
            }
            #expect(try await tool.submit(to: server).status == 0)
            let times = server.requests.map { $0.headers["Report-Occurred-At"] ?? "none" }
            #expect(
                times.sorted() == [
                    "2023-11-14T22:13:20.000Z", "2024-01-02T03:04:00.000Z", "2025-02-03T04:05:06.000Z", "none",
                ])
            #expect(try await listed(tool, "plain")["occurred_at"] == "2023-11-14T22:13:20.000Z")
        }
    }

    @Test(
        "a time that is none, of the future, or not after 1970, is wrong usage, and nothing is stored",
        arguments: [
            ("yesterday", "expected a time as 2026-11-28T06:00:00Z"), ("9999-01-01", "is in the future"),
            ("1969-12-31", "is not after the beginning of 1970"), ("@0", "is not after the beginning of 1970"),
            ("3d", "expected a time as"),
        ])
    func badTimes(time: String, expected: String) async throws {
        try await withTool { tool in
            let result = try await add(tool, "one", "--occurred-at", time)
            #expect(result.status == 64)
            #expect(result.errors.contains("--occurred-at \"\(time)\": \(expected)"), "\(result.errors)")
            #expect(tool.allFiles().isEmpty)
        }
    }

    @Test("a clock may be ahead by a minute: the time counts as now")
    func aheadByAMinute() async throws {
        try await withTool { tool in
            let soon = Int64(Date().timeIntervalSince1970) + 30
            #expect(try await add(tool, "one", "--occurred-at", "@\(soon)").status == 0)
            let report = try await listed(tool, "one")
            #expect(report["occurred_at"] == report["collected_at"])
        }
    }
}
