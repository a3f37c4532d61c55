import Foundation
import Reports
import TestSupport
import Testing

/// What the tool prints, compared with the files of `Snapshots/`.
///
/// After a change that is meant, `REPORTS_RECORD_SNAPSHOTS=1 swift test --filter SnapshotTests` writes them anew; the
/// difference is then to be read like any other.
@Suite("What is printed")
struct SnapshotTests {
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Snapshots")
    private static let isRecording = ProcessInfo.processInfo.environment["REPORTS_RECORD_SNAPSHOTS"] == "1"

    private func compare(_ text: String, with name: String) throws {
        let file = Self.folder.appending(path: name)
        if Self.isRecording { try text.write(to: file, atomically: true, encoding: .utf8) }
        let recorded = (try? String(contentsOf: file, encoding: .utf8)) ?? "(no \(name))"
        #expect(text == recorded, "\(name)")
    }

    @Test(
        "help of the tool and of each command",
        arguments: [
            "", "add", "submit", "watch", "list", "show", "cat", "status", "retry", "remove", "doctor", "settings",
            "check", "metrics", "test",
        ])
    func help(_ command: String) async throws {
        try await withTool { tool in
            var tool = tool
            tool.environment["COLUMNS"] = "80"
            let result = try await tool.run(command.isEmpty ? ["--help"] : [command, "--help"])
            try compare(result.output, with: "help\(command.isEmpty ? "" : "-" + command).txt")
            #expect(result.output.split(separator: "\n").allSatisfy { $0.count <= 80 || $0.hasPrefix("USAGE") })
        }
    }

    @Test("JSON and text of every command, over the life of a few reports")
    func lifeOfAFewReports() async throws {
        let script = ServerScript { request in
            switch request.headers["Report-Kind"] {
            case "crash": .response(201, headers: [("Location", "/stored/1")], text: "thanks")
            case "hang": .response(400, text: "what is this")
            case "log": .response(403)
            default: .response(503, headers: [("Retry-After", "3600")])
            }
        }
        try await withTool(server: script) { tool, server in
            var transcript = Transcript(tool: tool, server: server)
            try await transcript.run("status")
            for kind in ["crash", "hang", "other", "log"] {
                let path = try tool.file("\(kind).txt", "a report of kind \(kind)\n")
                try await transcript.run("add", path, "--kind", kind, "--annotate", "version=2.1")
                // The third has the server put everything off; the same by another name is another server.
                let url = server.url("/{id}").replacing("127.0.0.1", with: kind == "log" ? "localhost" : "127.0.0.1")
                // One at a time: else the order of the answers is chance.
                try await transcript.run("submit", "--endpoint", url, "--max-concurrent", "1")
            }
            try await transcript.run("add", tool.home + "/crash.txt")
            try tool.drop("half", as: "half.tmp")
            try await transcript.run("list")
            for report in try await tool.objects("list") {
                guard let id = report["id"]?.stringValue else { continue }
                try await transcript.run("show", id)
            }
            try await transcript.run("status")
            try await transcript.run("retry", "--all")
            let ids = try await tool.objects("list", "--kind", "log").compactMap { $0["id"]?.stringValue }
            try await transcript.run(["remove"] + ids)
            try await transcript.run("doctor")
            try compare(transcript.text, with: "life.txt")
        }
    }
}

/// Commands and what they print, with everything that differs from run to run replaced.
private struct Transcript {
    let tool: ReportsTool
    let server: LoopbackServer
    private(set) var text = ""
    private var names: [String: String] = [:]

    init(tool: ReportsTool, server: LoopbackServer) {
        self.tool = tool
        self.server = server
    }

    mutating func run(_ arguments: String...) async throws {
        try await run(arguments)
    }

    /// As text and as JSON; a command that changes something is run for one of them only, in JSON.
    mutating func run(_ arguments: [String]) async throws {
        let changes = ["add", "submit", "retry", "remove"].contains(arguments[0])
        for more in changes ? [["--json"]] : [[], ["--json"]] {
            let result = try await tool.run(arguments + more)
            let line = "$ reports " + (arguments + more).joined(separator: " ")
            text += normalized(line + "\n" + result.output + result.errors + "[\(result.status)]\n\n")
        }
    }

    private mutating func normalized(_ text: String) -> String {
        var text = text.replacingOccurrences(of: tool.home, with: "HOME")
            .replacingOccurrences(of: ":\(server.port)", with: ":PORT")
        for (pattern, word) in [
            ("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}(\\.[0-9]+)?Z", "TIME"),
            ("[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}", "DATE-AND-TIME   "),
            // They follow from the size of the file system.
            ("[0-9.]+ [KMGT]?i?B in all", "SIZE in all"), ("[0-9.]+ [KMGT]?i?B left free.*", "SIZE left free"),
            ("(\"(max_total_size|min_free_space)\":\\{\"value\":)\"[^\"]+\"", "$1\"SIZE\""),
        ] {
            text = text.replacingOccurrences(of: pattern, with: word, options: .regularExpression)
        }
        // Ids are hashes of the payloads and stay the same; long ones are cut.
        return text.replacingOccurrences(
            of: "\\b([0-9a-f]{12})[0-9a-f]{52}\\b", with: "$1…", options: .regularExpression)
    }
}
