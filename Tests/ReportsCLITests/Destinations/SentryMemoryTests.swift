import Diagnosis
import Foundation
import Reports
import TestSupport
import Testing

/// How much memory it takes to send many reports to Sentry, whose payloads are read for their events.
///
/// With `REPORTS_JUDGES=1` there are 500 reports, else 75; needs `time` from the package of that name.
@Suite(
    "Memory, many reports to Sentry", .timeLimit(.minutes(10)), .needs(.bugsink),
    .enabled(if: findExecutable("/usr/bin/time") != nil, "needs /usr/bin/time"))
struct SentryMemoryTests {
    private static let count = ProcessInfo.processInfo.environment["REPORTS_JUDGES"] == "1" ? 500 : 75
    /// In KiB.
    private static let bound = 64 << 10

    @Test("submit stays below 64 MiB, and each report is an event")
    func many() async throws {
        try await withTool(judge: .bugsink) { tool, server in
            let crashes = CorpusFile.all.filter { $0.format.hasPrefix("swift-backtrace") || $0.name == "core" }
            #expect(crashes.count > 5)
            for number in 0..<Self.count {
                let crash = crashes[number % crashes.count]
                // A blank at the end makes other bytes, and no other crash, of each.
                let bytes = crash.bytes + Array(repeating: UInt8(ascii: " "), count: 1 + number / crashes.count)
                try tool.drop(bytes, as: "\(number)-\(crash.name)")
            }
            let submit = ["submit", "--json", "--endpoint", LocalEndpoint.sentry(server.peer.port)]
            let result = try await runAsynchronously(
                "/usr/bin/time", ["-f", "%M %e", ReportsTool.path] + submit, environment: tool.environment)
            #expect(result.status == 0, "\(result.output)\(result.errors)")
            #expect(try result.objects.first?.count("delivered") == Int64(Self.count))
            let figures = try #require(result.errors.split(separator: "\n").last?.split(separator: " "))
            print("memory: \(Self.count) reports to Sentry: \(figures[0]) KiB, \(figures[1]) s")
            #expect(try #require(Int(figures[0])) <= Self.bound)
            #expect(try await server.sentryEvents().count == Self.count)
        }
    }
}
