import Foundation
import Reports
import TestSupport
import Testing

@Suite("Completion")
struct CompletionTests {
    @Test("the script of each shell is one that the shell understands", arguments: ["bash", "zsh", "fish"])
    func syntax(_ shell: String) async throws {
        try await withTool { tool in
            let script = try await tool.run("--generate-completion-script", shell)
            try #require(script.status == 0, "\(script.errors)")
            for word in ["diagnostic", "exhausted"] { #expect(script.output.contains(word), "\(word)") }
            guard findExecutable(shell) != nil else { return }
            let file = try tool.file("script", script.output)
            let check = try await runAsynchronously(shell, ["-n", file], environment: ["HOME": tool.home])
            #expect(check.status == 0 && check.stderr.isEmpty, "\(check.errors)")
        }
    }

    @Test("bash completes options, kinds, states, settings' values, directories and files")
    func words() async throws {
        try await withTool { tool in
            let bash = try await Bash(tool)
            #expect(try await bash.complete("submit", "--enc") == ["--encoding"])
            #expect(try await bash.complete("add", "--kind", "") == ReportKind.all.map(\.rawValue))
            #expect(try await bash.complete("list", "--kind", "d") == ["diagnostic"])
            #expect(try await bash.complete("list", "--state", "") == SpoolStatus.stateNames)
            #expect(try await bash.complete("list", "--state", "re") == ["rejected", "removed"])
            let path = try tool.file("evidence.txt", "a crash")
            #expect(try await bash.complete("add", tool.home + "/evid") == [path])
            try await tool.add("makes the spool")
            #expect(try await bash.complete("list", "--spool", tool.home + "/spo") == [tool.spool])
        }
    }

    @Test("bash completes the ids that the command can be given, in the spool that the command line names")
    func identifiers() async throws {
        let script = ServerScript { $0.headers["Report-Kind"] == "hang" ? .response(400) : .response(201) }
        try await withTool(server: script) { tool, server in
            let delivered = try await tool.add("delivered")
            let rejected = try await tool.add("rejected", "--kind", "hang")
            #expect(try await tool.submit(to: server).status == 65)
            let queued = try await tool.add("queued")
            var elsewhere = tool
            elsewhere.environment["REPORTS_SPOOL"] = nil
            let bash = try await Bash(elsewhere)

            let spool = ["--spool", tool.spool]
            #expect(try await Set(bash.complete(["show"] + spool + [""])) == [delivered, rejected, queued])
            for command in ["cat", "retry", "remove"] {
                #expect(try await Set(bash.complete([command] + spool + [""])) == [rejected, queued], "\(command)")
                let begun = String(rejected.prefix(8))
                #expect(try await bash.complete([command] + spool + [begun]) == [rejected], "\(command)")
                let gone = String(delivered.prefix(8))
                #expect(try await bash.complete([command] + spool + [gone]) == [], "\(command)")
            }
            #expect(try await bash.complete(["show"] + spool + [String(delivered.prefix(2))]).contains(delivered))
            #expect(try await bash.complete("show", "--spool=\(tool.spool)", String(queued.prefix(8))) == [queued])
            #expect(try await bash.complete(["list"] + spool + ["--destination", ""]) == ["main"])
        }
    }

    @Test("a spool that is missing or damaged completes nothing, and nothing is said or made")
    func nothingThere() async throws {
        try await withTool { tool in
            let missing = try await Bash(tool)
            #expect(try await missing.complete("show", "") == [])
            #expect(try await missing.complete("show", "--spool", tool.home + "/none", "") == [])
            #expect(!FileManager.default.fileExists(atPath: tool.spool))

            let id = try await tool.add("its ledger will be damaged")
            for name in ["ledger.sqlite", "VERSION"] {
                try Data("no \(name)".utf8).write(to: URL(fileURLWithPath: tool.spool + "/" + name))
            }
            #expect(try await missing.complete("cat", String(id.prefix(8))) == [])
        }
    }

    // Ids it asks for only while a person types.
    @Test(
        "fish completes the same words", .enabled(if: findExecutable("fish") != nil, "fish is not installed"),
        arguments: [("add --kind", ReportKind.all.map(\.rawValue)), ("list --state", SpoolStatus.stateNames)])
    func fish(_ line: String, _ words: [String]) async throws {
        try await withTool { tool in
            let generated = try await tool.run("--generate-completion-script", "fish").output
            let script = try tool.file("reports.fish", generated)
            let command = "source \(script); complete --do-complete 'reports \(line) '"
            let result = try await runAsynchronously(
                "fish", ["--no-config", "-c", command], environment: tool.environment)
            // Behind a tabulator stands what each means.
            let offered = result.output.split(separator: "\n").map { String($0.prefix { $0 != "\t" }) }
            #expect(Set(offered) == Set(words), "\(result.errors)")
        }
    }
}

/// bash with the tool's completion, asked as a person asks it with the tabulator.
private struct Bash {
    private let environment: [String: String]
    private let driver: String
    private let script: String

    init(_ tool: ReportsTool) async throws {
        script = try tool.file("reports.bash", try await tool.run("--generate-completion-script", "bash").output)
        driver = try tool.file(
            "driver.bash",
            """
            source "$1"
            shift
            COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMP_LINE="$*" COMP_POINT=${#COMP_LINE} COMPREPLY=()
            COMP_POINT=${#COMP_LINE}
            [[ $(complete -p reports) == *'-F _reports reports' ]] || exit 1
            _reports reports "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
            [[ ${#COMPREPLY[@]} -eq 0 ]] || printf '%s\\n' "${COMPREPLY[@]}"
            """)
        var environment = tool.environment
        environment["PATH"] = try Self.folder(of: tool) + ":/usr/bin:/bin"
        self.environment = environment
    }

    /// A folder with nothing but the tool in it.
    static func folder(of tool: ReportsTool) throws -> String {
        let folder = tool.home + "/bin"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        if !FileManager.default.fileExists(atPath: folder + "/reports") {
            try FileManager.default.createSymbolicLink(
                atPath: folder + "/reports", withDestinationPath: ReportsTool.path)
        }
        return folder
    }

    /// What is offered for the last word.
    func complete(_ words: String...) async throws -> [String] { try await complete(words) }

    func complete(_ words: [String]) async throws -> [String] {
        let result = try await runAsynchronously(
            "bash", [driver, script, "reports"] + words, environment: environment)
        #expect(result.status == 0 && result.stderr.isEmpty, "\(words): \(result.errors)")
        return result.output.split(separator: "\n").map(String.init)
    }
}
