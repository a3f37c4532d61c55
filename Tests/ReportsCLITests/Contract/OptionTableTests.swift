import Diagnosis
import Foundation
import Reports
import TestSupport
import Testing

@testable import ReportsCLI

/// The options of the tool and the documents, checked against the table of settings in both directions.
@Suite("Options and documents against the table of settings")
struct OptionTableTests {
    /// What `--experimental-dump-help` says of a command's options, by their names with the dashes.
    private func options(of command: String) async throws -> [String: JSONValue] {
        let result = try await runAsynchronously(ReportsTool.path, ["--experimental-dump-help"], environment: [:])
        let tool = try JSONValue.parse(Array(result.stdout))["command"]
        let commands = try #require(tool?["subcommands"]?.arrayValue)
        let found = try #require(commands.first { $0["commandName"]?.stringValue == command })
        var options: [String: JSONValue] = [:]
        for argument in found["arguments"]?.arrayValue ?? [] {
            for name in argument["names"]?.arrayValue ?? [] where name["kind"]?.stringValue == "long" {
                options["--" + (name["name"]?.stringValue ?? "")] = argument
            }
        }
        return options
    }

    /// Options that are no settings.
    private static let others: [String: Set<String>] = [
        "submit": ["--spool", "--json", "--force-remote", "--shared", "--header", "--deadline", "--wait"],
        "watch": ["--spool", "--json", "--force-remote", "--shared", "--header"],
        "settings": ["--spool", "--json", "--force-remote", "--shared", "--header"],
        "test": ["--spool", "--json", "--force-remote", "--shared", "--header", "--send"],
    ]

    @Test(
        "each setting about sending is an option with the table's words, and there is no other",
        arguments: ["submit", "watch", "settings", "test"])
    func options(command: String) async throws {
        let options = try await options(of: command)
        let settings = Setting.allCases.filter { !$0.isLimit }
        let known = Set(settings.map(\.option)).union(Self.others[command] ?? [])
        #expect(Set(options.keys).subtracting(["--version", "--help"]) == known)
        for setting in settings {
            let option = try #require(options[setting.option], "\(setting.option)")
            #expect(option["kind"]?.stringValue == "option")
            #expect(option["valueName"]?.stringValue == setting.valueName)
            #expect(option["discussion"]?.stringValue == setting.details)
            let abstract = option["abstract"]?.stringValue ?? ""
            #expect(abstract.hasPrefix(setting.help), "\(abstract)")
            if let words = setting.standardWords { #expect(abstract.hasSuffix("Default: \(words)."), "\(abstract)") }
            let parsing = setting.isNumber ? "unconditional" : "default"
            #expect(option["parsingStrategy"]?.stringValue == parsing, "\(setting.option)")
        }
    }

    @Test(
        "what is given to the option of a setting is given to that setting",
        arguments: Setting.allCases.filter { !$0.isLimit })
    func given(_ setting: Setting) throws {
        for words in [[setting.option, "value"], ["\(setting.option)=value"]] {
            #expect(try SendingOptions.parse(words).given == [setting: "value"])
        }
        #expect(throws: (any Error).self) { try SendingOptions.parse([setting.option]) }
    }

    @Test("a limit is no option of any command, and is said to be none", arguments: Setting.allCases.filter(\.isLimit))
    func limits(_ setting: Setting) async throws {
        try await withTool { tool in
            for command in ["submit", "settings", "list"] {
                let result = try await tool.run(command, setting.option, "5")
                #expect(result.status == 64)
                #expect(
                    result.errors.contains(
                        "\(setting.option) is no option: set \(setting.rawValue) in the spool's reports.json, or "
                            + "$\(setting.variable)."), "\(result.errors)")
            }
        }
    }

    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    private static func text(of document: String) -> String {
        (try? String(contentsOf: root.appending(path: document), encoding: .utf8)) ?? ""
    }

    /// The rows of README's tables and the items of the man page, with the names that each of them is about.
    private static let rows: [(names: [String], text: String)] = {
        var rows: [(names: [String], text: String)] = []
        for line in text(of: "README.md").split(separator: "\n") where line.hasPrefix("| `") {
            let names = line.dropFirst(2).prefix { $0 != "|" }.split(separator: "`").map(String.init)
            rows.append((names, String(line).replacing("200,000", with: "200000")))
        }
        for item in text(of: "Examples/man/reports.json.5").components(separatedBy: "\n.It Cm ").dropFirst() {
            let plain = item.replacing("\\", with: "")
            rows.append(([String(plain.prefix { $0 != "\n" })], plain))
        }
        return rows
    }()

    @Test("README or the man page has a row for each setting, with its default", arguments: Setting.allCases)
    func documents(_ setting: Setting) {
        let texts = Self.rows.filter { $0.names.contains(setting.rawValue) }.map(\.text)
        #expect(!texts.isEmpty, "neither README.md nor Examples/man/reports.json.5 has a row for \(setting.rawValue)")
        guard setting.standardText != nil, let words = setting.standardWords else { return }
        let standard = words.prefix { $0 != "," }
        #expect(texts.contains { $0.contains(standard) }, "no row of \(setting.rawValue) tells its default \(standard)")
    }

    @Test("README's table of settings and the man page have no row for a setting that there is not")
    func noOthers() {
        let known = Set(Setting.allCases.map(\.rawValue) + ["headers", "annotations", "destinations", "routes"])
        for row in Self.rows where row.names.contains(where: known.contains) {
            let names = row.names.filter { $0.allSatisfy { $0.isLetter || $0 == "_" } }
            #expect(Set(names).isSubset(of: known), "\(row.names)")
        }
        let readme = Self.text(of: "README.md")
        guard let start = readme.range(of: "\n### Settings\n")?.upperBound else { return }
        let section = readme[start...]
        let table = section[..<(section.range(of: "\n#")?.lowerBound ?? section.endIndex)]
        for line in table.split(separator: "\n") where line.hasPrefix("| `") {
            let name = line.dropFirst(3).prefix { $0 != "`" }
            #expect(known.contains(String(name)), "\(name)")
        }
    }
}
