import Foundation
import Testing

/// A small text in `Fixtures/formats`, named after the format that it is.
struct FormatSample: Sendable, CustomTestStringConvertible {
    let format: String
    let bytes: [UInt8]

    var testDescription: String { self.format }

    /// All of them; none when they cannot be read, which a test notices.
    static let all: [FormatSample] = (try? read()) ?? []

    private static func read() throws -> [FormatSample] {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Fixtures/formats")
        return try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
            .sorted { $0.path < $1.path }
            .map { file in
                FormatSample(
                    format: file.deletingPathExtension().lastPathComponent,
                    bytes: [UInt8](try Data(contentsOf: file)))
            }
    }
}
