import Foundation
import Reports
import Testing

/// The real payloads in `Fixtures/open`, with what each of them is.
enum CorpusForTests {
    struct Row: Sendable, CustomTestStringConvertible {
        let file: String
        let format: String
        let contentType: String
        let summary: String

        var testDescription: String { self.file }

        var bytes: [UInt8] {
            get throws { try CorpusForTests.bytes(of: self.file) }
        }
    }

    /// The rows of `open.tsv`; none when it cannot be read, which a test notices.
    static let rows: [Row] = {
        let table = try? String(contentsOf: Self.fixtures.appending(path: "open.tsv"), encoding: .utf8)
        return (table ?? "").split(separator: "\n").dropFirst().compactMap { line in
            let fields = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
            guard fields.count == 6 else { return nil }
            return Row(file: fields[0], format: fields[3], contentType: fields[4], summary: fields[5])
        }
    }()

    /// What the one gzip file of the corpus holds is there as a file of its own, so that no test here needs zlib.
    static let contentOfGzipFile = (try? Self.bytes(of: "shopd-2740-0.0.json")) ?? []

    static func bytes(of file: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: self.fixtures.appending(path: "open/\(file)")))
    }

    private static let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Fixtures")
}

/// Recognises bytes as a collector would, which reads only the window of a large payload.
///
/// Every gzip payload "inflates" to `content`.
func recognize(_ bytes: [UInt8], name: String = "", content: [UInt8]? = nil) -> Recognition {
    PayloadSniffer.recognize(
        head: bytes.prefix(PayloadSniffer.windowByteCount), isWhole: bytes.count <= PayloadSniffer.windowByteCount,
        name: Array(name.utf8), inflate: { _, limit in content.map { Array($0.prefix(limit)) } })
}

/// Recognises text; see above.
func recognize(_ text: String, name: String = "") -> Recognition {
    recognize(Array(text.utf8), name: name)
}
