import Foundation
import Reports
import TestSupport
import Testing

/// `SWIFT_BACKTRACE`, set for all programs of a machine: the tool says nothing of it, and takes it from nobody else.
@Suite("SWIFT_BACKTRACE")
struct BacktraceVariableTests {
    private static let sources: String = {
        let here = URL(fileURLWithPath: #filePath)
        return (0..<4).reduce(here) { path, _ in path.deletingLastPathComponent() }.path + "/Sources/CStartup"
    }()

    @Test(
        "a program that has the runtime in it, and is linked as the tool is, does not complain that a helper lacks",
        .enabled(if: findExecutable("swiftc") != nil && findExecutable("clang") != nil, "needs swiftc and clang"))
    func staticProgram() async throws {
        try await withTemporaryDirectory { directory in
            let paths = ["PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin", "HOME": directory]
            func make(_ tool: String, _ arguments: [String]) async throws {
                let result = try await runAsynchronously(tool, arguments, environment: paths)
                try #require(result.status == 0, "\(result.errors)")
            }
            func complaint(_ program: String, _ settings: String) async throws -> String {
                let path = directory + "/" + program
                let result = try await runAsynchronously(path, [], environment: ["SWIFT_BACKTRACE": settings])
                #expect(result.output == "works\n")
                return result.errors
            }
            let main = directory + "/main.swift"
            try Data("print(\"works\")\n".utf8).write(to: URL(fileURLWithPath: main))
            let startup = directory + "/startup.o"
            try await make(
                "clang", ["-c", "-fPIC", "-I", Self.sources + "/include", Self.sources + "/startup.c", "-o", startup])
            try await make("swiftc", ["-static-stdlib", main, startup, "-o", directory + "/quiet"])
            try await make("swiftc", ["-static-stdlib", main, "-o", directory + "/loud"])
            for settings in ["enable=yes", "enable=yes,format=json,output-to=\(directory),interactive=no"] {
                #expect(try await complaint("loud", settings).contains("swift-backtrace"))
                #expect(try await complaint("quiet", settings).isEmpty)
            }
        }
    }

    @Test("a program that links the library writes the backtrace of its crash into the spool, and the tool sends it")
    func embeddingProgram() async throws {
        try await withTool(server: .accepting) { tool, server in
            let program = URL(fileURLWithPath: ReportsTool.path).deletingLastPathComponent().path + "/EmbeddedReporter"
            let crash = try await runAsynchronously(
                program, ["--spool", tool.spool, "--endpoint", server.url("/{id}"), "--crash"],
                environment: tool.environment)
            #expect(crash.status != 0)
            #expect(tool.names(in: "incoming").count == 1, "\(crash.output)\(crash.errors)")
            let summary = try await tool.summary(to: server)
            #expect(summary.count("delivered") == 1)
            #expect(server.requests.last?.headers["Report-Kind"] == "crash")
        }
    }
}
