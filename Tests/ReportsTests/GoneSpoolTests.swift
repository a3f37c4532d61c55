import Background
import DurableIO
import Foundation
import Reports
import SystemPackage
import TestSupport
import Testing

@Suite("A reporter's spool: made late, gone early, and what is logged")
struct GoneSpoolTests {
    @Test("nothing is made before the first collect")
    func lazy() async throws {
        try await withTemporaryDirectory { directory in
            let path = directory + "/deep/spool"
            let reporter = try Reporter(spool: FilePath(path))
            #expect(!FileManager.default.fileExists(atPath: directory + "/deep"))
            try await reporter.collect(Array("one".utf8))
            #expect(FileManager.default.fileExists(atPath: path + "/VERSION"))
        }
    }

    @Test("asking for the drop zone makes it, and it is no spool yet")
    func dropZone() async throws {
        try await withTemporaryDirectory { directory in
            let path = directory + "/spool"
            let reporter = try Reporter(spool: FilePath(path))
            let incoming = reporter.incomingDirectory.string
            #expect(incoming == path + "/incoming")
            #expect(try FileManager.default.contentsOfDirectory(atPath: path) == ["incoming"])
            #expect(try permissions(path) == 0o700)
            try await reporter.collect(Array("one".utf8))
            #expect(FileManager.default.fileExists(atPath: path + "/ledger.sqlite"))
            #expect(reporter.incomingDirectory.string == incoming)
        }
    }

    @Test("a spool of a later version, or a file in its place, is refused when the reporter is made")
    func checkedEarly() throws {
        try withTemporaryDirectory { directory in
            let file = directory + "/file"
            try Data("2\n".utf8).write(to: URL(fileURLWithPath: file))
            #expect(throws: ReportsError.self) { try Reporter(spool: FilePath(file)) }
            try FileManager.default.createDirectory(atPath: directory + "/spool", withIntermediateDirectories: false)
            try FileManager.default.moveItem(atPath: file, toPath: directory + "/spool/VERSION")
            #expect(throws: ReportsError.self) { try Reporter(spool: FilePath(directory + "/spool")) }
        }
    }

    @Test("a run whose spool is removed or replaced says so and ends", arguments: [false, true])
    func removed(isReplaced: Bool) async throws {
        try await withSpool { harness in
            let log = RecordedLog()
            var configuration = harness.configuration()
            configuration.logger = log.logger
            let settled = Gate()
            configuration.onSettled = { _ in settled.open() }
            let reporter = Reporter(spool: harness.spool, owner: configuration)
            let id = try await reporter.collect(Array("one".utf8))
            let running = Task { try await reporter.run() }
            await settled.wait()
            await harness.clock.waitForSleeper()
            if isReplaced {
                try FileManager.default.moveItem(atPath: harness.path, toPath: harness.path + ".old")
                _ = try SpoolHarness(harness.path)
            } else {
                try FileManager.default.removeItem(atPath: harness.path)
            }
            let error = await #expect(throws: ReportsError.self) {
                try await harness.clock.racing { try await running.value }
            }
            #expect(error?.message.contains("was removed or replaced while it was in use") == true)
            #expect(log.lines.contains("error: Spool directory removed or replaced spool.path=\(harness.path)"))
            #expect(log.lines.contains { $0.hasPrefix("info: Report delivered") && $0.contains("report.id=\(id)") })
            // What comes now is stored where the path leads.
            try await reporter.collect(Array("two".utf8))
            #expect(try harness.entries("collected").count == 1)
        }
    }
}

private func permissions(_ path: String) throws -> Int {
    let attributes = try FileManager.default.attributesOfItem(atPath: path)
    return (attributes[.posixPermissions] as? NSNumber)?.intValue ?? -1
}
