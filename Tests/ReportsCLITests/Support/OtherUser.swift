import Foundation
import TestSupport

/// The tool as a user without rights, `nobody` unless another is named, through setpriv(1), which takes root.
enum OtherUser {
    static var isAvailable: Bool { getuid() == 0 && findExecutable("setpriv") != nil }

    static let nobody: UInt32 = 65_534

    /// Runs `body` with a tool whose home is that user's own.
    static func withTool(_ body: (ReportsTool) async throws -> Void) async throws {
        try await ReportsCLITests.withTool { tool in
            chown(tool.home, nobody, nobody)
            try await body(tool)
        }
    }

    static func run(
        _ tool: ReportsTool, _ arguments: [String], as user: UInt32 = nobody, input: [UInt8] = []
    ) async throws -> ToolResult {
        try await run(tool, command: [ReportsTool.path] + arguments, as: user, input: input)
    }

    /// Runs any command as a user whose only group has the user's number.
    static func run(
        _ tool: ReportsTool, command: [String], as user: UInt32 = nobody, input: [UInt8] = []
    ) async throws -> ToolResult {
        let options = ["--reuid=\(user)", "--regid=\(user)", "--clear-groups"]
        return try await runAsynchronously("setpriv", options + command, environment: tool.environment, input: input)
    }
}
