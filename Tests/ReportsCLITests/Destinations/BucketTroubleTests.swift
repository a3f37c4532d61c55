import Diagnosis
import DurableIO
import Foundation
import Reports
import TestSupport
import Testing

/// What a person is told when a bucket does not take reports, by judges that really refuse them.
@Suite("A bucket that takes no reports", .timeLimit(.minutes(5)))
struct BucketTroubleTests {
    @Test("a wrong secret, and a key that it does not know", .needs(.openStackSwift), .needs(.rclone))
    func wrongKeys() async throws {
        let (id, secret) = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
        let mismatch = "(SignatureDoesNotMatch): the secret key is wrong"
        for (judge, name, value, text) in [
            (.openStackSwift, secret, "wrong-secret", mismatch), (.openStackSwift, id, "test:nobody", mismatch),
            (.rclone, secret, "wrong-secret", mismatch),
            (.rclone, id, "nobody", "(InvalidAccessKeyId): it does not know the access key"),
        ] as [(Judge, String, String, String)] {
            try await withTool(judge: judge) { tool, server in
                let wrong = tool.with([name: value])
                let words = try await wrong.words(at: server.endpoint("crashes"))
                words.expect("held(auth)", text)
                #expect(!words.description.contains(value))
                // With the right key everything goes out.
                let mended = try await tool.run("submit", "--endpoint", server.endpoint("crashes"))
                #expect(mended.status == 0, "\(mended.output)\(mended.errors)")
                #expect(try await server.objects(in: "crashes").count == 1)
            }
        }
    }

    @Test("a bucket that there is not", .needs(.openStackSwift), .needs(.moto), .needs(.rclone))
    func wrongBucket() async throws {
        for judge in [Judge.openStackSwift, .moto, .rclone] {
            try await withTool(judge: judge) { tool, server in
                let words = try await tool.words(at: server.endpoint("nowhere"))
                words.expect("held(destination)", "(NoSuchBucket): there is no such bucket")
                try await server.makeBucket("nowhere")
                let mended = try await tool.run("submit", "--endpoint", server.endpoint("nowhere"))
                #expect(mended.status == 0, "\(mended.output)\(mended.errors)")
            }
        }
    }

    @Test("a region that is not the bucket's", .needs(.openStackSwift))
    func wrongRegion() async throws {
        try await withTool(judge: .openStackSwift) { tool, server in
            let words = try await tool.words(at: server.endpoint("crashes", region: "eu-central-1"))
            words.expect("held(redirect)", "the bucket is in the region us-east-1: write region=us-east-1")
            let mended = try await tool.run("submit", "--endpoint", server.endpoint("crashes"))
            #expect(mended.status == 0, "\(mended.output)\(mended.errors)")
        }
    }

    @Test("a clock that is 20 minutes off costs one request, not the reports", .needs(.openStackSwift))
    func clock() async throws {
        for offset in ["1200", "-1200"] {
            try await withTool(judge: .openStackSwift, "--clock", offset) { tool, server in
                let front = try LoopbackServer(.forwarding(to: server.peer.port))
                defer { front.stop() }
                for number in 1...5 { try await tool.add("report \(number)") }
                let endpoint = "s3://crashes?endpoint=\(front.url())"
                let result = try await tool.run("submit", "--endpoint", endpoint, "--max-concurrent", "1")
                #expect(result.status == 0, "\(offset): \(result.output)\(result.errors)")
                #expect(front.requests.count == 6, "the offset holds for the run")
                #expect(try await server.objects(in: "crashes").count == 5)
            }
        }
    }

    @Test("the tool's own clock 20 minutes off", .needs(.openStackSwift), .enabled(if: hasFaketime, "needs faketime"))
    func ownClock() async throws {
        for offset in ["+20m", "-20m"] {
            try await withTool(judge: .openStackSwift) { tool, server in
                try await tool.add("report")
                let submit = ["submit", "--endpoint", server.endpoint("crashes")]
                let result = try await runAsynchronously(
                    "faketime", ["-f", offset, ReportsTool.path] + submit, environment: tool.environment)
                #expect(result.status == 0, "\(offset): \(result.output)\(result.errors)")
                #expect(try await server.objects(in: "crashes").count == 1)
            }
        }
    }

    private static let hasFaketime = findExecutable("faketime") != nil

    @Test("a server that takes no time at all for right says so, and so do expired credentials")
    func refusedForGood() async throws {
        for (code, reason, text) in [
            ("RequestTimeTooSkewed", "clock", "the clock of this machine is 20 min behind the server's"),
            ("ExpiredToken", "auth", "(ExpiredToken): the credentials have expired"),
        ] {
            let inTwentyMinutes = Date(timeIntervalSinceNow: 20 * 60 + 55).timeIntervalSince1970
            let time = RFC3339.string(milliseconds: Int64(inTwentyMinutes * 1_000))
            let answer = Answer.response(
                403, text: "<Error><Code>\(code)</Code><Message>no</Message><ServerTime>\(time)</ServerTime></Error>")
            try await withTool(server: .always(answer)) { tool, server in
                let tool = tool.with(ReportsTool.judgeKey).with(["AWS_SESSION_TOKEN": "token-of-an-hour"])
                let words = try await tool.words(at: "s3://crashes?endpoint=\(server.url())")
                words.expect("held(\(reason))", text)
                #expect(server.requests.count == 2, "once more in the same attempt")
                #expect(words.report.count("attempts") == 1)
                #expect(!words.description.contains("token-of-an-hour"))
            }
        }
    }

    @Test("no credentials, and credentials that are none, are settings to mend")
    func noCredentials() async throws {
        try await withTool(server: .accepting) { tool, server in
            try await tool.add("hello")
            let endpoint = "s3://crashes?endpoint=\(server.url())"
            let none = try await tool.run("submit", "--endpoint", endpoint)
            #expect(none.status == 78, "\(none.errors)")
            #expect(none.errors.contains("AWS_ACCESS_KEY_ID"), "\(none.errors)")
            #expect(server.requests.isEmpty)
        }
    }

    @Test("a judge that goes and comes back gets what is left, and nothing twice", .needs(.rclone))
    func restart() async throws {
        try await withTool(judge: .rclone) { tool, server in
            let endpoint = server.endpoint("crashes")
            for number in 1...5 { try await tool.add("report \(number)") }
            #expect(try await tool.run("submit", "--endpoint", endpoint).status == 0)
            await server.peer.end()
            for number in 4...10 { try await tool.add("report \(number)") }
            let words = try await tool.words(at: endpoint)
            words.expect("waiting(unreachable)", "connection failed: Connection refused")
            try await server.peer.startAgain()
            let result = try await tool.run("submit", "--endpoint", endpoint)
            #expect(result.status == 0, "\(result.output)\(result.errors)")
            #expect(try await server.objects(in: "crashes").count == 11)
        }
    }
}
