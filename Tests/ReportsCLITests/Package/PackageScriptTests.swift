import Foundation
import TestSupport
import Testing

/// The scripts that dpkg runs, with stand-ins for systemd's programs: which timer is active or enabled is a file of
/// that name.
@Suite("The scripts of the Debian package", .enabled(if: MachinePlaces.areAvailable, "needs root"))
struct PackageScriptTests {
    private static let machine = """
        mount -t tmpfs none /run
        mkdir -p /run/systemd/system /var/lib/reports "$home/bin" "$home/active" "$home/enabled"
        touch /var/lib/reports/VERSION
        PATH="$home/bin:$PATH"
        cat > "$home/bin/systemctl" <<'END'
        #!/bin/sh
        for last; do :; done
        case "$*" in
        *is-active*) test -e "$home/active/$last" ;;
        *is-enabled*) test -e "$home/enabled/$last" ;;
        *reset-failed*) echo "$*" ;;
        esac
        END
        cat > "$home/bin/deb-systemd-invoke" <<'END'
        #!/bin/sh
        echo "$*"
        [ "$1" != start ] || [ -e "$home/forbidden" ] || touch "$home/active/$2"
        END
        for name in systemd-sysusers systemd-tmpfiles; do printf '#!/bin/sh\n' > "$home/bin/$name"; done
        chmod +x "$home"/bin/*
        """

    /// What a script says, a line each.
    private func run(_ script: String, _ arguments: String, _ lines: String = "") async throws -> [String]? {
        var said: [String]?
        try await MachinePlaces.withUnnamedSpool { tool in
            var tool = tool
            tool.environment["package"] = ShippedFiles.path("Examples/debian")
            let result = try await MachinePlaces.run(
                tool, "\(Self.machine)\n\(lines)\nexport home\nsh \"$package/\(script)\" \(arguments)")
            if result.status == 99 { return }
            #expect(result.status == 0, "\(result.errors)")
            said = result.output.split(separator: "\n").map(String.init)
        }
        return said
    }

    @Test("a timer that is enabled and does not run is started, and said; one that runs begins anew; no other starts")
    func enabledTimers() async throws {
        let said = try await run(
            "postinst", "configure 0.1.0",
            """
            touch "$home/enabled/reports.timer" "$home/enabled/reports-check.timer" "$home/active/reports-check.timer"
            """)
        guard let said else { return }
        #expect(
            said == [
                "start reports.timer", "reports: started reports.timer, which is enabled.",
                "try-restart reports-check.timer",
            ])
    }

    @Test("where the machine's policy forbids the start, none is claimed")
    func forbidden() async throws {
        let said = try await run(
            "postinst", "configure 0.1.0", "touch \"$home/enabled/reports.timer\" \"$home/forbidden\"")
        guard let said else { return }
        #expect(said == ["start reports.timer"])
    }

    @Test("the service that stays is treated as the timers are")
    func service() async throws {
        let said = try await run(
            "postinst", "configure 0.1.0", "touch \"$home/enabled/reports-watch.service\"")
        guard let said else { return }
        #expect(
            said == ["start reports-watch.service", "reports: started reports-watch.service, which is enabled."])
        guard let stopped = try await run("prerm", "remove") else { return }
        #expect(stopped.last == "stop reports-watch.service")
    }

    @Test("the first installation starts nothing, and names the timers and the service that stays")
    func first() async throws {
        guard let said = try await run("postinst", "configure ''") else { return }
        #expect(
            said.suffix(2) == [
                "then run: systemctl enable --now reports.timer reports-check.timer",
                "or, to send at once what comes: systemctl enable --now reports-watch.service reports-check.timer",
            ])
        #expect(said.count == 4)
    }

    @Test("a unit that failed is forgotten once its file is gone", arguments: ["remove", "purge"])
    func failedUnits(step: String) async throws {
        guard let said = try await run("postrm", step) else { return }
        for unit in ["reports", "reports-check", "reports-metrics"] {
            #expect(said.contains("--quiet reset-failed \(unit).service \(unit).timer"), "\(said)")
        }
        #expect(said.contains("--quiet reset-failed reports-watch.service"), "\(said)")
    }
}
