import Diagnosis
import Foundation
import TestSupport
import Testing

/// `max_per_signature` by the real tool: one fault that crashes in a loop, beside all that is to go out.
///
/// `REPORTS_CRASH_LOOP` says how many crashes there are; the default is 300, a full run has 10,000.
@Suite("A crash loop and the tool", .timeLimit(.minutes(30)))
struct CrashLoopTests {
    private static let count = ProcessInfo.processInfo.environment["REPORTS_CRASH_LOOP"].flatMap { Int($0) } ?? 300

    private static func crash(_ number: Int, in function: String) -> String {
        """
        Traceback (most recent call last):
          File "/srv/shop/app.py", line 12, in \(function)
            raise ValueError("order \(number)")
        ValueError: order \(number)

        """
    }

    private func withBrake(
        _ limit: String, _ script: ServerScript = .accepting, _ body: (ReportsTool, LoopbackServer) async throws -> Void
    ) async throws {
        try await withTool(server: script) { tool, server in
            var tool = tool
            tool.environment["REPORTS_MAX_PER_SIGNATURE"] = limit
            tool.environment["REPORTS_ENDPOINT"] = server.url("/{id}")
            try await body(tool, server)
        }
    }

    /// Runs a command that ends with 0 and takes no more memory than it may.
    private func measured(_ tool: ReportsTool, _ arguments: String...) async throws -> ToolResult {
        guard let time = findExecutable("/usr/bin/time") else { return try await tool.run(arguments) }
        let result = try await runAsynchronously(
            time, ["-f", "%M", ReportsTool.path] + arguments, environment: tool.environment)
        #expect(result.status == 0, "\(result.errors)")
        let peak = result.errors.split(separator: "\n").last.flatMap { Int($0) }
        #expect(try #require(peak) <= Self.memoryBound)
        return result
    }

    /// In KiB.
    private static let memoryBound = 96 << 10

    @Test(
        "ten are kept, the rest is named, and all others are delivered; nothing is left behind, and memory is bounded")
    func loop() async throws {
        try await withBrake("10 per 1 h") { tool, server in
            for number in 0..<Self.count { try tool.drop(Self.crash(number, in: "loop"), as: "crash-\(number).txt") }
            for number in 0..<95 { try tool.drop("INFO line \(number)\n", as: "\(number).log") }
            for number in 0..<5 { try tool.drop(Self.crash(number, in: "other"), as: "other-\(number).txt") }
            let left = Self.count - 10
            let result = try await measured(tool, "submit", "--json")
            let summary = try JSONValue.parse(Array(result.output.utf8))
            #expect(summary.count("delivered") == 110)
            #expect(summary.count("evicted") == Int64(left))
            #expect(summary.count("braked") == Int64(left))
            for name in ["waiting", "held", "rejected", "exhausted", "duplicates", "skipped"] {
                #expect(summary.count(name) == 0, "\(name)")
            }
            #expect(Set(server.requests.map(\.target)).count == 110)
            for room in ["incoming", "taken", "tmp", "collected", "queued", "parked"] {
                #expect(tool.names(in: room) == [], "\(room)")
            }
            let named = try await tool.objects("list", "--state", "evicted")
            #expect(named.count == left)
            #expect(named.allSatisfy { $0["reason"]?.stringValue == "limit: max_per_signature" })
            #expect(try await tool.run("doctor").status == 0)
        }
    }

