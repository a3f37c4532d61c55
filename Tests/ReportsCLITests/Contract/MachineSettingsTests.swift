import Foundation
import Reports
import TestSupport
import Testing

/// `/etc/reports/reports.json` and `/var/lib/reports`, at their real places: in a mount namespace of the test's own.
@Suite(
    "The machine's own places", .timeLimit(.minutes(10)),
    .enabled(if: MachinePlaces.areAvailable, "needs root"))
struct MachineSettingsTests {
    @Test("the machine's file is in force under the spool's, and status and settings tell its path")
    func file() async throws {
        try await MachinePlaces.withUnnamedSpool { tool in
            let result = try await MachinePlaces.run(
                tool,
                """
                echo '{"max_count": 7, "max_age_days": 9, "endpoint": "http://machine.example/{id}"}' > "$machine"
                mkdir -m 700 "$home/spool"
                echo '{"max_count": 5}' > "$home/spool/reports.json"
                "$reports" status --spool "$home/spool"
                "$reports" settings --spool "$home/spool" --json
                echo '{"max_count": "many"}' > "$machine"
                echo one | "$reports" add - --spool "$home/other" || echo "add $?"
                """)
            if result.status == 99 { return }
            #expect(result.status == 0, "\(result.errors)")
            let lines = result.output.split(separator: "\n").map(String.init)
            let spoolFile = tool.home + "/spool/reports.json"
            #expect(lines.contains("settings:  \(spoolFile)"))
            #expect(lines.contains("settings:  /etc/reports/reports.json"))
            #expect(lines.contains("max_count:  5  (\(spoolFile))"))
            #expect(lines.contains("max_age_days:  9  (/etc/reports/reports.json)"))
            let source = #""source":"/etc/reports/reports.json","default":null}"#
            let endpoint = #"{"name":"endpoint","value":"http://machine.example/{id}","# + source
            #expect(lines.contains(endpoint), "\(result.output)")
            #expect(lines.contains("add 78"))
            #expect(result.errors.contains("/etc/reports/reports.json: line 1, column 15: max_count: expected"))
        }
    }

    /// Makes a spool of `nobody` with a report in it, and `tell`, which runs a command on it as `nobody`, who owns it,
    /// and as root, and prints what it says if that is the same.
    private static let spoolOfNobody = """
        mkdir -m 700 "$home/spool"
        chown 65534:65534 "$home/spool"
        echo one > "$home/one"
        as_nobody "$reports" add --spool "$home/spool" "$home/one" > /dev/null
        tell() {
            echo "# $1"
            as_nobody "$reports" "$@" --spool "$home/spool" > "$home/owner" 2>&1 || echo "status $?" >> "$home/owner"
            "$reports" "$@" --spool "$home/spool" > "$home/root" 2>&1 || echo "status $?" >> "$home/root"
            # The figures of check change with the space of the disk.
            sed -i 's/ | .*//' "$home/owner" "$home/root"
            diff -U 99 "$home/owner" "$home/root" || return 9
            cat "$home/root"
        }
        """

    @Test("a file that the spool's user may not read is the same fault for root as for that user, in each command")
    func secrets() async throws {
        try await MachinePlaces.withUnnamedSpool { tool in
            let result = try await MachinePlaces.run(
                tool,
                """
                \(Self.spoolOfNobody)
                echo '{"endpoint": "http://127.0.0.1:9/", "headers": {"A": {"file": "token"}}}' > "$machine"
                echo secret > /etc/reports/token
                chmod 600 /etc/reports/token
                for command in submit settings status doctor check; do tell $command; done
                "$reports" metrics --spool "$home/spool" | grep '^reports_settings_problem{'
                """)
            if result.status == 99 { return }
            #expect(result.status == 0, "\(result.output)\(result.errors)")
            let told = result.output.split(separator: "# ")
            let fault = "headers.A: /etc/reports/token: Permission denied: it must be readable for user nobody"
            for (command, status) in [("submit", 78), ("settings", 78), ("status", 78), ("doctor", 65), ("check", 2)] {
                let text = told.first { $0.hasPrefix("\(command)\n") } ?? ""
                #expect(text.contains(fault) && text.contains("\nstatus \(status)\n"), "\(command): \(text)")
            }
            #expect(result.output.hasSuffix("} 1\n"), "\(result.output)")
            #expect(!result.output.contains("secret"))
        }
    }

