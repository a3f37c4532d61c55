import Foundation
import Testing

/// One of the real payloads below `DiagnosisTests/Fixtures/open`, and the row of `open.tsv` that says what it is.
package struct CorpusFile: Sendable, CustomTestStringConvertible {
    package let name: String
    package let format: String
    package let contentType: String
    package let summary: String
    package let bytes: [UInt8]

    package var testDescription: String { name }

    /// All of them; none when they cannot be read, which a test notices.
    package static let all: [CorpusFile] = (try? read()) ?? []

    /// What the one gzip file among them holds, which is another one of them.
    package static let contentOfGzipFile = (try? bytes(of: "shopd-2740-0.0.json")) ?? []

    package static func bytes(of name: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: fixtures.appending(path: "open/\(name)")))
    }

    private static let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "DiagnosisTests/Fixtures")

    private static func read() throws -> [CorpusFile] {
        let table = try String(contentsOf: fixtures.appending(path: "open.tsv"), encoding: .utf8)
        return try table.split(separator: "\n").dropFirst().compactMap { line in
            let fields = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
            guard fields.count == 6 else { return nil }
            return CorpusFile(
                name: fields[0], format: fields[3], contentType: fields[4], summary: fields[5],
                bytes: try bytes(of: fields[0]))
        }
    }
}
