import Diagnosis
import Foundation
import TestSupport
import Testing

@Suite("The options of list")
struct ListTests {
    /// A crash whose signature follows from the function.
    private static func crash(in function: String, _ detail: String) -> String {
        "panic: \(detail)\n\ngoroutine 1 [running]:\nmain.\(function)(0x1)\n\t/src/main.go:10 +0x1d\nexit status 2\n"
    }

    @Test(
        "a value that is none is a usage error that says what is expected",
        arguments: [
            ("--since yesterday", "--since yesterday: give a time as 2026-11-28T06:00:00Z"),
            ("--since 7w", "or how long ago, a whole number from 1 with s, m, h or d"),
            ("--since -7d", "--since -7d: give"), ("--since 0d", "--since 0d: give"),
            ("--since 2026-02-30", "--since 2026-02-30: give"), ("--since", "Missing value for '--since <time>'"),
            ("--signature 12345", "--signature 12345: give its 16 digits 0-9 a-f, or the first 6 or more"),
            ("--signature 0123456789abcdef0", "give its 16 digits"), ("--signature 12345g", "give its 16 digits"),
            ("--signature=", "Missing value"), ("--annotation service", "--annotation service: write key=value"),
            ("--annotation =shop", "--annotation =shop: write key=value"),
            ("--annotation b@d=1", "--annotation b@d=1: \"b@d\" is no annotation key"),
            ("--annotation", "Missing value for '--annotation <key=value>'"),
            ("--group=1", "The option '--group' does not take any value"),
            ("--group --limit 0", "--limit 0: give a number from 1"),
        ])
    func usage(line: String, says: String) async throws {
        try await withTool { tool in
            let result = try await tool.run(["list"] + line.split(separator: " ").map(String.init))
            #expect(result.status == 64)
            #expect(result.errors.contains(says), "\(result.errors)")
            #expect(result.output.isEmpty)
        }
    }

    @Test("an annotation that is too long to be kept is a usage error, and a terminal shows no control of it")
    func longAnnotation() async throws {
        try await withTool { tool in
            let value = "\u{1b}[2J" + String(repeating: "x", count: 1_100)
            let result = try await tool.run("list", "--annotation", "k=" + value)
            #expect(result.status == 64)
            #expect(result.errors.contains("at most 1024 are kept"), "\(result.errors)")
            #expect(!result.errors.contains("\u{1b}"))
        }
    }

    @Test(
        "--since takes a time, a date, seconds and how long ago",
        arguments: ["1h", "@1", "2020-01-01", "2020-01-01 06:00"])
    func since(time: String) async throws {
        try await withTool { tool in
            let id = try await tool.add("one")
            #expect(try await tool.objects("list", "--since", time).map { $0["id"]?.stringValue } == [id])
            #expect(try await tool.objects("list", "--since", "2120-01-01").isEmpty)
            // West of Greenwich it is earlier: an offset counts.
            let now = Date()
            let formatter = ISO8601DateFormatter()
            formatter.timeZone = TimeZone(secondsFromGMT: -11 * 3_600)
            for (seconds, count) in [(-60.0, 1), (60, 0)] {
                let text = formatter.string(from: now.addingTimeInterval(seconds))
                #expect(text.hasSuffix("-11:00"))
                #expect(try await tool.objects("list", "--since", text).count == count)
            }
        }
    }

    @Test("each option selects, in both forms of output, and all of them together")
    func selection() async throws {
        try await withTool { tool in
            let first = try await tool.add(
                Self.crash(in: "pay", "1"), "--annotate", "service=shop", "--annotate", "note=a=b, \"50%\" \u{1b}[31m")
            let second = try await tool.add(Self.crash(in: "pay", "2"), "--annotate", "Service=cart")
            try await tool.add("just a line", "--kind", "log")
            try tool.drop("drop", as: "drop")
            let signature = try #require(try await tool.show(first)["signature"]?.stringValue)
            func ids(_ options: String...) async throws -> Set<String?> {
                let objects = try await tool.run(["list", "--json"] + options).objects
                let table = try await tool.run(["list"] + options)
                #expect(table.status == 0)
                // A header, or that there is none.
                #expect(table.output.split(separator: "\n").count == objects.count + 1)
                #expect(!table.output.unicodeScalars.contains { $0.value < 0x20 && $0 != "\n" })
                return Set(objects.map { $0["id"]?.stringValue })
            }
            #expect(try await ids("--signature", signature) == [first, second])
            #expect(try await ids("--signature", String(signature.prefix(6)).uppercased()) == [first, second])
            #expect(try await ids("--annotation", "service=cart") == [second])
            #expect(try await ids("--annotation", "note=a=b, \"50%\" \u{1b}[31m") == [first])
            #expect(try await ids("--annotation", "service=shop", "--annotation", "service=cart") == [])
            #expect(try await ids("--undelivered", "--kind", "crash") == [first, second])
            #expect(try await ids("--undelivered", "--state", "incoming") == [nil])
            #expect(try await ids("--since", "1d", "--signature", signature, "--annotation", "SERVICE=shop") == [first])
            #expect(try await ids("--state", "delivered", "--undelivered") == [])
        }
    }

