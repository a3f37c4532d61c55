import Diagnosis
import Foundation
import Reports
import TestSupport
import Testing

/// Files that are on every machine and are no crashes, although many of them talk about crashes: manuals, change logs,
/// source code, logs.
@Suite("Ordinary files are no crashes")
struct OrdinaryFileTests {
    private static let directories = ["/usr/share/doc", "/etc", "/usr/lib/python3", "/usr/include", "/var/log"]
    private static let sampleCount = 500
    /// Larger files are read so far, and no further.
    private static let readByteCount = 4 << 20

    /// All regular files below the directories that may be read, in order.
    private static func files() -> [String] {
        var paths: [String] = []
        for directory in self.directories {
            let keys: [URLResourceKey] = [.isRegularFileKey, .isReadableKey]
            let entries = FileManager.default.enumerator(
                at: URL(filePath: directory).resolvingSymlinksInPath(), includingPropertiesForKeys: keys)
            while let entry = entries?.nextObject() as? URL {
                let values = try? entry.resourceValues(forKeys: Set(keys))
                if values?.isRegularFile == true, values?.isReadable == true { paths.append(entry.path) }
            }
        }
        return paths.sorted()
    }

    /// 500 of them; with `REPORTS_ALL_FILES=1` all.
    private static func sample(_ generator: inout SeededGenerator) -> [String] {
        let all = self.files()
        if ProcessInfo.processInfo.environment["REPORTS_ALL_FILES"] == "1" { return all }
        return Array(all.shuffled(using: &generator).prefix(self.sampleCount))
    }

    @Test("none of a sample of this machine's documents, settings, sources and logs is called a crash")
    func sample() throws {
        var generator = SeededGenerator(seed: 11)
        let sample = Self.sample(&generator)
        try #require(!sample.isEmpty)
        for path in sample {
            guard let file = FileHandle(forReadingAtPath: path),
                let data = try? file.read(upToCount: Self.readByteCount)
            else { continue }
            let name = Array(URL(filePath: path).lastPathComponent.utf8)
            let diagnosis = PayloadExcerpt.diagnosis(of: [UInt8](data), name: name)
            #expect(diagnosis.kind != .crash, "\(path): \(diagnosis.format): \(diagnosis.summaryLine)")
        }
    }
}
