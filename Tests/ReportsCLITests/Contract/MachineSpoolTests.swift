import Foundation
import Reports
import TestSupport
import Testing

/// What commands say of the machine's spool: whether it can send, and to users who have spools of their own.
@Suite("The machine's spool", .timeLimit(.minutes(10)), .enabled(if: MachinePlaces.areAvailable, "needs root"))
struct MachineSpoolTests {
    /// Makes the spool as the package does, and `tell`, which runs a command and prints its status before what it says.
    /// The spool belongs to `nobody`; `shop` is another user, with a home.
    private static let sharedSpool = """
        mkdir -m 711 /var/lib/reports
        chown 65534:65534 /var/lib/reports
        as_nobody "$reports" submit --spool /var/lib/reports --shared --endpoint http://reports.invalid/ > /dev/null
        mkdir -m 755 "$home/shop"
        chown 61003:61003 "$home/shop"
        as_shop() {
            HOME="$home/shop" setpriv --reuid=61003 --regid=61003 --clear-groups "$@"
        }
        tell() {
            "$@" > "$home/said" 2>&1 && status=0 || status=$?
            # The figures of check change with the space of the disk.
            echo "# $status $(sed 's/ | .*//' "$home/said")"
        }
        """

    private func tell(_ lines: String) async throws -> [String]? {
        var told: [String]?
        try await MachinePlaces.withUnnamedSpool { tool in
            let result = try await MachinePlaces.run(tool, Self.sharedSpool + "\n" + lines)
            if result.status == 99 { return }
            #expect(result.status == 0, "\(result.output)\(result.errors)")
            told = result.output.replacing(tool.home, with: "HOME").split(separator: "# ").map(String.init)
        }
        return told
    }

    @Test("without an endpoint check warns before a report waits, and is critical while one does")
    func noEndpoint() async throws {
        let told = try await tell(
            """
            tell "$reports" check
            echo one | as_shop "$reports" add - --spool /var/lib/reports > /dev/null
            tell "$reports" check
            tell "$reports" status
            tell "$reports" doctor
            "$reports" status --json | grep -o '"settings_problem":[^,]*'
            "$reports" metrics | grep '^reports_settings_problem{'
            echo '{"endpoint": "http://127.0.0.1:9/{id}"}' > "$machine"
            tell "$reports" check
            """)
        guard let told else { return }
        let words = "no endpoint is set: nothing can be sent"
        let advice = "; name your server in /etc/reports/reports.json\n"
        try #require(told.count == 5)
        #expect(told[0] == "1 REPORTS WARNING - " + words + advice)
        #expect(told[1] == "2 REPORTS CRITICAL - " + words + advice)
        #expect(told[2].hasPrefix("0 ") && told[2].contains("endpoint:  none: --endpoint, $REPORTS_ENDPOINT, "))
        #expect(told[3].hasPrefix("0 note: settings: \(words)\n"))
        #expect(told[3].contains("\"settings_problem\":\"\(words)\"\n"))
        #expect(told[3].contains("} 1\n"))
        #expect(told[4].hasPrefix("0 REPORTS OK - 1 undelivered"))
    }

    @Test("an endpoint that was there and is gone is critical, too, unless the units may have one of their own")
    func endpointGone() async throws {
        let told = try await tell(
            """
            echo one | as_shop "$reports" add - --spool /var/lib/reports > /dev/null
            "$reports" submit --endpoint http://127.0.0.1:9/{id} > /dev/null || true
            tell "$reports" check
            echo REPORTS_ENDPOINT=http://127.0.0.1:9/{id} > /etc/reports/environment
            tell "$reports" check
            tell "$reports" settings
            tell "$reports" submit
            """)
        guard let told else { return }
        try #require(told.count == 4)
        #expect(told[0].hasPrefix("2 REPORTS CRITICAL - no endpoint is set"), "\(told[0])")
        #expect(told[1].hasPrefix("0 REPORTS OK - 1 undelivered"), "\(told[1])")
        let words = "/etc/reports/environment counts for the units of the package alone, and not for this command\n"
        #expect(told[2].hasPrefix("0 reports: " + words), "\(told[2])")
        #expect(told[3].hasPrefix("78 reports: no endpoint: ") && told[3].hasSuffix("; " + words), "\(told[3])")
    }

