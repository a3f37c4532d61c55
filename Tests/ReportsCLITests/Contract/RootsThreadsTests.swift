import Foundation
import Glibc
import TestSupport
import Testing

/// Root at the spool of another user becomes that user.
@Suite("Root that becomes the spool's owner", .enabled(if: OtherUser.isAvailable, "needs root and setpriv"))
struct RootsThreadsTests {
    /// The users and groups that the threads of a process act as, and the rights that they have.
    private func rights(_ process: Int32) throws -> Set<String> {
        var rights: Set<String> = []
        for thread in try FileManager.default.contentsOfDirectory(atPath: "/proc/\(process)/task") {
            // One that has ended meanwhile.
            guard let text = try? String(contentsOfFile: "/proc/\(process)/task/\(thread)/status", encoding: .utf8)
            else { continue }
            let lines = text.split(separator: "\n").filter { line in
                ["Uid:", "Gid:", "CapEff:", "CapPrm:"].contains { line.hasPrefix($0) }
            }
            rights.formUnion(lines.map(String.init))
        }
        return rights
    }

    @Test("no thread of it keeps root's rights", arguments: [["watch"], ["submit", "--wait", "3000"]])
    func allThreads(_ words: [String]) async throws {
        // What is put off keeps `submit` at work.
        let busy = Answer.response(503, headers: [("Retry-After", "2000")])
        try await withTool(server: .always(busy)) { tool, server in
            chmod(tool.home, 0o755)
            mkdir(tool.spool, 0o700)
            chown(tool.spool, OtherUser.nobody, OtherUser.nobody)
            try await tool.add("waits")
            let process = try RunningTool(
                ReportsTool.path, words + ["--endpoint", server.url("/{id}")], environment: tool.environment,
                home: tool.home)
            // It has threads for all that it does now.
            try await expectSoon { !server.requests.isEmpty }
            let id = OtherUser.nobody
            let ids = Array(repeating: "\(id)", count: 4).joined(separator: "\t")
            let none = String(repeating: "0", count: 16)
            #expect(
                try rights(process.processIdentifier) == [
                    "Uid:\t\(ids)", "Gid:\t\(ids)", "CapEff:\t\(none)", "CapPrm:\t\(none)",
                ])
            await process.killAtOnce()
        }
    }
}
