import Background
import Diagnosis
import DurableIO
import Foundation
import Reports
import SystemPackage
import TestSupport
import Testing

@Suite("Drops and reports that do not go on by themselves, as the tool shows them")
struct UnfinishedToolTests {
    /// A drop in `taken/` over which three processes died.
    private func poison(_ tool: ReportsTool, _ name: String) throws -> String {
        let spool = try #require(try ReportSpool.open(FilePath(tool.spool), isCreating: true))
        let path = "taken/0123456789abcdef.\(name)"
        try Data("the bytes of \(name)".utf8).write(to: URL(fileURLWithPath: "\(tool.spool)/\(path)"))
        let marks = DropZone(spool: spool).takenMarks()
        let store = try TransferStore(path: tool.spool + "/ledger.sqlite", clock: LinuxClock())
        try store.transaction { () throws in
            for _ in 0..<3 {
                for mark in marks { try store.begin(drop: mark) }
                try store.noteDeaths(among: marks)
            }
        }
        try store.close()
        return path
    }

    @Test("a poisonous drop is listed, retried and removed by the name that the list shows")
    func poisonous() async throws {
        try await withTool { tool in
            let path = try poison(tool, "core.1")
            let list = try await tool.run("list").output
            #expect(list.contains("core.1 [poison: the program died 3 times while it collected this drop"))
            let status = try await tool.run("status").output
            #expect(status.contains("core.1:  poison: the program died 3 times"))
            let unknown = try await tool.run("remove", "core.2")
            #expect(unknown.status == 66)
            let problem = "there is no report core.2, and no drop of that name with reason poison"
            #expect(unknown.errors == "reports: \(problem)\n")
            let retried = try await tool.objects("retry", "core.1")
            #expect(
                retried == [
                    .object(
                        JSONObject([
                            .init(key: "id", value: .null), .init(key: "name", value: .string("core.1")),
                            .init(key: "path", value: .string(path)),
                        ]))
                ])
            #expect(try await tool.run("retry", "core.1").status == 66)
            #expect(tool.names(in: "taken").count == 1)
        }
    }

    @Test("a poisonous drop is removed by its path")
    func removed() async throws {
        try await withTool { tool in
            let path = try poison(tool, "core.1")
            let result = try await tool.run("remove", path)
            #expect(result.status == 0)
            #expect(result.output == path + "\n")
            #expect(tool.names(in: "taken").isEmpty)
            #expect(try await tool.run("doctor").output == ReportsTool.wellWords)
        }
    }

    @Test("a report that needs longer than the deadline is named by submit, list, show and status, with what to do")
    func slow() async throws {
        try await withTool(server: .always(.response(503))) { tool, server in
            let id = try await tool.add("a large one")
            #expect(try await tool.submit(to: server).status == 75)
            let sentence = "needs about 12 s at 256 KiB/s, more than the deadline of 5 s"
            try tamper(
                with: tool.spool + "/ledger.sqlite",
                """
                UPDATE transfer SET reason='deadline', note='\(sentence)', cuts=2, due_at=due_at+21600000;
                DELETE FROM origin;
                """)
            let words = sentence + ": run submit without --deadline"
            let submit = try await tool.run("submit", "--endpoint", server.url("/{id}"), "--deadline", "5")
            #expect(submit.status == 75)
            #expect(submit.output.contains("\(id): \(words)\n"))
            #expect(try await tool.run("list").output.contains("[deadline: \(words)]"))
            let show = try await tool.run("show", id).output
            #expect(show.contains("state:      waiting, deadline\nnote:       \(words)\n"))
            #expect(show.contains("next:       sent by a submit without --deadline"))
            #expect(try await tool.run("status").output.contains("\(id):  deadline: \(words)\n"))
        }
    }
}
