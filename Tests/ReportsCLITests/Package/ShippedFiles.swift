import Foundation

/// The files of this repository that are shipped beside the tool.
enum ShippedFiles {
    static let root = URL(fileURLWithPath: #filePath).appending(path: "../../../..").standardizedFileURL

    static func path(_ name: String) -> String { root.appending(path: name).path }

    static func text(_ name: String) throws -> String {
        try String(contentsOf: root.appending(path: name), encoding: .utf8)
    }

    static func names(in folder: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: path(folder)).sorted()
    }
}
