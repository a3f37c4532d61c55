import Foundation
import Reports
import TestSupport
import Testing

@Suite("Nothing to send, nothing to delete")
struct NothingToDeleteTests {
    @Test("remove and retry of what has no bytes any more say so, with 66, and its record stays")
    func tombstones() async throws {
        try await withTool(server: .accepting) { tool, server in
            let delivered = try await tool.add("delivered")
            #expect(try await tool.submit(to: server).status == 0)
            let removed = try await tool.add("removed")
            #expect(try await tool.run("remove", removed).status == 0)
            for (command, id, words) in [
                ("remove", delivered, "is delivered: there is nothing to delete, and its record stays 90 days"),
                ("retry", delivered, "is delivered: there is nothing to send"),
                ("remove", removed, "is removed: its bytes are gone already, and its record stays 90 days"),
                ("retry", removed, "is removed: its bytes are gone, add them again"),
            ] {
                let result = try await tool.run(command, id)
                #expect(result.status == 66, "\(command) \(words)")
                #expect(result.errors == "reports: \(id) \(words)\n")
                #expect(result.output.isEmpty)
            }
            #expect(try await tool.state(of: delivered) == "delivered")
            #expect(try await tool.state(of: removed) == "removed")
        }
    }

    @Test("one among several does not keep remove from the others")
    func oneOfSeveral() async throws {
        try await withTool(server: .accepting) { tool, server in
            let delivered = try await tool.add("delivered")
            #expect(try await tool.submit(to: server).status == 0)
            let queued = try await tool.add("queued")
            let result = try await tool.run("remove", delivered, queued)
            #expect(result.status == 66)
            #expect(result.output == "\(queued)\n")
            #expect(try await tool.state(of: queued) == "removed")
        }
    }

    @Test("what was removed and handed in again can be removed again before anybody enrolled it")
    func handedInAgain() async throws {
        try await withTool { tool in
            let id = try await tool.add("again")
            #expect(try await tool.run("remove", id).status == 0)
            #expect(try await tool.add("again") == id)
            let result = try await tool.run("remove", id)
            #expect(result.status == 0, "\(result.errors)")
            #expect(tool.names(in: "collected").isEmpty && tool.names(in: "queued").isEmpty)
        }
    }
}
