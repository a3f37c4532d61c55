import Diagnosis
import Foundation
import Reports
import TestSupport
import Testing

@Suite("The manual pages")
struct ManualPageTests {
    @Test("each command, option and flag of the tool is explained, and nothing that there is not")
    func options() async throws {
        let page = try ManualPage("reports.1")
        try await withTool { tool in
            let help = try JSONValue.parse(try await tool.run("--experimental-dump-help").stdout)
            let root = try #require(help["command"])
            #expect(Self.options(of: root).isSubset(of: page.options(in: Self.common)))
            let commands = try #require(root["subcommands"]?.arrayValue)
            #expect(commands.count >= 10)
            for command in commands {
                let name = try #require(command["commandName"]?.stringValue)
                #expect(page.sections[name] != nil, "\(name) is not explained")
                #expect(command["subcommands"]?.arrayValue?.isEmpty ?? true, "\(name) has commands of its own")
                var explained = page.options(in: name)
                for section in page.references(in: name) { explained.formUnion(page.options(in: section)) }
                let own = Self.options(of: command).subtracting(page.options(in: Self.common))
                #expect(own.subtracting(explained) == [], "\(name) has options that are not explained")
                #expect(explained.subtracting(own) == [], "\(name) has no such options")
            }
            let names = commands.compactMap { $0["commandName"]?.stringValue }
            let shared = page.options(in: Self.common)
            let all = commands.reduce(into: Set<String>()) { $0.formUnion(Self.options(of: $1)) }
            #expect(shared.subtracting(all) == [])
            let explained = Set(page.sections.keys.filter { $0.first?.isLowercase == true })
            #expect(explained == Set(names))
        }
    }

    @Test("each setting stands in its table with what it may be, its default, its variable and its option")
    func settings() throws {
        let page = try ManualPage("reports.json.5")
        let items = page.items(in: "SETTINGS")
        let others = ["headers", "annotations", "destinations", "routes"]
        #expect(Set(items.keys) == Set(Setting.allCases.map(\.rawValue) + others))
        for setting in Setting.allCases {
            let text = items[setting.rawValue] ?? ""
            #expect(text.contains("Value: \(setting.expectation). "), "\(setting.rawValue): \(text)")
            #expect(text.contains("Variable: \(setting.variable). "), "\(setting.rawValue): \(text)")
            #expect(text.contains("Option: \(setting.option). ") == !setting.isLimit, "\(setting.rawValue): \(text)")
            let standard = setting.standardWords.map { "Default: \($0). " }
            #expect(standard.map(text.contains) ?? !text.contains("Default: "), "\(setting.rawValue): \(text)")
        }
    }

    @Test("each exit status, state and kind is explained")
    func words() throws {
        let page = try ManualPage("reports.1")
        #expect(Set(page.items(in: "States").keys) == Set(SpoolStatus.stateNames))
        let kinds = (page.sections["Kinds"] ?? []).joined(separator: " ")
        for kind in ReportKind.all { #expect(kinds.contains(kind.rawValue)) }
        let statuses = Set(page.items(in: "EXIT STATUS").keys)
        #expect(statuses.isSuperset(of: ["0", "64", "65", "66", "69", "73", "75", "78", "130", "143"]))
        for section in ["EXAMPLES", "FILES", "ENVIRONMENT", "SEE ALSO", "SYNOPSIS"] {
            #expect(page.sections[section]?.isEmpty == false, "\(section)")
        }
    }

    @Test(
        "mandoc finds no fault with them", .enabled(if: findExecutable("mandoc") != nil, "mandoc is not installed"),
        arguments: ["reports.1", "reports.json.5"])
    func lint(_ page: String) async throws {
        let path = ShippedFiles.path("Examples/man/\(page)")
        let result = try await runAsynchronously("mandoc", ["-Tlint", "-Wwarning", path])
        #expect(result.status == 0 && result.output.isEmpty, "\(result.output)")
    }

    @Test("the examples of configuration files are what the tool reads")
    func examples() async throws {
        let text = try ManualPage("reports.json.5").text
        var checked = 0
        try await withTool { tool in
            var tool = tool
            tool.environment["COMPANY_PROXY"] = "http://proxy.example:3128"
            try await tool.add("makes the spool")
            let token = try tool.file("token", "Bearer abc\n")
            for block in text.components(separatedBy: ".Bd -literal -offset indent\n").dropFirst() {
                let example = block.components(separatedBy: ".Ed\n")[0]
                guard example.hasPrefix("{") else { continue }
                tool.environment["REPORTS_CONFIG"] = try tool.file(
                    "example.json",
                    example.replacing("/etc/reports/token", with: token).replacing("/etc/ssl/company.pem", with: token))
                let status = try await tool.run("status")
                #expect(status.status == 0, "\(status.errors)")
                #expect(status.output.contains("endpoint:  https://diagnostics.example.com/reports/{id}"))
                checked += 1
            }
        }
        #expect(checked == 4)
    }

    private static let common = "Options of every command"

    /// The options and flags of a command, as they are typed.
    private static func options(of command: JSONValue) -> Set<String> {
        var names: Set<String> = []
        for argument in command["arguments"]?.arrayValue ?? [] where argument["kind"]?.stringValue != "positional" {
            for name in argument["names"]?.arrayValue ?? [] {
                guard let text = name["name"]?.stringValue else { continue }
                // The command `help` has -help besides --help, by the parser's own doing.
                switch name["kind"]?.stringValue {
                case "long": names.insert("--" + text)
                case "short": names.insert("-" + text)
                default: #expect(text == "help")
                }
            }
        }
        return names
    }
}
