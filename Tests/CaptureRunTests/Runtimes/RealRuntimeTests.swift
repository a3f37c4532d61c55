import DurableIO
import Foundation
import TestSupport
import Testing

@testable import CaptureRun

/// Runtimes themselves, and what they make of the variables.
@Suite("Variables of runtimes, read by the runtimes")
struct RealRuntimeTests {
    private static let throwing = "process.exitCode = 0; throw new Error('the till is empty')"

    private func drops(_ spool: String) throws -> [DropForTests] {
        try FileManager.default.contentsOfDirectory(atPath: "\(spool)/incoming").sorted()
            .map { try DropForTests("\(spool)/incoming/\($0)") }
    }

    private func compiled(_ tool: RunTool, _ source: String, _ flags: String...) async throws -> String {
        let path = try tool.file("main.swift", source)
        let words = flags + [path, "-o", tool.home + "/program"]
        let result = try await runAsynchronously("swiftc", words)
        try #require(result.status == 0, "\(result.errors)")
        return tool.home + "/program"
    }

    @Test(
        "a place that somebody has chosen for Node's reports gets them, however it is spelt",
        .enabled(if: isInstalled("node"), "node is not installed"),
        arguments: ["--report-dir=", "--report_dir=", "--report-directory=", "--report-dir ", "\"--report-dir=\" "])
    func chosenPlace(option: String) async throws {
        try await withRunTool { tool in
            var tool = tool
            let place = tool.home + "/place"
            try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: false)
            // The last way names the place in quotes.
            let setting = option.hasPrefix("\"") ? "\"--report-dir=\(place)\"" : option + place
            tool.environment["NODE_OPTIONS"] = setting + " --report-uncaught-exception"
            _ = try await tool.run("--", "node", "-e", Self.throwing)
            #expect(try FileManager.default.contentsOfDirectory(atPath: place).count == 1)
        }
    }

    @Test("who wants no reports of Node's gets none", .enabled(if: isInstalled("node"), "node is not installed"))
    func refused() async throws {
        try await withRunTool { tool in
            var tool = tool
            tool.environment["NODE_OPTIONS"] = "--no-report-uncaught-exception"
            _ = try await tool.run("--on", "any", "--", "node", "-e", Self.throwing)
            let names = try drops(tool.home + "/spool").compactMap(\.payloadName)
            #expect(!names.isEmpty && !names.contains { $0.contains("report.") }, "\(names)")
        }
    }

    @Test(
        "a report that Node writes and survives is told of", .enabled(if: isInstalled("node"), "node is not installed"))
    func survived() async throws {
        try await withRunTool { tool in
            let script = "try { throw new Error('the till is empty') } catch (e) { process.report.writeReport(e) }"
            let result = try await tool.run("--", "node", "-e", script)
            #expect(result.status == 0 && !result.wasSignalled)
            let texts = try drops(tool.home + "/spool").map(\.text)
            #expect(texts.contains { $0.contains("the till is empty") && $0.contains("javascriptStack") }, "\(texts)")
        }
    }

    @Test(
        "Node and Swift write into a spool whose path has blanks and quotes",
        .enabled(if: isInstalled("node"), "node is not installed"),
        .enabled(if: isInstalled("swiftc"), "swiftc is not installed"))
    func blanks() async throws {
        try await withRunTool { tool in
            var tool = tool
            let program = try await compiled(tool, "struct TillIsEmpty: Error {}\nthrow TillIsEmpty()\n")
            for (index, command) in [["node", "-e", Self.throwing], [program]].enumerated() {
                let spool = "\(tool.home)/a \"b\" \(index)"
                tool.environment["REPORTS_SPOOL"] = spool
                _ = try await tool.start(RunTool.path, ["--quiet", "--"] + command)
                let texts = try drops(spool).map(\.text)
                let marks = ["javascriptStack", "faultAddress"]
                #expect(texts.contains { text in marks.contains(where: text.contains) }, "\(texts)")
            }
        }
    }

    @Test(
        "a static Swift program without its helper says nothing at its start",
        .enabled(if: isInstalled("swiftc"), "swiftc is not installed"))
    func silentStart() async throws {
        try await withRunTool { tool in
            let program = try await compiled(tool, "print(\"well\")\n", "-static-stdlib")
            let result = try await tool.run("--", program)
            #expect(result.output == "well\n" && result.errors.isEmpty, "\(result.errors)")
        }
    }
}
