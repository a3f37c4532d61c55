import Foundation
package import Testing

/// A server for S3 that others wrote, and what it checks of a request; `Tests/Judges/README.md` has all of it.
package enum Judge: String, Sendable {
    /// Checks key and signature if it is told to; its metadata service is that of a virtual machine.
    case moto
    /// Checks key, signature and clock.
    case rclone
    /// Checks key, signature, region, clock and the body's hash.
    case openStackSwift = "openstack-swift"

    /// The key that every judge accepts.
    package static let accessKey = "test:judge"
    package static let secretKey = "judge-secret-0123456789"
    package static let region = "us-east-1"

    /// The script that installs and starts them.
    static let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Judges/judge.sh").path

    /// Whether the script has installed it; it leaves a mark when it is done.
    package var isInstalled: Bool {
        let environment = ProcessInfo.processInfo.environment
        let cache = environment["XDG_CACHE_HOME"] ?? (environment["HOME"] ?? "") + "/.cache"
        return FileManager.default.fileExists(atPath: "\(cache)/reports-tests/judges/\(rawValue).installed")
    }

    /// Runs `body` with a judge of its own, and ends it afterwards.
    ///
    /// - Parameters:
    ///   - options: more options for `judge.sh serve`. The default is none.
    ///   - isolation: the caller's.
    ///   - body: what to do with it.
    /// - Returns: what `body` returns.
    /// - Throws: what `body` throws, or ``PeerProcess/NotStarted``.
    package func serving<Result>(
        _ options: [String] = [], isolation: isolated (any Actor)? = #isolation,
        _ body: (JudgeServer) async throws -> Result
    ) async throws -> Result {
        try await PeerProcess.with(
            Self.script, endedBy: SIGTERM,
            setUp: { directory, port in ["serve", rawValue, "\(port)", directory] + options },
            isolation: isolation, { peer in try await body(JudgeServer(peer: peer)) })
    }
}

extension Trait where Self == ConditionTrait {
    /// Skips a test, with the judge's name, where the judge is not installed.
    package static func needs(_ judge: Judge) -> Self {
        .enabled(if: judge.isInstalled, "needs \(judge.rawValue): Tests/Judges/judge.sh install")
    }
}
