import Digests
import DurableIO
import Foundation
import Reports
import TestSupport
import Testing

/// Values of annotations, which come from a program that has crashed, in the address of a report.
@Suite("Hostile values in the marks of an endpoint")
struct HostileMarkTests {
    private static let values = [
        "../..", "..", ".", "", "/", "//elsewhere.example/", "a/../../b", "?x=1", "&x=1", "#fragment", "%2f", "%2e%2e",
        "%", "@elsewhere.example", "user:secret@elsewhere.example:80", ":80", "\\..\\..", "two words", "line\nbreak",
        "line\r\nX-Injected: yes", "nul\u{0}byte", "{id}", "${id}", "Köln", "\u{2025}", "\u{ff0e}\u{ff0e}\u{ff0f}",
        String(repeating: "a/", count: 400),
    ]

    @Test("over plain HTTP they stay in their segment and their parameter, and can be read again")
    func plain() async throws {
        try await withTool(server: .accepting) { tool, server in
            let ids = try await add(to: tool)
            let endpoint = server.url("/fixed/{annotation:name}/{id}?key={annotation:name}&end=1")
            let result = try await tool.run("submit", "--endpoint", endpoint)
            #expect(result.status == 0, "\(result.output)\(result.errors)")
            #expect(server.requests.count == ids.count && server.protocolErrors.isEmpty)
            for request in server.requests {
                let id = Deliveries.key(of: request)
                let value = try #require(ids[id])
                #expect(request.headers.values("Host") == ["127.0.0.1:\(server.port)"])
                #expect(request.headers["X-Injected"] == nil)
                let parts = request.target.split(separator: "?", omittingEmptySubsequences: false)
                let path = parts[0].split(separator: "/", omittingEmptySubsequences: false)
                #expect(parts.count == 2 && path.count == 4, "\(request.target)")
                #expect(path[1] == "fixed" && path[3] == id, "\(request.target)")
                #expect(isPlain(path[2]), "\(request.target)")
                let isDots = ["", ".", ".."].contains(value)
                #expect(path[2].removingPercentEncoding == (isDots ? "_" : value), "\(request.target)")
                let query = parts[1].split(separator: "&", omittingEmptySubsequences: false)
                #expect(query.count == 2 && query[0].hasPrefix("key=") && query[1] == "end=1", "\(request.target)")
                #expect(query[0].dropFirst(4).removingPercentEncoding == value, "\(request.target)")
            }
        }
    }

    @Test("in the key of an object they stay in their segment, of plain characters alone")
    func bucket() async throws {
        let accepting = ServerScript.always(.response(200, headers: [("ETag", "\"1\"")]))
        try await withTool(server: accepting) { tool, server in
            let tool = tool.with(ReportsTool.judgeKey)
            let ids = try await add(to: tool)
            let endpoint = "s3://crashes/fixed/{annotation:name}/{id}?endpoint=\(server.url())"
            let result = try await tool.run("submit", "--endpoint", endpoint)
            #expect(result.status == 0, "\(result.output)\(result.errors)")
            #expect(server.requests.count == ids.count && server.protocolErrors.isEmpty)
            for request in server.requests {
                let path = request.target.split(separator: "/", omittingEmptySubsequences: false)
                #expect(path.count == 5 && path[1] == "crashes" && path[2] == "fixed", "\(request.target)")
                #expect(path.last.map { ids[String($0)] != nil } == true, "\(request.target)")
                #expect(path[3].allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "-_.~".contains($0)) })
                #expect(!["", ".", ".."].contains(path[3]) && path[3].utf8.count <= 255, "\(request.target)")
                #expect(request.headers.values("Host") == ["127.0.0.1:\(server.port)"])
                #expect(request.headers["X-Injected"] == nil)
            }
        }
    }

    /// Adds a report with each of the values.
    /// - Returns: the values by the ids.
    private func add(to tool: ReportsTool) async throws -> [String: String] {
        var ids: [String: String] = [:]
        for (number, value) in Self.values.enumerated() {
            // An argument cannot hold the character 0: a sidecar can hold anything but a line break.
            if value.contains("\u{0}") {
                let text = "report \(number)"
                try tool.drop("name=\(value)\n", as: "\(number).log.annotations")
                try tool.drop(text, as: "\(number).log")
                ids[ContentHash.of(text).hex] = value
            } else {
                ids[try await tool.add("report \(number)", "--annotate", "name=\(value)")] = value
            }
        }
        #expect(ids.count == Self.values.count)
        return ids
    }

    private func isPlain(_ text: Substring) -> Bool {
        text.utf8.allSatisfy { byte in
            let character = Character(Unicode.Scalar(byte))
            return character.isASCII && (character.isLetter || character.isNumber || "-_.~%".contains(character))
        }
    }
}
