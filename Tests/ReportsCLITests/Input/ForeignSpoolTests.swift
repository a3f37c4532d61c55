import Foundation
import TestSupport
import Testing

@Suite("Spools of other users")
struct ForeignSpoolTests {
    @Test("root makes another user's spool whole as that user", .enabled(if: OtherUser.isAvailable, "needs root"))
    func madeAsOwner() async throws {
        try await withTool(server: .accepting) { tool, server in
            try FileManager.default.createDirectory(atPath: tool.spool, withIntermediateDirectories: false)
            chown(tool.spool, 65_534, 65_534)
            chmod(tool.home, 0o755)
            try await tool.add("one")
            #expect(Set(tool.allFiles()).isSuperset(of: ["VERSION", "ledger.sqlite-wal", "owner.lock"]))
            for name in tool.allFiles() {
                let facts = try FileManager.default.attributesOfItem(atPath: "\(tool.spool)/\(name)")
                #expect((facts[.ownerAccountID] as? NSNumber)?.intValue == 65_534, "\(name)")
            }
            #expect(try await tool.summary(to: server).count("delivered") == 1)
        }
    }

    @Test(
        "a user who may not enter a spool is told so, and nothing is made",
        .enabled(if: OtherUser.isAvailable, "needs root"))
    func refused() async throws {
        try await OtherUser.withTool { tool in
            try FileManager.default.createDirectory(
                atPath: tool.spool, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
            let result = try await OtherUser.run(tool, ["submit", "--endpoint", "http://127.0.0.1:1/"])
            #expect(result.status == 69)
            #expect(result.errors.contains("no permission"))
            #expect(tool.allFiles() == [])
        }
    }
}
