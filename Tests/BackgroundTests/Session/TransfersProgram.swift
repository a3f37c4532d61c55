import Foundation
import TestSupport

/// The example program `Transfers`, as it was built beside the tests.
enum TransfersProgram {
    static let path: String = {
        let bundle = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        let candidates = [bundle] + CommandLine.arguments
        let folders = candidates.map { URL(fileURLWithPath: $0).deletingLastPathComponent().path }
        return folders.map { $0 + "/Transfers" }.first(where: FileManager.default.isExecutableFile) ?? "Transfers"
    }()

    static func run(_ arguments: [String]) async throws -> ToolResult {
        try await runAsynchronously(path, arguments)
    }
}

/// What the one who runs the tests may say.
enum TestEnvironment {
    static func number(_ name: String) -> Int? {
        ProcessInfo.processInfo.environment[name].flatMap { Int($0) }
    }
}