    @Test("the table has columns for service and version only if a report has one; what is long is cut")
    func columns() async throws {
        try await withTool { tool in
            try await tool.add("plain", "--kind", "log")
            var table = try await tool.run("list").output
            #expect(!table.contains("SERVICE") && !table.contains("VERSION"))
            try await tool.add(
                "named", "--kind", "log", "--annotate", "service.name=a-service-with-a-long-name\u{1b}[2J")
            table = try await tool.run("list").output
            #expect(table.contains("  SERVICE           SUMMARY\n"), "\(table)")
            #expect(table.contains("  a-service-with-…  named\n"), "\(table)")
            #expect(table.contains("  -                 plain\n"), "\(table)")
            #expect(!table.contains("VERSION") && !table.contains("\u{1b}"))
            let marks = String(repeating: "\u{301}", count: 300)
            try await tool.add("marked", "--kind", "log", "--annotate", "service=e" + marks)
            table = try await tool.run("list").output
            #expect(table.contains("marked\n") && table.unicodeScalars.count { $0 == "\u{301}" } < 100)
            try await tool.add("both", "--kind", "log", "--annotate", "service=shop", "--annotate", "version=2.1")
            table = try await tool.run("list", "--since", "1d").output
            #expect(table.contains("  SERVICE           VERSION       SUMMARY\n"), "\(table)")
            #expect(table.contains("  shop              2.1           both\n"), "\(table)")
        }
    }

    @Test("a report that names its service only after many that do not gets a header of its own")
    func lateColumns() async throws {
        try await withTool { tool in
            try await tool.add("the oldest", "--kind", "log", "--annotate", "service=shop")
            let files = try (0..<250).map { try tool.file("f\($0)", "number \($0)") }
            #expect(try await tool.run(["add", "--kind", "log"] + files).status == 0)
            let lines = try await tool.run("list").output.split(separator: "\n")
            let headers = lines.indices.filter { lines[$0].hasPrefix("ID ") }
            #expect(headers == [0, 251])
            #expect(!lines[0].contains("SERVICE"))
            #expect(lines[251].contains("SERVICE"))
            #expect(lines[252].hasSuffix("shop              the oldest"))
            #expect(lines.count == 253)
        }
    }

    @Test("--group is one line a signature, and one for each kind without")
    func groups() async throws {
        try await withTool { tool in
            for (number, version) in ["2.9", "2.10", "2.10"].enumerated() {
                let text = Self.crash(in: "pay", "\(number)")
                try await tool.add(text, "--annotate", "service=shop", "--annotate", "version=\(version)")
            }
            try await tool.add(Self.crash(in: "ship", "\u{1b}[2J"), "--annotate", "service=ship\u{202e}")
            try await tool.add("a line", "--kind", "log")
            try tool.drop("drop", as: "drop")
            let objects = try await tool.objects("list", "--group")
            #expect(objects.map { $0.count("count") } == [1, 1, 1, 3])
            #expect(objects.map { $0["signature"]?.stringValue == nil } == [true, true, false, false])
            #expect(objects[3]["versions"]?.description == #"["2.9","2.10"]"#)
            #expect(objects[3]["states"]?.description == #"{"queued":3}"#)
            let table = try await tool.run("list", "--group")
            #expect(table.status == 0)
            let lines = table.output.split(separator: "\n")
            #expect(lines.count == 5)
            #expect(lines[0].hasPrefix("SIGNATURE         KIND          COUNT     SEEN  FIRST SEEN        LAST SEEN"))
            #expect(lines[0].hasSuffix("  SERVICE           VERSION       SUMMARY"))
            #expect(lines[1].hasPrefix("no signature      -                 1        1  "))
            #expect(lines[1].hasSuffix("  -                 -             [incoming 1]"), "\(lines[1])")
            #expect(lines[2].hasPrefix("no signature      log               1        1  "))
            #expect(lines[4].contains("  shop              2.9, 2.10     go: panic"), "\(lines[4])")
            #expect(lines[4].hasSuffix(" [queued 3]"))
            #expect(!table.output.contains("\u{1b}") && !table.output.contains("\u{202e}"))
            #expect(try await tool.objects("list", "--group", "--limit", "2").count == 2)
            let newer = try await tool.objects("list", "--group", "--annotation", "version=2.10")
            #expect(newer.map { $0.count("count") } == [2])
            #expect(try await tool.run("list", "--group", "--kind", "hang").output == "no reports\n")
            #expect(try await tool.run("list", "--group", "--kind", "hang", "--json").output == "")
        }
    }
}
