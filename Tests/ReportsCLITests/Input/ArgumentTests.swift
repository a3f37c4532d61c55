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
