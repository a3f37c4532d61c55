import DurableIO
import Foundation
import Reports
import TestSupport
import Testing

@Suite("File names and folders as they come")
struct ArgumentTests {
    @Test("a file whose name is not UTF-8 is added under its own bytes")
    func nameThatIsNotUTF8() async throws {
        try await withTool { tool in
            let line = #"printf 'latin' > "$home/$(printf 'caf\351.log')" && "$reports" add --json "$home"/caf*.log"#
            let result = try await tool.shell(line)
            #expect(result.status == 0, "\(result.errors)")
            let report = try #require(try await tool.objects("list").first)
            #expect(report["name_b64"]?.stringValue == Base64.encode(Array("caf".utf8) + [0xe9] + Array(".log".utf8)))
        }
    }

    @Test(
        "files are added in their order wherever options stand among them",
        arguments: [
            ["--kind", "log", "a", "b", "c", "d", "e"], ["a", "b", "--kind", "log", "c", "d", "e"],
            ["a", "b", "c", "d", "e", "--kind", "log"], ["--kind=log", "--", "a", "b", "c", "d", "e"],
        ])
    func filesAndOptions(words: [String]) async throws {
        try await withTool { tool in
            let files = ["a", "b", "c", "d", "e"]
            for (number, name) in files.enumerated() {
                _ = try tool.file(name, String(repeating: name, count: number + 1))
            }
            let places = words.map { files.contains($0) ? "\(tool.home)/\($0)" : $0 }
            let result = try await tool.run(["add", "--json"] + places)
            #expect(result.status == 0, "\(result.errors)")
            let added = try result.objects
            #expect(added.map { $0.count("size") } == [1, 2, 3, 4, 5])
            #expect(added.allSatisfy { $0["kind"]?.stringValue == "log" })
        }
    }

    @Test("a spool of which only the drop zone was made lists what lies there, and makes nothing")
    func onlyADropZone() async throws {
        try await withTool { tool in
            try tool.drop("waiting", as: "waiting.log")
            #expect(try await tool.objects("list").map { $0["state"]?.stringValue } == ["incoming"])
            let status = try #require(try await tool.objects("status").first)
            #expect(status["states"]?["incoming"]?.count("count") == 1)
            #expect(tool.allFiles() == ["incoming", "incoming/waiting.log"])
        }
    }
}
