import Foundation
import Reports
import TestSupport
import Testing

/// Slow, and therefore only run with `REPORTS_SLOW=1`; needs `time` from the package of that name.
@Suite(
    "Memory, whatever the size",
    .enabled(if: ProcessInfo.processInfo.environment["REPORTS_SLOW"] == "1", "REPORTS_SLOW=1 runs it"),
    .enabled(if: findExecutable("/usr/bin/time") != nil, "needs /usr/bin/time"))
struct MemoryTests {
    private static let bound = 64 << 10

    @Test("add and submit stay below 64 MiB for 1 GiB of nothing, and for 256 MiB of noise", arguments: [true, false])
    func memoryStaysFlat(_ isSparse: Bool) async throws {
        let server = try LoopbackServer(.accepting, keepsBodies: false)
        defer { server.stop() }
        try await withTool { tool in
            let path = try tool.file("big.core", "\u{7f}ELF")
            if isSparse {
                try #require(truncate(path, 1 << 30) == 0)
            } else {
                #expect(try await tool.shell("head -c 268435456 /dev/urandom > \"$home/big.core\"").status == 0)
            }
            let kind = isSparse ? "1 GiB sparse" : "256 MiB of noise"
            try await measure("add, \(kind)", tool, ["add", path])
            let submit = ["submit", "--endpoint", server.url("/{id}")]
            try await measure("submit of it", tool, submit)
            #expect(server.puts == 1)
            // The same as a drop, as its first appearance.
            var second = tool
            second.spool = tool.home + "/second"
            second.environment["REPORTS_SPOOL"] = second.spool
            let incoming = second.spool + "/incoming"
            try FileManager.default.createDirectory(atPath: incoming, withIntermediateDirectories: true)
            try #require(rename(path, incoming + "/big.core") == 0)
            try await measure("submit of a drop, \(kind)", second, submit)
            #expect(server.puts == 2)
        }
    }

    private func measure(_ what: String, _ tool: ReportsTool, _ arguments: [String]) async throws {
        let result = try await runAsynchronously(
            "/usr/bin/time", ["-f", "%M %e", ReportsTool.path] + arguments, environment: tool.environment)
        #expect(result.status == 0, "\(result.errors)")
        let figures = try #require(result.errors.split(separator: "\n").last?.split(separator: " "))
        print("memory: \(what): \(figures[0]) KiB, \(figures[1]) s")
        #expect(try #require(Int(figures[0])) <= Self.bound, "\(what)")
    }
}

extension LoopbackServer {
    /// How many reports have come: before a large one the tool asks by OPTIONS whether it may go in parts.
    fileprivate var puts: Int { requests.count { $0.method == "PUT" } }
}
