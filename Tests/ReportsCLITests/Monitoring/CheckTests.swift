import Foundation
import Reports
import TestSupport
import Testing

/// `reports check` in each situation that it is to tell of, made with a real server; and all well again afterwards.
@Suite("reports check", .timeLimit(.minutes(5)))
struct CheckTests {
    /// Runs `body` with a tool that has an endpoint, which is not where the server is.
    private func withEndpoint(
        _ script: ServerScript = .accepting, _ body: (ReportsTool, LoopbackServer) async throws -> Void
    ) async throws {
        try await withTool(server: script) { tool, server in
            var tool = tool
            tool.environment["REPORTS_ENDPOINT"] = "http://127.0.0.1:9/{id}"
            try await body(tool, server)
        }
    }

    /// A check's status and its one line.
    private func check(_ tool: ReportsTool, _ options: String...) async throws -> (status: Int32, line: String) {
        let result = try await tool.run(["check"] + options)
        #expect(result.stdout.count { $0 == UInt8(ascii: "\n") } == 1, "\(result.output)")
        #expect(result.stdout.last == UInt8(ascii: "\n"))
        #expect(result.errors == "")
        return (result.status, String(result.output.dropLast()))
    }

    private func expectWell(
        _ tool: ReportsTool, _ options: String..., location: SourceLocation = #_sourceLocation
    )
        async throws
    {
        let result = try await tool.run(["check"] + options)
        #expect(result.status == 0, "\(result.output)", sourceLocation: location)
        #expect(result.output.hasPrefix("REPORTS OK - "), sourceLocation: location)
    }

    /// Makes a report as old as nobody can wait for.
    private func age(_ tool: ReportsTool, hours: Int) throws {
        let milliseconds = hours * 3_600_000
        try tamper(
            with: tool.spool + "/ledger.sqlite",
            """
            UPDATE transfer SET first_seen_wall=first_seen_wall-\(milliseconds),
              settled_at=settled_at-\(milliseconds)
            """)
    }