    @Test("a machine's file that the spool's user may not read counts for nothing, for root as for that user")
    func kept() async throws {
        try await MachinePlaces.withUnnamedSpool { tool in
            let result = try await MachinePlaces.run(
                tool,
                """
                \(Self.spoolOfNobody)
                echo '{"endpoint": "http://machine.example/{id}", "max_count": 7, "max_report_size": 1}' > "$machine"
                chmod 640 "$machine"
                tell submit
                echo '{"endpoint": "http://own.example/{id}"}' > "$home/spool/reports.json"
                chown 65534:65534 "$home/spool/reports.json"
                echo two > "$home/two"
                tell settings
                tell status
                tell doctor
                as_nobody "$reports" add --spool "$home/spool" "$home/two"
                "$reports" add --spool "$home/spool" "$home/two"
                chgrp 65534 "$machine"
                tell settings
                """)
            if result.status == 99 { return }
            #expect(result.status == 0, "\(result.output)\(result.errors)")
            let told = result.output.split(separator: "# ")
            let words = "/etc/reports/reports.json is not used: user nobody may not read it"
            try #require(told.count == 5)
            #expect(told.first?.contains("no endpoint") == true)
            for text in told.prefix(2) + told[3...3] { #expect(text.contains(words), "\(text)") }
            for text in told[1...2] {
                #expect(text.contains("http://own.example/") && !text.contains("machine.example"), "\(text)")
            }
            let readable = told.last ?? ""
            #expect(readable.split(separator: "\n").contains { $0.hasPrefix("max_count ") && $0.contains(" 7 ") })
            #expect(!readable.contains(words))
        }
    }

    @Test("root reads with the groups of the spool's user, and not with that of the spool's directory")
    func groups() async throws {
        try await MachinePlaces.withUnnamedSpool { tool in
            let result = try await MachinePlaces.run(
                tool,
                """
                echo 'shop:x:61003:61003::/nonexistent:/bin/sh' >> /etc/passwd
                printf 'shop:x:61003:\\nkeys:x:61004:shop\\n' >> /etc/group
                mkdir -m 700 "$home/spool"
                chown 61003:61005 "$home/spool"
                echo '{"headers": {"A": {"file": "token"}}}' > "$machine"
                echo secret > /etc/reports/token
                chmod 640 /etc/reports/token
                for group in 61003 61004 61005; do
                    chgrp $group /etc/reports/token
                    setpriv --reuid=61003 --regid=61003 --init-groups \\
                        "$reports" settings --spool "$home/spool" > /dev/null || echo "owner $group $?"
                    "$reports" settings --spool "$home/spool" > /dev/null || echo "root $group $?"
                done
                """)
            if result.status == 99 { return }
            #expect(result.output == "owner 61005 78\nroot 61005 78\n", "\(result.errors)")
        }
    }

    @Test("what root names by hand is read as root: the files of --header, and $REPORTS_CONFIG with what it names")
    func namedByHand() async throws {
        try await MachinePlaces.withUnnamedSpool { tool in
            let result = try await MachinePlaces.run(
                tool,
                """
                \(Self.spoolOfNobody)
                mkdir -m 700 /etc/own
                echo 'A: secret' > /etc/own/headers
                echo secret > /etc/own/token
                echo '{"headers": {"B": {"file": "token"}}, "max_count": 7}' > /etc/own/named.json
                "$reports" settings --spool "$home/spool" --header @/etc/own/headers
                export REPORTS_CONFIG=/etc/own/named.json
                "$reports" settings --spool "$home/spool"
                "$reports" status --spool "$home/spool"
                "$reports" doctor --repair --spool "$home/spool"
                "$reports" retry --all --spool "$home/spool"
                as_nobody "$reports" settings --spool "$home/spool" || echo "owner $?"
                """)
            if result.status == 99 { return }
            #expect(result.status == 0, "\(result.errors)")
            #expect(result.output.contains("--header @/etc/own/headers"), "\(result.output)")
            #expect(result.output.contains("headers.B:  ***  (/etc/own/named.json)"), "\(result.output)")
            #expect(result.output.contains(ReportsTool.wellWords), "\(result.output)")
            #expect(result.output.hasSuffix("owner 78\n"), "\(result.output)")
            #expect(!result.output.contains("secret"))
        }
    }

    @Test("the machine's spool is the default of root and of its owner; doctor names the one that was left")
    func defaultSpool() async throws {
        try await MachinePlaces.withUnnamedSpool { tool in
            let result = try await MachinePlaces.run(
                tool,
                """
                echo one > "$home/one"
                "$reports" add "$home/one" > /dev/null
                "$reports" settings | grep spool
                mkdir -m 700 /var/lib/reports
                "$reports" settings | grep spool
                chown 65534:65534 /var/lib/reports
                as_nobody "$reports" add --spool /var/lib/reports "$home/one" > /dev/null
                "$reports" settings | grep spool
                as_nobody "$reports" settings | grep spool
                HOME="$home/other" setpriv --reuid=12345 --regid=12345 --clear-groups "$reports" settings | grep spool
                echo two > "$home/two"
                "$reports" add "$home/two" > /dev/null
                find /var/lib/reports ! -uid 65534
                "$reports" list | wc -l
                "$reports" doctor
                """)
            if result.status == 99 { return }
            #expect(result.status == 0, "\(result.errors)")
            let lines = result.output.split(separator: "\n").map { $0.split(separator: " ").joined(separator: " ") }
            let own = "\(tool.home)/.local/state/reports"
            let spools = lines.prefix(5)
            #expect(
                spools == [
                    "spool \(own) default", "spool \(own) default", "spool /var/lib/reports default",
                    "spool /var/lib/reports default", "spool \(tool.home)/other/.local/state/reports default",
                ], "\(result.output)")
            // Two reports and the header; all of it is the owner's.
            #expect(lines.dropFirst(5).first == "3", "\(result.output)")
            let note =
                "note: \(own): is a spool that is not looked at any more, because /var/lib/reports is the default now: "
                + "'reports submit --spool \(own)' sends what is in it"
            #expect(lines.contains(note), "\(result.output)")
        }
    }
}
