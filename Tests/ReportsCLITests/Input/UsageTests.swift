import Foundation
import Reports
import TestSupport
import Testing

@Suite("Arguments that cannot be")
struct UsageTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let arguments: [String]
        let status: Int32
        let says: String

        init(_ line: String, _ status: Int32, says: String) {
            arguments = line.isEmpty ? [] : line.split(separator: " ").map(String.init)
            self.status = status
            self.says = says
        }

        var testDescription: String { arguments.joined(separator: " ") }
    }

    static let cases = [
        Case("", 64, says: "Usage: reports <command>"),
        Case("--json", 64, says: "Usage: reports <command>"),
        Case("--spool", 64, says: "Missing value for '--spool"),
        Case("bogus", 64, says: "There is no command 'bogus'. Commands are add, submit, watch, list"),
        Case("sumbit", 64, says: "There is no command 'sumbit'. Did you mean 'submit'?"),
        Case("sumbit --endpoint http://127.0.0.1:9/", 64, says: "Did you mean 'submit'?"),
        Case("--json staus", 64, says: "Did you mean 'status'?"),
        Case("help lst", 64, says: "Did you mean 'list'?"),
        Case("--bogus list", 64, says: "Unknown option '--bogus'"),
        Case("list --spol x", 64, says: "Did you mean '--spool'?"),
        Case("list --state sleeping", 64, says: "states are incoming, queued"),
        Case("list --limit -1", 64, says: "--limit -1: give a number from 1"),
        Case("list --limit=-1", 64, says: "--limit -1: give a number from 1"),
        Case("list --limit 0", 64, says: "--limit 0: give a number from 1"),
        Case("list --limit --json", 64, says: "'--json' is invalid for '--limit"),
        Case("add", 64, says: "Missing expected argument '<file> ...'"),
        Case("add x --kind bug", 64, says: "'crash', 'hang', 'diagnostic', 'log' or 'other'"),
        Case("add x --annotate version", 64, says: "write key=value"),
        Case("add x --annotate b@d=1", 64, says: "b@d"),
        Case("show", 64, says: "Missing expected argument '<id>'"),
        Case("show 0123456789abcdef", 66, says: "there is no report 0123456789abcdef"),
        Case("show 01234", 65, says: "is no report id"),
        Case("show g1234567", 65, says: "is no report id"),
        Case("cat 0123456789abcdef", 66, says: "there is no report"),
        Case("retry 0123456789abcdef", 66, says: "there is no report"),
        Case("remove 0123456789abcdef", 66, says: "there is no report"),
        Case("retry", 64, says: "Give ids or --all"),
        Case("retry --all abcdef", 64, says: "not both"),
        Case("remove", 64, says: "Give one or more ids"),
        Case("submit", 78, says: "no endpoint: give --endpoint URL or set $REPORTS_ENDPOINT"),
        Case("submit --endpoint example.com/reports", 64, says: "write http:// or https:// in front"),
        Case("submit --endpoint ftp://example.com", 64, says: "scheme other than http and https"),
        Case("submit --endpoint http://", 64, says: "--endpoint"),
        Case("submit --endpoint http://127.0.0.1:9/{Id}", 64, says: "the marks are {id}, {kind}, {format}"),
        Case("submit --endpoint http://127.0.0.1:9/{id", 64, says: "has a { that opens no mark"),
        Case("submit --endpoint http://127.0.0.1:9/?k={secret}", 64, says: "has an unknown mark in its query"),
        Case("submit --endpont http://127.0.0.1:9/", 64, says: "Did you mean '--endpoint'?"),
        Case("submit --max-count 5", 64, says: "set max_count in the spool's reports.json, or $REPORTS_MAX_COUNT"),
        Case("submit --max_total_size=5", 64, says: "--max-total-size is no option"),
        Case("submit --endpoint http://user:secret@example.com/", 64, says: "send them in a header"),
        Case("submit --endpoint http://127.0.0.1:9/ --header Authorization", 64, says: "needs a colon"),
        Case("submit --endpoint http://127.0.0.1:9/ --header :x", 64, says: "is no header name"),
        Case("submit --endpoint http://127.0.0.1:9/ --header @/missing", 78, says: "No such file"),
        Case("submit --endpoint http://127.0.0.1:9/ --header Content-Length:5", 64, says: "Content-Length"),
        Case("submit --endpoint http://127.0.0.1:9/ --deadline soon", 64, says: "--deadline"),
        Case("submit --endpoint http://127.0.0.1:9/ --deadline -1", 64, says: "give seconds from 0 to a year"),
        Case("submit --endpoint http://127.0.0.1:9/ --connect-timeout -1", 64, says: "expected seconds, from 1 to"),
        Case("submit --endpoint http://127.0.0.1:9/ --wait nan", 64, says: "--wait"),
        Case("submit --endpoint http://127.0.0.1:9/ --max-concurrent 0", 64, says: "from 1 to 64"),
        Case("submit --endpoint", 64, says: "Missing value for '--endpoint <url>'"),
        Case("submit --endpoint --json", 64, says: "Missing value for '--endpoint <url>'"),
        Case("submit --endpoint http://127.0.0.1:9/ extra", 64, says: "Unexpected argument 'extra'"),
        Case("submit --json=yes", 64, says: "The option '--json' does not take any value"),
        Case("submit --spool=", 64, says: "Missing value for '--spool <dir>'"),
        Case("settings --endpoint example.com", 64, says: "write http:// or https:// in front"),
        Case("settings --max-count 5", 64, says: "set max_count in the spool's reports.json"),
    ]

    @Test("each has its status and says what is wrong, on stderr", arguments: cases)
    func eachHasItsStatusAndSaysWhatIsWrong(_ one: Case) async throws {
        try await withTool { tool in
            _ = try await tool.add("one report that must not suffer")
            let result = try await tool.run(one.arguments)
            #expect(result.status == one.status)
            #expect(result.errors.contains(one.says), "\(result.errors)")
            #expect(result.output.isEmpty)
            #expect(!result.errors.contains("secret"))
            #expect(tool.names(in: "collected").count == 1)
        }
    }

    @Test(
        "an unusable endpoint of the environment or the file is bad configuration: nothing is taken in, nothing sent",
        arguments: ["example.com", "URL/{Id}", "URL/{id", "URL/r}", "URL/{report_id}"])
    func unusableEndpointOfTheEnvironment(_ template: String) async throws {
        try await withTool(server: .accepting) { tool, server in
            var tool = tool
            try await tool.add("must wait")
            try tool.drop("must wait, too", as: "dropped.log")
            let endpoint = template.replacingOccurrences(of: "URL", with: server.url(""))
            let file = tool.spool + "/reports.json"
            try Data("{\"endpoint\": \"\(endpoint)\"}".utf8).write(to: URL(fileURLWithPath: file))
            let fromFile = try await tool.run("submit")
            #expect(fromFile.status == 78)
            #expect(
                fromFile.errors.contains("\(file): line 1, column 14: endpoint: the endpoint has"), "\(fromFile.errors)"
            )
            tool.environment["REPORTS_ENDPOINT"] = endpoint
            let fromEnvironment = try await tool.run("submit")
            #expect(fromEnvironment.status == 78)
            #expect(fromEnvironment.errors.contains("$REPORTS_ENDPOINT: the endpoint has"), "\(fromEnvironment.errors)")
            #expect(server.connectionCount == 0)
            #expect(tool.names(in: "incoming") == ["dropped.log"] && tool.names(in: "collected").count == 1)
        }
    }

    @Test("65 annotations, a key and a value above their bounds: 64, nothing is stored")
    func annotationsAboveTheirBounds() async throws {
        try await withTool { tool in
            let many = (1...65).flatMap { ["--annotate", "k\($0)=v"] }
            for arguments in [
                many, ["--annotate", String(repeating: "k", count: 65) + "=v"],
                ["--annotate", "k=" + String(repeating: "v", count: 1_025)], ["--annotate", "=v"],
            ] {
                let result = try await tool.run(["add", "-"] + arguments, input: [1])
                #expect(result.status == 64, "\(result.errors)")
            }
            #expect(tool.allFiles().filter { $0.hasSuffix(".gz") }.isEmpty)
            let most = (1...64).flatMap { ["--annotate", "k\($0)=" + String(repeating: "v", count: 700)] }
            #expect(try await tool.run(["add", "-"] + most, input: [1]).status == 0)
        }
    }

    @Test("a prefix that fits two reports is refused, a longer one is taken")
    func ambiguousPrefixIsRefused() async throws {
        try await withTool(server: .accepting) { tool, server in
            // SHA-256 of these begin alike: found by counting up.
            let (one, two) = ("prefix 2898", "prefix 4544")
            let ids = [try await tool.add(one), try await tool.add(two)]
            let common = String(zip(ids[0], ids[1]).prefix { $0 == $1 }.map(\.0))
            try #require(common.count >= 6)
            for _ in 1...2 {
                let ambiguous = try await tool.run("show", String(common.prefix(6)))
                #expect(ambiguous.status == 65)
                #expect(ambiguous.errors.contains("more than one report"))
                #expect(try await tool.run("cat", String(ids[0].prefix(12))).output == one)
                #expect(try await tool.run("cat", String(ids[1].prefix(12))).output == two)
                // Once from the files, once from the ledger.
                let nobody = try RefusingPort()
                _ = try await tool.run("submit", "--endpoint", nobody.url())
            }
        }
    }

    @Test("options may stand before and after the command")
    func optionsBeforeAndAfterTheCommand() async throws {
        try await withTool { tool in
            var tool = tool
            tool.environment["REPORTS_SPOOL"] = nil
            let spool = tool.home + "/elsewhere"
            let path = try tool.file("x", "x")
            #expect(try await tool.run("--spool", spool, "--json", "add", path).objects.count == 1)
            #expect(try await tool.run("--json", "--spool=" + spool, "list").objects.count == 1)
            #expect(try await tool.run("list", "--spool", spool, "--json").objects.count == 1)
            #expect(try await tool.run("list", "--json").objects.isEmpty)
        }
    }

    @Test(
        "submit takes every option in each form, and means the same",
        arguments: [
            ("--endpoint", "ftp://example.com", "other than http and https"), ("--encoding", "zip", "identity"),
            ("--header", "Authorization", "needs a colon"), ("--acknowledgement", "body:x", "header:NAME"),
            ("--tls-authorities", "/missing", "/missing"), ("--tls-certificate", "/missing", "/missing"),
            ("--tls-key", "/missing", "certificate"), ("--tls-minimum", "1.1", "1.2 or 1.3"),
            ("--proxy", "ftp://proxy", "--proxy"),
            ("--connect-timeout", "0", "from 1 to 86400"), ("--idle-timeout", "x", "from 1 to 86400"),
            ("--answer-timeout", "86401", "from 1 to 86400"), ("--max-concurrent", "65", "from 1 to 64"),
            ("--deadline", "soon", "--deadline"), ("--wait", "31536001", "--wait"),
        ])
    func submitOptionsInEachForm(option: String, value: String, says: String) async throws {
        try await withTool { tool in
            let command = ["submit"] + (option == "--endpoint" ? [] : ["--endpoint", "http://127.0.0.1:9/"])
            let apart = try await tool.run(command + [option, value])
            let joined = try await tool.run(command + [option + "=" + value])
            let before = try await tool.run([command[0], option, value] + command.dropFirst())
            #expect(apart.status != 0)
            #expect(apart.errors.contains(says), "\(apart.errors)")
            for other in [joined, before] {
                #expect(other.status == apart.status)
                #expect(other.errors == apart.errors)
            }
        }
    }

    @Test("help is asked for, and on stdout")
    func helpIsOnStandardOutput() async throws {
        try await withTool { tool in
            for arguments in [["--help"], ["help"], ["add", "-h"], ["help", "add"], ["--json", "list", "--help"]] {
                let result = try await tool.run(arguments)
                #expect(result.status == 0 && result.errors.isEmpty && result.output.contains("USAGE"))
            }
            #expect(try await tool.run("--version").output == ReportsVersion.current + "\n")
        }
    }
}