    @Test("a file that the spool's user may not read is critical where it keeps the endpoint, else a warning")
    func unreadFile() async throws {
        let told = try await tell(
            """
            echo '{"endpoint": "http://127.0.0.1:9/{id}"}' > "$machine"
            echo one | as_shop "$reports" add - --spool /var/lib/reports > /dev/null
            "$reports" submit > /dev/null || true
            chmod 600 "$machine"
            tell "$reports" check
            export REPORTS_ENDPOINT=http://127.0.0.1:9/{id}
            tell "$reports" check
            tell "$reports" status
            "$reports" status --json | grep -o '"settings_problem":[^,]*'
            "$reports" metrics | grep '^reports_settings_problem{'
            chmod 644 "$machine"
            tell "$reports" check
            """)
        guard let told else { return }
        let words = "/etc/reports/reports.json is not used: user nobody may not read it"
        let advice = "; give the file the group of that user, and mode 640\n"
        try #require(told.count == 4)
        #expect(told[0] == "2 REPORTS CRITICAL - no endpoint is set: nothing can be sent; " + words + advice)
        #expect(told[1] == "1 REPORTS WARNING - " + words + advice)
        #expect(told[2].contains("\nsettings:  \(words)\n"), "\(told[2])")
        #expect(told[2].contains("\"settings_problem\":\"\(words)\"\n") && told[2].contains("} 1\n"))
        #expect(told[3].hasPrefix("0 REPORTS OK - "))
    }

    @Test("a user whose add goes into a spool of his own hears of the machine's, unless a submit sends from there")
    func ownSpool() async throws {
        let told = try await tell(
            """
            for name in one two three; do echo $name > "$home/$name"; chmod 644 "$home/$name"; done
            tell as_shop "$reports" add "$home/one" "$home/two"
            tell as_shop "$reports" add "$home/one" --spool /var/lib/reports
            tell as_shop "$reports" check
            as_shop "$reports" submit --endpoint http://127.0.0.1:9/{id} > /dev/null || true
            tell as_shop "$reports" add "$home/three"
            """)
        guard let told else { return }
        let own = "HOME/shop/.local/state/reports"
        let words = "stored in \(own), which nobody sends unless you run 'reports submit'; "
        let advice = "the machine's spool is /var/lib/reports: add with --spool /var/lib/reports\n"
        try #require(told.count == 4)
        #expect(told[0].hasPrefix("0 ") && told[0].hasSuffix("\nreports: " + words + advice), "\(told[0])")
        #expect(told[0].split(separator: "\n").count == 3)
        for text in [told[1], told[3]] { #expect(text.hasPrefix("0 ") && !text.contains("stored in"), "\(text)") }
        #expect(told[2].hasPrefix("2 REPORTS CRITICAL - no endpoint"), "\(told[2])")
    }

    @Test("a user without a spool of his own hears of the machine's, and not that a submit would help")
    func noOwnSpool() async throws {
        let told = try await tell(
            """
            for command in check list status doctor; do tell as_shop "$reports" $command; done
            chmod 1700 /var/lib/reports/incoming
            for command in check list; do tell as_shop "$reports" $command; done
            """)
        guard let told else { return }
        func words(_ command: String) -> String {
            "there is no spool at HOME/shop/.local/state/reports; the machine's spool is /var/lib/reports, into which "
                + "root and its owner may look: run 'sudo reports \(command)'"
        }
        try #require(told.count == 6)
        #expect(told[0] == "3 REPORTS UNKNOWN - \(words("check"))\n")
        #expect(told[1] == "0 reports: \(words("list"))\nno reports\n")
        #expect(told[2].hasPrefix("0 reports: \(words("status"))\nspool:  "))
        #expect(told[3] == "0 \(words("doctor"))\n")
        // The machine's spool takes no drops of this user.
        #expect(told[4].hasSuffix("/.local/state/reports: run 'reports submit' once\n"))
        #expect(told[5] == "0 no reports\n")
    }
}
