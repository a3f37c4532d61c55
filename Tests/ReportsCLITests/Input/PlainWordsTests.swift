import Reports
import Testing

@testable import ReportsCLI

/// `submit` is understood without the argument parser when it is written plainly, and as the parser understands it.
struct PlainWordsTests {
    private static let values = [
        "--spool": "/var/spool/shop", "--endpoint": "https://example.com/{id}", "--header": "A: b",
        "--encoding": "file",
        "--acknowledgement": "header:A", "--tls-authorities": "a.pem", "--tls-certificate": "c.pem",
        "--tls-key": "k.pem", "--tls-minimum": "1.3", "--proxy": "none", "--no-proxy": "a,b",
        "--connect-timeout": "1", "--idle-timeout": "2", "--answer-timeout": "3", "--max-concurrent": "4",
        "--deadline": "2.5", "--wait": "0",
    ]
    private static let flags = ["--json", "--force-remote", "--shared"]

    private static func expectSame(_ words: [String]) throws {
        let plain = try #require(Submitting(plain: words), "\(words)")
        let parsed = try Submit.parse(words).submitting
        #expect(plain.global.spool == parsed.global.spool, "\(words)")
        #expect(plain.global.json == parsed.global.json, "\(words)")
        #expect(plain.global.forceRemote == parsed.global.forceRemote, "\(words)")
        #expect(plain.global.shared == parsed.global.shared, "\(words)")
        #expect(plain.given == parsed.given, "\(words)")
        #expect(plain.headers == parsed.headers, "\(words)")
        #expect(plain.deadline == parsed.deadline, "\(words)")
        #expect(plain.wait == parsed.wait, "\(words)")
    }

    @Test("Every option that the help names, in either form, and all together")
    func everyOption() throws {
        let help = Submit.helpMessage().split(separator: "\n").filter { $0.hasPrefix("  --") }
        let names = Set(help.map { String($0.dropFirst(2).prefix { $0 != " " }) }).subtracting(["--version"])
        #expect(names == Set(Self.values.keys).union(Self.flags))
        try Self.expectSame([])
        for flag in Self.flags { try Self.expectSame([flag]) }
        for (name, value) in Self.values {
            try Self.expectSame([name, value])
            try Self.expectSame([name + "=" + value])
        }
        try Self.expectSame(Self.values.flatMap { [$0.key, $0.value] } + Self.flags)
        try Self.expectSame(["--header", "A: b", "--header=C: d=e", "--header", "A: b"])
        try Self.expectSame(["--endpoint=https://example.com/?a=b"])
    }

    @Test(
        "What is not plain, or wrong, is the parser's",
        arguments: [
            ["--help"], ["-h"], ["extra"], ["--"], ["--json=yes"], ["--json", "--json"], ["--spool"], ["--spool", ""],
            ["--spool="], ["--spool", "a", "--spool", "b"], ["--header", "--json"], ["--deadline", "soon"],
            ["--deadline", "-1"], ["--deadline=-1"], ["--wait", "nan"], ["--wait", "31536001"], ["--endpoin", "x"],
            ["--max-count", "5"], ["--version"], ["--max_concurrent", "5"], ["--endpoint", "-"],
        ])
    func others(words: [String]) {
        let isPlain = Submitting(plain: words) != nil
        #expect(!isPlain)
    }
}
