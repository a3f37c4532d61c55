import Foundation
import TestSupport
import Testing

@Suite("The unit files that are shipped")
struct ShippedUnitTests {
    @Test("the service gives a run all the time that its largest report needs, and ends it when it is told to")
    func unit() throws {
        let unit = try ShippedFiles.text("Examples/systemd/reports.service")
        let settings = unit.split(separator: "\n").filter { !$0.hasPrefix("#") }
        let start = try #require(settings.first { $0.hasPrefix("ExecStart=") })
        #expect(start.hasSuffix("/reports submit"))
        #expect(settings.contains("TimeoutStartSec=infinity"))
        #expect(settings.contains("TimeoutStopSec=15"))
    }

    @Test(
        "the service may do little more than its work",
        .enabled(if: findExecutable("systemd-analyze") != nil, "systemd-analyze is not installed"))
    func hardening() async throws {
        let unit = ShippedFiles.path("Examples/systemd/reports.service")
        // Tenths: a service without any such setting has 9.6.
        let result = try await runAsynchronously(
            "systemd-analyze", ["security", "--offline=yes", "--threshold=13", unit])
        #expect(result.status == 0, "\(result.output.suffix(300))\(result.errors)")
    }
}