    @Test("an expired token is critical at once, and its renewal ends it")
    func expiredToken() async throws {
        let script = ServerScript { $0.headers["Authorization"] == "Bearer new" ? .response(201) : .response(401) }
        try await withEndpoint(script) { tool, server in
            try await tool.add("one")
            try await expectWell(tool)
            #expect(try await tool.submit(to: server, "--header", "Authorization: Bearer old").status == 75)
            let (status, line) = try await check(tool)
            #expect(status == 2)
            let words = "1 report held for http://127.0.0.1:\(server.port) (auth): the server wants other credentials"
            #expect(
                line.hasPrefix(
                    "REPORTS CRITICAL - \(words): correct the header, see 'reports settings'; "
                        + "'reports list --state held' "), "\(line)")
            #expect(try await tool.submit(to: server, "--header", "Authorization: Bearer new").status == 0)
            try await expectWell(tool)
        }
    }

    @Test("a dead server is critical once a report is too old, and its return ends it")
    func deadServer() async throws {
        let nobody = try RefusingPort()
        try await withTool(server: .accepting) { tool, server in
            try await tool.add("one")
            #expect(try await tool.run("submit", "--endpoint", nobody.url("/{id}")).status == 75)
            try await expectWell(tool)
            try age(tool, hours: 26)
            let (status, line) = try await check(tool)
            #expect(status == 2)
            #expect(line.hasPrefix("REPORTS CRITICAL - undelivered for 26 h: http://127.0.0.1:"), "\(line)")
            #expect(line.contains("Connection refused"))
            try await expectWell(tool, "--max-age", "27h")
            #expect(try await tool.submit(to: server).status == 0)
            try await expectWell(tool)
        }
    }

    @Test("a server that asks for patience is no problem")
    func patience() async throws {
        try await withTool(server: .always(.response(503, headers: [("Retry-After", "3600")]))) { tool, server in
            try await tool.add("one")
            #expect(try await tool.submit(to: server).status == 75)
            try await expectWell(tool)
        }
    }

    @Test("a rejected report is a warning until a person has it sent again")
    func rejected() async throws {
        let isMended = Gate()
        let script = ServerScript { _ in isMended.isOpen ? .response(201) : .response(400) }
        try await withTool(server: script) { tool, server in
            let id = try await tool.add("one")
            #expect(try await tool.submit(to: server).status == 65)
            let (status, line) = try await check(tool)
            #expect(status == 1)
            #expect(
                line.hasPrefix("REPORTS WARNING - 1 report rejected by the server; 'reports list --state rejected' "))
            try await expectWell(tool, "--max-parked", "1")
            isMended.open()
            _ = try await tool.run("retry", id)
            #expect(try await tool.submit(to: server).status == 0)
            try await expectWell(tool)
        }
    }

    @Test("an eviction is critical for as long as is asked, whatever is delivered meanwhile")
    func evicted() async throws {
        let isMended = Gate()
        let script = ServerScript { _ in isMended.isOpen ? .response(201) : .response(500) }
        try await withTool(server: script) { tool, server in
            var tool = tool
            tool.environment["REPORTS_MAX_COUNT"] = "2"
            for number in 1...3 { try await tool.add("report \(number)") }
            #expect(try await tool.submit(to: server).status == 65)
            let (status, line) = try await check(tool)
            #expect(status == 2)
            #expect(line.hasPrefix("REPORTS CRITICAL - 1 report evicted undelivered in the last 24 h; "), "\(line)")
            #expect(line.contains("the spool is full: 2 of 2 reports"))
            isMended.open()
            _ = try await tool.run("retry", "--all")
            #expect(try await tool.submit(to: server).status == 0)
            #expect(try await check(tool).line.contains("evicted") == true)
            #expect(try await check(tool).status == 2)
            try age(tool, hours: 5)
            #expect(try await check(tool).status == 2)
            try await expectWell(tool, "--since", "4h")
        }
    }

    @Test("a spool that is full by its bytes is told of, and delivery ends it")
    func full() async throws {
        try await withEndpoint { tool, server in
            var tool = tool
            tool.environment["REPORTS_MAX_TOTAL_SIZE"] = "100000"
            var generator = SeededGenerator(seed: 1)
            for number in 1...2 {
                let bytes = (0..<49_000).map { _ in UInt8.random(in: 0...255, using: &generator) }
                #expect(try await tool.run("add", tool.file("\(number)", bytes: bytes)).status == 0)
            }
            let (status, line) = try await check(tool)
            #expect(status == 1)
            #expect(line.hasPrefix("REPORTS WARNING - the spool is nearly full: 98"), "\(line)")
            tool.environment["REPORTS_MAX_TOTAL_SIZE"] = "90000"
            #expect(try await check(tool).line.hasPrefix("REPORTS CRITICAL - the spool is full: "))
            #expect(try await tool.submit(to: server).status == 0)
            try await expectWell(tool)
        }
    }

    @Test("a disk without the space that must stay free, and a setting that is wrong")
    func diskAndSettings() async throws {
        try await withEndpoint { tool, _ in
            var tool = tool
            try await tool.add("one")
            tool.environment["REPORTS_MIN_FREE_SPACE"] = "1000TiB"
            #expect(try await check(tool).line.hasPrefix("REPORTS CRITICAL - nothing is taken in: "))
            tool.environment["REPORTS_MIN_FREE_SPACE"] = "much"
            let (status, line) = try await check(tool)
            #expect(status == 2)
            #expect(line.hasPrefix("REPORTS CRITICAL - no submit can run: $REPORTS_MIN_FREE_SPACE: expected bytes"))
        }
    }

    @Test("a drop that cannot be taken is a warning until it is gone")
    func leftDrop() async throws {
        try await withEndpoint { tool, _ in
            try await tool.add("one")
            let folder = tool.spool + "/incoming/folder.log"
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
            let (status, line) = try await check(tool)
            #expect(status == 1)
            #expect(
                line.hasPrefix(
                    "REPORTS WARNING - a drop cannot be taken: incoming/folder.log is a directory, not a file; ")
            )
            try FileManager.default.removeItem(atPath: folder)
            try await expectWell(tool)
        }
    }

    @Test("a ledger that is gone or damaged is critical until a submit has rebuilt it")
    func lostLedger() async throws {
        try await withTool(server: .always(.response(503))) { tool, server in
            try await tool.add("one")
            #expect(try await tool.submit(to: server).status == 75)
            let ledger = tool.spool + "/ledger.sqlite"
            try damageTable("transfer", in: ledger)
            #expect(try await check(tool).line.hasPrefix("REPORTS CRITICAL - the ledger is damaged; "))
            try FileManager.default.removeItem(atPath: ledger)
            #expect(try await check(tool).line.hasPrefix("REPORTS CRITICAL - there is no ledger; "))
            #expect(try await tool.submit(to: server).status == 75)
            try await expectWell(tool)
        }
    }

    @Test("a report that waits without any endpoint is critical, until a submit has had one or a setting names one")
    func noEndpoint() async throws {
        try await withTool(server: .always(.response(503))) { tool, server in
            try await tool.add("one")
            let found = try await check(tool)
            #expect(found.status == 2)
            #expect(found.line.hasPrefix("REPORTS CRITICAL - no endpoint is set: nothing can be sent; name your "))
            #expect(try await tool.run("metrics").output.contains(/reports_settings_problem\{[^}]*\} 1\n/))
            #expect(try await tool.run("status").output.contains("\nendpoint:  none: --endpoint, $REPORTS_ENDPOINT, "))
            var named = tool
            named.environment["REPORTS_ENDPOINT"] = server.url("/{id}")
            try await expectWell(named)
            #expect(try await !named.run("status").output.contains("none: --endpoint"))
            // An option has named it, and may do so again.
            #expect(try await tool.submit(to: server).status == 75)
            try await expectWell(tool)
            #expect(try await tool.run("metrics").output.contains(/reports_settings_problem\{[^}]*\} 0\n/))
        }
    }

    @Test("where nothing waits, a missing endpoint is no problem: a program may name its own")
    func noEndpointYet() async throws {
        try await withTool(server: .accepting) { tool, server in
            #expect(try await tool.submit(to: server).status == 0)
            try await expectWell(tool)
        }
    }

    @Test("the message about a time says what one is")
    func timeOfZero() async throws {
        try await withTool { tool in
            try await tool.add("one")
            let line = try await tool.run("check", "--max-age", "0s").output
            #expect(line.hasPrefix("REPORTS UNKNOWN - --max-age 0s: give a whole number from 1 with s, m, h or d, "))
        }
    }

    // MARK: - Unknown

    @Test(
        "a wrong command line is UNKNOWN, on standard output",
        arguments: [
            ["check", "--max-age", "5"], ["check", "--max-age"], ["check", "--max-parked", "-1"],
            ["check", "--since=1w"],
            ["check", "--bogus"], ["check", "surplus"], ["--json", "check", "--max-age", "0s"], ["--bogus", "check"],
        ])
    func usage(arguments: [String]) async throws {
        try await withTool { tool in
            try await tool.add("one")
            let result = try await tool.run(arguments)
            #expect(result.status == 3)
            #expect(result.errors == "")
            #expect(result.stdout.count { $0 == UInt8(ascii: "\n") } == 1)
            if arguments.contains("--json") {
                #expect(try result.objects.first?["status"] == .string("unknown"))
            } else {
                #expect(result.output.hasPrefix("REPORTS UNKNOWN - "))
            }
        }
    }

    @Test("a spool that is not there, not made yet, too new, locked or not ours is UNKNOWN")
    func noSpool() async throws {
        try await withTool { tool in
            #expect(try await check(tool).status == 3)
            #expect(try await check(tool).line.hasPrefix("REPORTS UNKNOWN - there is no spool at \(tool.spool), "))
            var other = tool
            other.environment["REPORTS_SPOOL"] = nil
            #expect(try await check(other).status == 3)

            try await tool.add("one")
            try await whileLedgerIsLocked(tool.spool + "/ledger.sqlite", "EXCLUSIVE") {
                let start = ContinuousClock.now
                let found = try await check(tool)
                #expect(found.status == 3)
                #expect(found.line.hasPrefix("REPORTS UNKNOWN - another program keeps the ledger locked"))
                #expect(ContinuousClock.now - start < .seconds(5))
            }
            try tamper(with: tool.spool + "/ledger.sqlite", "PRAGMA user_version=99")
            #expect(try await check(tool).status == 3)
            try Data("2\n".utf8).write(to: URL(fileURLWithPath: tool.spool + "/VERSION"))
            #expect(try await check(tool).status == 3)
        }
    }

    @Test(
        "a disk that does not answer for 12 s is UNKNOWN before that",
        .enabled(if: findExecutable("strace") != nil, "needs strace"))
    func hangingDisk() async throws {
        try await withTool { tool in
            try await tool.add("one")
            // The tracer itself waits until the call is over.
            let result = try await tool.shell(
                "strace -f -qq -o /dev/null -e trace=fstatfs -e inject=fstatfs:delay_enter=12000000 $reports check")
            #expect(result.status == 3)
            #expect(result.output == "REPORTS UNKNOWN - no answer within 8 s: the spool's disk does not answer\n")
        }
    }

    @Test("a line that cannot be written is UNKNOWN, and one that nobody reads changes nothing")
    func output() async throws {
        try await withEndpoint { tool, _ in
            try await tool.add("one")
            #expect(try await tool.shell("$reports check > /dev/full").status == 3)
            #expect(try await tool.shell("{ $reports check --max-age 5; echo $? >&2; } | true").errors == "3\n")
        }
    }

    // MARK: - Forms

    @Test("the figures have the form that monitoring systems read")
    func performance() async throws {
        try await withEndpoint { tool, _ in
            try await tool.add("one")
            let parts = try await check(tool).line.components(separatedBy: " | ")
            #expect(parts.count == 2)
            let figures = parts[1].split(separator: " ")
            #expect(figures.count == 10)
            for figure in figures {
                #expect(
                    figure.wholeMatch(of: /[a-z_]+=[0-9]+(s|B)?;([0-9]*;[0-9]*:?;[0-9]+(;[0-9]+)?)/) != nil, "\(figure)"
                )
            }
        }
    }

    @Test("--json gives one object with the problems and the figures")
    func json() async throws {
        try await withTool(server: .always(.response(400))) { tool, server in
            try await tool.add("one")
            _ = try await tool.submit(to: server)
            let result = try await tool.run("check", "--json")
            #expect(result.status == 1)
            let objects = try result.objects
            #expect(objects.count == 1)
            let object = try #require(objects.first)
            #expect(object["status"] == .string("warning"))
            #expect(object.count("code") == 1)
            #expect(object.count("parked") == 1)
            let problem = try #require(object["problems"]?.arrayValue?.first)
            #expect(problem["problem"] == .string("parked"))
            #expect(problem["level"] == .string("warning"))
            #expect(problem["message"] == .string("1 report rejected by the server"))
        }
    }

    @Test("a look at a spool changes nothing in it")
    func readsOnly() async throws {
        try await withTool(server: .always(.response(401))) { tool, server in
            try await tool.add("one")
            _ = try await tool.submit(to: server)
            try tool.drop("waits", as: "core.1")
            func state() throws -> [String] {
                try tool.allFiles().map { name in
                    let facts = try FileManager.default.attributesOfItem(atPath: tool.spool + "/" + name)
                    let isIndex = name.hasSuffix("-shm")
                    return "\(name) \(isIndex ? "" : "\(facts[.size] ?? 0) \(facts[.modificationDate] ?? "")")"
                }
            }
            let before = try state()
            _ = try await tool.run("check")
            _ = try await tool.run("metrics")
            #expect(try state() == before)
        }
    }
}
