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

    @Test("the service that stays says when it is ready, is watched, and is not restarted where that mends nothing")
    func watchUnit() throws {
        let settings = try ShippedFiles.text("Examples/systemd/reports-watch.service").split(separator: "\n")
        for setting in [
            "ExecStart=/usr/local/bin/reports watch", "Type=notify", "ExecReload=/bin/kill -HUP $MAINPID",
            "WatchdogSec=5min", "Restart=on-failure", "RestartPreventExitStatus=64 69 78", "TimeoutStopSec=15",
        ] {
            #expect(settings.contains { $0 == setting }, "\(setting)")
        }
        let dropIn = try ShippedFiles.text("Examples/systemd/reports-run.conf").split(separator: "\n")
        for setting in [
            "NotifyAccess=all", "KillMode=mixed", "SyslogIdentifier=shop", "Environment=REPORTS_SPOOL=/var/lib/reports",
            "ReadWritePaths=-/var/lib/reports -/var/lib/reports-run",
        ] {
            #expect(dropIn.contains { $0 == setting }, "\(setting)")
        }
    }

    @Test("the service that stays may do what the short run may, and no more")
    func sameHardening() throws {
        func lines(_ unit: String) throws -> [Substring] {
            let text = try ShippedFiles.text("Examples/systemd/\(unit)")
            let begin = try #require(text.range(of: "\n# Sending must not compete")).lowerBound
            return text[begin...].split(separator: "\n").filter { !$0.hasPrefix("#") }
        }
        let stays = try lines("reports-watch.service").filter { $0 != "[Install]" && !$0.hasPrefix("WantedBy=") }
        #expect(try stays == lines("reports.service"))
    }

    @Test(
        "systemd finds no fault with the service that stays, nor with the drop-in",
        .enabled(if: findExecutable("systemd-analyze") != nil, "systemd-analyze is not installed"))
    func verified() async throws {
        try await withTemporaryDirectory { folder in
            // systemd wants to find the programs.
            let programs = ["/usr/local/bin/reports": ReportsTool.path, "/usr/bin/reports-run": "/bin/true"]
            for name in ["reports-watch.service", "shop.service", "shop.service.d/reports-run.conf"] {
                let source = name.split(separator: "/").last.map(String.init) ?? name
                var text =
                    name == "shop.service"
                    ? "[Service]\nType=notify\nExecStart=/bin/true\n"
                    : try ShippedFiles.text("Examples/systemd/\(source)")
                for (shipped, here) in programs { text.replace(shipped, with: here) }
                let target = "\(folder)/\(name)"
                let parent = URL(fileURLWithPath: target).deletingLastPathComponent().path
                try FileManager.default.createDirectory(atPath: parent, withIntermediateDirectories: true)
                try Data(text.utf8).write(to: URL(fileURLWithPath: target))
            }
            let result = try await runAsynchronously(
                "systemd-analyze",
                ["verify", "--man=no", folder + "/reports-watch.service", folder + "/shop.service"])
            let complaints = (result.output + result.errors).split(separator: "\n").filter {
                $0.contains("reports") || $0.contains("shop")
            }
            #expect(complaints == [])
        }
    }

    @Test(
        "the services may do little more than their work",
        .enabled(if: findExecutable("systemd-analyze") != nil, "systemd-analyze is not installed"),
        arguments: ["reports.service", "reports-watch.service"])
    func hardening(_ name: String) async throws {
        let unit = ShippedFiles.path("Examples/systemd/\(name)")
        // Tenths: a service without any such setting has 9.6.
        let result = try await runAsynchronously(
            "systemd-analyze", ["security", "--offline=yes", "--threshold=13", unit])
        #expect(result.status == 0, "\(result.output.suffix(300))\(result.errors)")
    }
}
