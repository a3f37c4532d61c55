import Foundation
import Testing

/// The real payloads that the library's own tests use.
struct CorpusFile: Sendable {
    let name: String
    let contentType: String
    let bytes: [UInt8]

    /// All 25 of them.
    static func all() throws -> [CorpusFile] {
        let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "ReportsTests/Fixtures")
        let table = try String(contentsOf: fixtures.appending(path: "open.tsv"), encoding: .utf8)
        return try table.split(separator: "\n").dropFirst().map { line in
            let fields = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
            try #require(fields.count == 6)
            let data = try Data(contentsOf: fixtures.appending(path: "open/\(fields[0])"))
            return CorpusFile(name: fields[0], contentType: fields[4], bytes: Array(data))
        }
    }
}
