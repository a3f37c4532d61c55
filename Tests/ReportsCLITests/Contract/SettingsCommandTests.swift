import Foundation
import Glibc
import Reports
import TestSupport
import Testing

/// `reports settings`: what is in force and from where.
@Suite("Settings in force", .timeLimit(.minutes(10)))
struct SettingsCommandTests {
    private func configure(_ tool: ReportsTool, _ json: String) throws {
        try FileManager.default.createDirectory(
            atPath: tool.spool, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        try json.write(toFile: tool.spool + "/reports.json", atomically: true, encoding: .utf8)
    }

    @Test("one object a setting: name, value, source and default, in the order of the table, secrets masked")
    func objects() async throws {
        try await withTool { tool in
            try configure(
                tool,
                """
                {"endpoint": "https://server.example/{id}?key=hidden", "headers": {"Authorization": "hidden"},
                 "max_total_size": "1 GiB"}
                """)
            var tool = tool
            tool.environment["REPORTS_TLS_MINIMUM"] = "1.3"
            let objects = try await tool.objects("settings", "--max-concurrent", "4")
            let names = ["spool"] + Setting.allCases.map(\.rawValue) + ["headers.Authorization"]
            #expect(objects.compactMap { $0["name"]?.stringValue } == names)
            let file = tool.spool + "/reports.json"
            let expected: [(name: String, value: String?, source: String, standard: String?)] = [
                ("spool", tool.spool, "$REPORTS_SPOOL", tool.home + "/.local/state/reports"),
                ("endpoint", "https://server.example/{id}?***", file, nil),
                ("tls_minimum", "1.3", "$REPORTS_TLS_MINIMUM", "1.2"),
                ("max_concurrent", "4", "--max-concurrent", "16"), ("idle_timeout", "60", "default", "60"),
                ("no_proxy", nil, "default", nil), ("headers.Authorization", "***", file, nil),
            ]
            for one in expected {
                let object = try #require(objects.first { $0["name"]?.stringValue == one.name })
                #expect(object.objectValue?.members.map(\.key) == ["name", "value", "source", "default"])
                #expect(object["value"] == one.value.map { .string($0) } ?? .null, "\(object)")
                #expect(object["source"]?.stringValue == one.source, "\(object)")
                #expect(
                    one.name == "spool" || object["default"] == one.standard.map { .string($0) } ?? .null, "\(object)")
            }
            let total = try #require(objects.first { $0["name"]?.stringValue == "max_total_size" })
            #expect(total["value"]?.stringValue == "1 GiB")
            let share = total["default"]?.stringValue.flatMap(UInt64.init) ?? 0
            #expect((64 << 20...16 << 30).contains(share))
            #expect(!"\(objects)".contains("hidden"))
        }
    }

    @Test("for people: a line a setting in columns, with what the options would mean")
    func lines() async throws {
        try await withTool { tool in
            try configure(tool, #"{"max_count": 5}"#)
            let header = try tool.file("headers", "Authorization: Bearer hidden\n")
            let result = try await tool.run(
                "settings", "--endpoint", "http://127.0.0.1:9/{id}", "--header", "@" + header)
            #expect(result.status == 0, "\(result.errors)")
            let lines = result.output.split(separator: "\n")
            let columns = lines.map { $0.split(separator: " ").map(String.init) }
            #expect(columns.first == ["NAME", "VALUE", "SOURCE"])
            #expect(columns.contains(["endpoint", "http://127.0.0.1:9/{id}", "--endpoint"]))
            #expect(columns.contains(["max_count", "5", tool.spool + "/reports.json"]))
            #expect(columns.contains(["acknowledgement", "-", "default"]))
            #expect(columns.contains(["headers.Authorization", "***", "--header", "@" + header]))
            #expect(lines.count == Setting.allCases.count + 3)
            // The values begin in one column.
            let start = try #require(lines.first?.range(of: "VALUE")?.lowerBound)
            let offset = lines[0].distance(from: lines[0].startIndex, to: start)
            for line in lines { #expect(line.dropFirst(offset - 2).prefix(2) == "  ", "\(line)") }
            #expect(!result.output.contains("hidden"))
        }
    }

    @Test("a bad setting ends it with 78 and its message, a bad option with 64; nothing is printed")
    func bad() async throws {
        try await withTool { tool in
            try configure(tool, #"{"max_count": "many"}"#)
            let file = try await tool.run("settings")
            #expect(file.status == 78 && file.output.isEmpty)
            #expect(file.errors.contains("max_count: expected a number from 1 to 100000000, found \"many\""))
            try configure(tool, "{}")
            let option = try await tool.run("settings", "--json", "--encoding", "zip")
            #expect(option.status == 64 && option.output.isEmpty)
            #expect(option.errors.contains("--encoding: expected gzip, file or identity"))
        }
    }

    @Test("it makes nothing, and names what looks like a slip in the environment")
    func nothingIsMade() async throws {
        try await withTool { tool in
            var tool = tool
            tool.environment["REPORTS_SPOOL"] = nil
            tool.environment["REPORTS_ENDPONT"] = "x"
            let result = try await tool.run("settings")
            #expect(result.status == 0)
            #expect(result.errors.contains("did you mean $REPORTS_ENDPOINT?"))
            #expect(try FileManager.default.contentsOfDirectory(atPath: tool.home).isEmpty)
        }
    }
}
