import Foundation
import TestSupport

/// The tool as a user without rights: `nobody`, through setpriv(1), which takes root.
enum OtherUser {
    static var isAvailable: Bool { getuid() == 0 && findExecutable("setpriv") != nil }

    private static let identifier: UInt32 = 65_534

    /// Runs `body` with a tool whose home is that user's own.
    static func withTool(_ body: (ReportsTool) async throws -> Void) async throws {
        try await ReportsCLITests.withTool { tool in
            chown(tool.home, identifier, identifier)
            try await body(tool)
        }
    }

    static func run(_ tool: ReportsTool, _ arguments: [String]) async throws -> ToolResult {
        let user = ["--reuid=\(identifier)", "--regid=\(identifier)", "--clear-groups"]
        return try await runAsynchronously(
            "setpriv", user + [ReportsTool.path] + arguments, environment: tool.environment)
    }
}
