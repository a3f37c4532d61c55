import Foundation
import Testing

@testable import Reports

/// The vectors that the tests of Sentry's protocol share.
struct SentryVectors: Decodable, Sendable {
    struct DSN: Decodable, Sendable {
        let dsn: String
        let envelopeUrl: String
        let publicKey: String
        let secret: String?
    }
    struct RateLimit: Decodable, Sendable {
        let header: String
        let waitForErrorsS: Int64?
    }

    let dsns: [DSN]
    let badDsns: [String]
    let rateLimits: [RateLimit]

    static let all: SentryVectors? = {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        let data = try? Data(contentsOf: ScriptedAnswer.fixtures.appending(path: "sentry.json"))
        return data.flatMap { try? decoder.decode(SentryVectors.self, from: $0) }
    }()
}

@Suite("DSNs")
struct SentryDSNTests {
    @Test("a DSN names the key and the place of a project's envelopes")
    func good() throws {
        let vectors = try #require(SentryVectors.all).dsns
        #expect(vectors.count >= 5)
        for vector in vectors {
            let dsn = try SentryDSN(vector.dsn[...])
            #expect(dsn.publicKey == vector.publicKey)
            #expect(dsn.secretKey == vector.secret)
            #expect(dsn.envelopeEndpoint.description == vector.envelopeUrl)
            #expect(dsn.authentication.contains("sentry_secret=\(vector.secret ?? "")") == (vector.secret != nil))
            #expect(!dsn.gateKey.contains(vector.publicKey))
        }
    }

    @Test("a text that is no DSN is bad configuration, and no message holds the key")
    func bad() throws {
        let vectors = try #require(SentryVectors.all).badDsns
        #expect(vectors.count >= 8)
        for text in vectors {
            let error = #expect(throws: ReportsError.self) { try SentryDSN(text[...]) }
            #expect(error?.code == .badConfiguration)
            #expect(error?.message.contains("0123456789abcdef") == false)
        }
    }

    @Test(
        "what is wrong is said in words",
        arguments: [
            ("https://sentry.example.com/17", "holds no key: write sentry+https://KEY@HOST/PROJECT"),
            ("https://@sentry.example.com/17", "holds a key that is none"),
            ("https://k,x=1@sentry.example.com/17", "holds a key that is none"),
            ("https://k@sentry.example.com/", "names no project"),
            ("https://k@sentry.example.com/{id}", "a path that no project has"),
            ("https://k@sentry.example.com/a/../17", "a path that no project has"),
            ("https://k@sentry.example.com/17#x", "holds a #"), ("https://k@/17", "names no host"),
            ("ftp://k@sentry.example.com/17", "a scheme other than http and https"),
            ("https://k@sentry.example.com:99999/17", "a port that is not a number"),
        ])
    func words(text: String, words: String) {
        let error = #expect(throws: ReportsError.self) { try SentryDSN(text[...]) }
        #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
    }

    @Test("two keys of one project, and two projects of one key, have gates of their own")
    func gates() throws {
        let keys = try Set(["a@h/1", "b@h/1", "a@h/2", "a@i/1"].map { try SentryDSN("https://\($0)"[...]).gateKey })
        #expect(keys.count == 4)
    }

    @Test("the longest limit that is about errors counts, up to a day")
    func limits() throws {
        let vectors = try #require(SentryVectors.all).rateLimits
        #expect(vectors.count >= 17)
        for vector in vectors {
            let limit = SentryRateLimits.limit(in: vector.header)
            #expect(limit == vector.waitForErrorsS.map { $0 * 1_000 }, "\(vector.header)")
        }
    }

    @Test(
        "parameters of the endpoint that nobody knows are refused",
        arguments: [
            ("?attachments=omit", nil), ("?attachments=none", nil), ("?attachments=whole", nil), ("", nil), ("?", nil),
            ("?attachments=all", "an unknown value for attachments: write whole or omit or none"),
            ("?attachment=omit", "did you mean attachments?"), ("?x=1", "the only parameter is attachments"),
            ("?attachments", "a parameter without a value"), ("?attachments=omit&attachments=omit", "twice"),
            ("?sentry_key=hunter2", "a parameter for credentials"),
            ("?hunter2hunter2hunter2=1", "the unknown parameter \"***\": the only parameter is attachments"),
        ])
    func parameters(query: String, problem: String?) throws {
        let destination = Destination(endpoint: "sentry+https://k@sentry.example/17\(query)")
        guard let problem else {
            _ = try destination.kind()
            return
        }
        let error = #expect(throws: ReportsError.self) { try destination.kind() }
        #expect(error?.message.contains(problem) == true, "\(error?.message ?? "")")
        #expect(error?.message.contains("hunter2") == false)
    }
}
