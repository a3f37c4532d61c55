import Foundation
package import Testing

/// A server, or a checker, that others wrote, and what it checks; `Tests/Judges/README.md` has all of it.
package enum Judge: String, Sendable {
    /// A server for S3 that checks key and signature if it is told to. It is the metadata service of a virtual machine,
    /// too.
    case moto
    /// A server for S3 that checks key, signature and clock.
    case rclone
    /// A server for S3 that checks key, signature, region, clock and the body's hash.
    case openStackSwift = "openstack-swift"
    /// A Sentry-compatible server that checks key, envelope and, against Sentry's schema, each event.
    case bugsink
    /// Sentry's own normaliser, which is no server: ``JudgeServer/normaliserVerdicts(on:)``.
    case sentryRelay = "sentry-relay"
    /// A collector of minidumps with the rules of Antenna.
    case breakpad
    /// A receiver of OTLP logs.
    case otlp
    /// A collector of OTLP logs that passes them on to such a receiver, a moment after its answer.
    case rotel

    /// The key that every judge for S3 accepts.
    package static let accessKey = "test:judge"
    package static let secretKey = "judge-secret-0123456789"
    package static let region = "us-east-1"
    /// The public keys of Bugsink's projects 1 and 2.
    package static let sentryKeys = ["5e9d0c6b1f7a4c3e8b2d64a0f1937c58", "c04b7e12d95f4a6683d1e7b5a92f0c3d"]

    /// Whether it is a server for S3.
    package var hasBuckets: Bool { [.moto, .rclone, .openStackSwift].contains(self) }

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
