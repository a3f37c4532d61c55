import CaptureRun
import DurableIO
import Foundation
import Glibc
import TestSupport
import Testing

@testable import Reports

/// An owner tells of programs whose `reports run` died before it could.
@Suite("Runs that were left, and the owner", .timeLimit(.minutes(5)))
struct LeftRunIntakeTests {
    private static let incident = "01234567-89ab-4cde-8f01-23456789abcd"

    private func withSpool(_ body: (SpoolHarness) async throws -> Void) async throws {
        try await withTemporaryDirectory { directory in try await body(SpoolHarness(directory + "/spool")) }
    }

    /// A run whose processes are gone.
    private func leave(_ harness: SpoolHarness) throws {
        var options = RunOptions()
        options.spool = harness.path
        options.name = "shop"
        options.command = ["/usr/bin/shopd", "--token=SECRET"]
        // A child would hold the run's lock until it has become its program.
        try whileNothingStarts { try leave(options) }
    }

    private func leave(_ options: RunOptions) throws {
        let run = try RunDirectory.make(for: options)
        run.note(
            ProgramStart(
                pid: 999_999_999, startTicks: 1, bootID: "gone", startedAt: 1_790_000_000_000, command: options.command,
                path: nil, workingDirectory: nil, user: getuid(), cgroup: nil))
        let panic = "panic: till is empty\n\ngoroutine 1 [running]:\nmain.main()\n\t/srv/shop/main.go:12 +0x1d\n"
        try Data(panic.utf8).write(to: URL(fileURLWithPath: run.path + "/panic.txt"))
    }

    @Test("its next run sends the incident: one crash and the document")
    func sent() async throws {
        try await withSpool { harness in
            try leave(harness)
            #expect(try await harness.submit().delivered == 2)
            #expect(try harness.entries("runs") + harness.drops() == [])
            var views: [ReportView] = []
            try SpoolInspector(spool: harness.spool).forEachReport(SpoolInspector.Selection()) { views.append($0) }
            #expect(views.compactMap(\.kind).sorted() == ["crash", "diagnostic"])
            #expect(Set(views.map { $0.annotations["incident"] }).count == 1)
            #expect(views.allSatisfy { $0.annotations["run.cause"] == "lost" && $0.annotations["service"] == "shop" })
            #expect(views.first { $0.kind == "crash" }?.format == "go-panic")
            #expect(views.first { $0.kind == "diagnostic" }?.format == "reports-run")
            #expect(try await harness.submit().delivered == 0)
        }
    }

    @Test("a run that cannot be told of keeps no report back, and the doctor names what stays")
    func stuck() async throws {
        try await withSpool { harness in
            try leave(harness)
            #expect(mkdir("\(harness.path)/runs/.remains-\(Self.incident)", 0o700) == 0)
            try harness.add("other")
            #expect(try await harness.submit().delivered == 3)
            #expect(try harness.findings(.note).contains { $0.hasPrefix("runs/.remains-\(Self.incident): ") })
        }
    }

    @Test("a run of another user in incoming/ is no drop: neither listed nor named by the doctor")
    func hidden() async throws {
        try await withSpool { harness in
            #expect(mkdir("\(harness.path)/incoming/.run-\(Self.incident)", 0o700) == 0)
            #expect(try harness.reason(ofDrop: ".run-\(Self.incident)") == nil)
            #expect(try harness.findings(.note) == [])
            try await harness.submit()
            #expect(try harness.drops() == [".run-\(Self.incident)"])
        }
    }
}
