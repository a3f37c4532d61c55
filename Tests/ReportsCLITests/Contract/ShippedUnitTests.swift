import Foundation
import Testing

@Suite("The unit files that are shipped")
struct ShippedUnitTests {
    @Test("the service gives a run all the time that its largest report needs, and ends it when it is told to")
    func unit() throws {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        let file = folder.appending(path: "../../../Examples/systemd/reports.service")
        let unit = try String(contentsOf: file, encoding: .utf8)
        let settings = unit.split(separator: "\n").filter { !$0.hasPrefix("#") }
        let start = try #require(settings.first { $0.hasPrefix("ExecStart=") })
        #expect(start.contains("/reports submit ") && !start.contains("--deadline"))
        #expect(settings.contains("TimeoutStartSec=infinity"))
        #expect(settings.contains("TimeoutStopSec=15"))
    }
}