    @Test("submit, status, show, check and metrics tell of it, and nothing is wrong")
    func told() async throws {
        try await withBrake("2 / 1h") { tool, _ in
            for number in 0..<5 { try tool.drop(Self.crash(number, in: "loop"), as: "\(number).txt") }
            let submit = try await tool.run("submit")
            #expect(submit.status == 0)
            #expect(
                submit.output == """
                    delivered 2, evicted 3
                    3 of the evicted were left out by max_per_signature (2 per 1 h): the first of each signature are kept; \
                    'reports list --group' shows them

                    """)
            let braked = try #require(try await tool.objects("list", "--state", "evicted").first)
            let (id, signature) = (braked["id"]?.stringValue ?? "", braked["signature"]?.stringValue ?? "")
            let status = try await tool.run("status").output
            #expect(status.contains("evicted, limit: max_per_signature:  3 so far\n"), "\(status)")
            #expect(
                status.contains("braked now, \(signature):  3 left out, the first are kept: python: ValueError"),
                "\(status)")
            #expect(status.contains(", 2 per 1 h of one signature\n"), "\(status)")
            #expect(status.contains("max_per_signature:  2 / 1h  ($REPORTS_MAX_PER_SIGNATURE)"), "\(status)")
            let object = try #require(try await tool.objects("status").first)
            #expect(object["braked"]?.arrayValue?.first?.count("count") == 3)
            let show = try await tool.run("show", id).output
            #expect(show.contains("note:       at most 2 per 1 h of one signature are kept\n"), "\(show)")
            #expect(show.contains("raise max_per_signature and add it again"), "\(show)")
            let retry = try await tool.run("retry", id)
            #expect(retry.status == 66)
            #expect(retry.errors.contains("raise max_per_signature and add them again"), "\(retry.errors)")
            let check = try await tool.run("check")
            #expect(check.status == 1)
            #expect(
                check.output.hasPrefix("REPORTS WARNING - one crash in a loop: 3 reports beyond "), "\(check.output)")
            let json = try #require(try await tool.objects("check").first)
            #expect((json.count("evicted"), json.count("braked")) == (0, 3))
            #expect(try await tool.run("metrics").output.contains("reports_braked_signatures{"))
            let doctor = try await tool.run("doctor")
            #expect(doctor.status == 0 && !doctor.output.contains(id), "\(doctor.output)")
        }
    }

    @Test("status names the worst five loops, and how many others there are")
    func manyLoops() async throws {
        try await withBrake("1 per 1 h") { tool, _ in
            for loop in 0..<7 {
                for number in 0..<2 {
                    try tool.drop(Self.crash(number, in: "loop\(loop)"), as: "\(loop)-\(number).txt")
                }
            }
            _ = try await tool.run("submit")
            let status = try await tool.run("status").output
            #expect(status.split(separator: "\n").count { $0.hasPrefix("braked now, ") } == 6, "\(status)")
            #expect(status.contains("braked now, others:  2 more, which 'reports list --group' shows\n"), "\(status)")
            #expect(try await tool.objects("status").first?.count("braked_signatures") == 7)
        }
    }

    @Test("such evictions alone are no 65, and hide no other reason for it")
    func exitStatus() async throws {
        let answer = Monitor(201)
        try await withBrake("1 per 1 h", ServerScript { _ in .response(answer.withLock { $0 }) }) { tool, _ in
            for number in 0..<3 { try tool.drop(Self.crash(number, in: "loop"), as: "\(number).txt") }
            #expect(try await tool.run("submit").status == 0)
            answer.withLock { $0 = 503 }
            try tool.drop(Self.crash(4, in: "loop"), as: "4.txt")
            try await tool.add("waits")
            #expect(try await tool.run("submit").status == 75)
            var tight = tool
            tight.environment["REPORTS_MAX_COUNT"] = "1"
            try tool.drop(Self.crash(5, in: "loop"), as: "5.txt")
            try await tool.add("too many")
            let result = try await tight.run("submit")
            #expect(result.status == 65)
            #expect(result.output.contains("evicted 2"), "\(result.output)")
            #expect(result.output.contains("'reports list --state evicted' names the limit of each"))
            #expect(result.output.contains("1 of the evicted was left out by max_per_signature (1 per 1 h)"))
        }
    }

    @Test("a wrong value is told with what is expected, and add still stores")
    func wrongSetting() async throws {
        try await withBrake("10 an hour") { tool, _ in
            let submit = try await tool.run("submit")
            #expect(submit.status == 78)
            #expect(submit.errors.contains("for example 10 per 1 h or 5 per 30 m, or none"), "\(submit.errors)")
            #expect(try await tool.run("add", tool.file("a", "one")).status == 78)
            #expect(tool.names(in: "collected").count == 1)
        }
    }
}
