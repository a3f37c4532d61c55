import Background
import DurableIO
import Foundation
import TestSupport
import Testing

@testable import Reports

/// Access keys of the environment and of the files of the AWS tools, and how long one is used.
@Suite("Access keys", .timeLimit(.minutes(2)))
struct AccessKeyTests {
    private static let side = ScriptedTransport(clock: ManualClock()) { _ in .refused }

    private static func key(
        _ credentials: S3Credentials = .automatic, profile: String? = nil, in variables: [String: String]
    ) async throws -> S3AccessKey {
        try await credentials.source(profile: profile, in: S3Surroundings { variables[$0] }).accessKey(over: side)
    }

    private static func withFiles(
        credentials: String? = nil, config: String? = nil, _ body: ([String: String]) async throws -> Void
    ) async throws {
        try await withTemporaryDirectory { directory in
            try FileManager.default.createDirectory(atPath: directory + "/.aws", withIntermediateDirectories: false)
            try credentials?.write(toFile: directory + "/.aws/credentials", atomically: false, encoding: .utf8)
            try config?.write(toFile: directory + "/.aws/config", atomically: false, encoding: .utf8)
            try await body(["HOME": directory])
        }
    }

    private static let credentials = """
        # keys
        [default]
        aws_access_key_id = DEFAULT
        aws_secret_access_key=one=two
        s3 =
          aws_access_key_id = NESTED
        ; more
        [shop]\r
        AWS_ACCESS_KEY_ID=SHOP\r
        aws_secret_access_key =  padded\t \r
        aws_session_token = token\r
        [half]
        aws_access_key_id = HALF
        [other file]
        aws_access_key_id = BLANK
        aws_secret_access_key = x
        """

    @Test("come from the environment first, then from the files; a profile that is named counts more")
    func order() async throws {
        try await Self.withFiles(credentials: Self.credentials) { home in
            let both = home.merging(["AWS_ACCESS_KEY_ID": "ENV", "AWS_SECRET_ACCESS_KEY": "s"]) { $1 }
            #expect(try await Self.key(in: both) == S3AccessKey(id: "ENV", secret: "s"))
            #expect(try await Self.key(in: home) == S3AccessKey(id: "DEFAULT", secret: "one=two"))
            let shop = S3AccessKey(id: "SHOP", secret: "padded", sessionToken: "token")
            #expect(try await Self.key(in: home.merging(["AWS_PROFILE": "shop"]) { $1 }) == shop)
            #expect(try await Self.key(in: home.merging(["AWS_DEFAULT_PROFILE": "shop"]) { $1 }) == shop)
            #expect(try await Self.key(profile: "shop", in: both) == shop)
            #expect(try await Self.key(.profile("shop"), in: both) == shop)
            #expect(try await Self.key(.profile(), in: both).id == "DEFAULT")
            #expect(try await Self.key(.environment, in: both).id == "ENV")
            #expect(try await Self.key(profile: "other file", in: both).id == "BLANK")
            let file = ["AWS_SHARED_CREDENTIALS_FILE": (home["HOME"] ?? "") + "/.aws/credentials"]
            #expect(try await Self.key(in: file).id == "DEFAULT")
            let path = try #require(S3Credentials((home["HOME"] ?? "") + "/.aws/credentials"))
            #expect(try await Self.key(path, in: [:]).id == "DEFAULT")
        }
        let old = ["AWS_ACCESS_KEY_ID": "A", "AWS_SECRET_ACCESS_KEY": "b", "AWS_SECURITY_TOKEN": "c"]
        #expect(try await Self.key(in: old) == S3AccessKey(id: "A", secret: "b", sessionToken: "c"))
        #expect(try await Self.key(in: old.merging(["AWS_SESSION_TOKEN": "d"]) { $1 }).sessionToken == "d")
    }

    @Test("the config file has keys, too, in sections of another name, with region and endpoint")
    func config() async throws {
        let config = """
            [profile  shop]
            aws_access_key_id = CONFIG
            aws_secret_access_key = c
            region = eu-west-1
            endpoint_url = http://store.example:9000
            [shop]
            aws_access_key_id = WRONG
            aws_secret_access_key = w
            [default]
            region = eu-north-1
            """
        try await Self.withFiles(config: config) { home in
            #expect(try await Self.key(profile: "shop", in: home).id == "CONFIG")
            let shop = try S3AddressTests.kind("s3://lab?profile=shop", home)
            #expect(shop.gateKey == "http://store.example:9000/lab" && shop.place.region == "eu-west-1")
            try shop.checkSurroundings()
            let usual = try S3AddressTests.kind("s3://lab", home)
            #expect(usual.gateKey == "https://lab.s3.eu-north-1.amazonaws.com:443")
        }
        try await Self.withFiles(credentials: Self.credentials, config: config) { home in
            let key = try await Self.key(profile: "shop", in: home)
            #expect(key.id == "SHOP")
        }
    }

    @Test("that are not whole are told by the name of what lacks, never by their values")
    func problems() async throws {
        func problem(
            _ credentials: S3Credentials = .automatic, profile: String? = nil, in variables: [String: String]
        ) async -> String {
            do {
                return "\(try await Self.key(credentials, profile: profile, in: variables))"
            } catch {
                return (error as? AccessKeyProblem)?.text ?? "\(error)"
            }
        }
        #expect(
            await problem(in: ["AWS_ACCESS_KEY_ID": "hunter2"])
                == "AWS_ACCESS_KEY_ID is set, but AWS_SECRET_ACCESS_KEY is not")
        #expect(await problem(.environment, in: [:]).hasSuffix("set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"))
        let blank = await problem(in: ["AWS_ACCESS_KEY_ID": "hun ter2", "AWS_SECRET_ACCESS_KEY": "s"])
        #expect(blank == "the access key from the environment holds a blank or another character")
        #expect(await problem(in: [:]).contains("the process has no HOME"))
        try await Self.withFiles(credentials: Self.credentials) { home in
            let half = await problem(profile: "half", in: home)
            #expect(
                half.hasPrefix("there is an aws_access_key_id, but no aws_secret_access_key in the profile half of"))
            let none = await problem(profile: "none", in: home)
            #expect(none.hasPrefix("there is no aws_access_key_id in the profile none of /"))
            #expect(none.contains("/.aws/credentials"))
        }
    }

    @Test("a file of keys that changes is read anew once the server does not accept the old key")
    func renewed() async throws {
        try await Self.withFiles(credentials: Self.credentials) { home in
            let kind = try S3AddressTests.kind("s3://lab?region=eu-central-1", home)
            let context = DestinationContractTests.context()
            let report = try DestinationContractTests.report()
            #expect(try await kind.request(for: report, context).credential == "DEFAULT")
            try Self.credentials.replacing("DEFAULT", with: "NEW").write(
                toFile: (home["HOME"] ?? "") + "/.aws/credentials", atomically: false, encoding: .utf8)
            #expect(try await kind.request(for: report, context).credential == "DEFAULT")
            let answer = TransferAnswer(
                status: 403, fields: [:], body: Array("<Code>InvalidAccessKeyId</Code>".utf8), bytesSent: 1,
                isWholeBodySent: true, isLoopback: false)
            #expect(kind.judge(answer, to: report, context).disposition == .hold(.auth))
            #expect(try await kind.request(for: report, context).credential == "NEW")
        }
    }

    // MARK: - Keys that end

    private struct ScriptedSource: AccessKeySource {
        let asked = Monitor(0)
        let answer: @Sendable (Int) async throws(AccessKeyProblem) -> S3AccessKey

        func check() throws(AccessKeyProblem) {}
        func accessKey(over side: any Transport) async throws(AccessKeyProblem) -> S3AccessKey {
            try await answer(
                asked.withLock {
                    $0 += 1
                    return $0
                })
        }
    }

    private static func key(_ number: Int, until end: Int64?) -> S3AccessKey {
        var key = S3AccessKey(id: "KEY\(number)", secret: "s", sessionToken: "t")
        key.expiresAt = end
        return key
    }

    private static let minute: Int64 = 60_000

    @Test("a key is renewed from 15 minutes before its end on, and used until 10 minutes before it if that fails")
    func renewal() async throws {
        let end = 100 * Self.minute
        let isDown = Monitor(false)
        let source = ScriptedSource { number throws(AccessKeyProblem) in
            guard !isDown.value else { throw .unavailable("down") }
            return Self.key(number, until: number == 1 ? end : nil)
        }
        let cache = AccessKeyCache(source)
        func id(at minute: Int64) async throws -> String {
            try await cache.key(at: minute * Self.minute, over: Self.side).id
        }
        #expect(try await id(at: 0) == "KEY1")
        #expect(try await id(at: 85) == "KEY1")
        #expect(source.asked.value == 1)
        isDown.withLock { $0 = true }
        #expect(try await id(at: 86) == "KEY1")
        #expect(source.asked.value == 2)
        // Not at each attempt.
        #expect(try await cache.key(at: 86 * Self.minute + 59_000, over: Self.side).id == "KEY1")
        #expect(source.asked.value == 2)
        #expect(try await id(at: 88) == "KEY1")
        #expect(source.asked.value == 3)
        await #expect(throws: AccessKeyProblem.unavailable("down")) { try await id(at: 91) }
        isDown.withLock { $0 = false }
        #expect(try await id(at: 91) == "KEY5")
        #expect(try await id(at: 10_000) == "KEY5")
        #expect(source.asked.value == 5)
    }

    @Test("while one attempt gets the key the others wait, and share what comes")
    func shared() async throws {
        let gate = Gate()
        let isDown = Monitor(false)
        let source = ScriptedSource { number throws(AccessKeyProblem) in
            await gate.wait()
            guard !isDown.value else { throw .unavailable("down") }
            return Self.key(number, until: nil)
        }
        let cache = AccessKeyCache(source)
        let ids = try await withThrowingTaskGroup(of: String.self) { group in
            for _ in 1...16 { group.addTask { try await cache.key(at: 0, over: Self.side).id } }
            await source.asked.wait { $0 == 1 }
            gate.open()
            return try await group.reduce(into: Set<String>()) { $0.insert($1) }
        }
        #expect(ids == ["KEY1"] && source.asked.value == 1)
        cache.doubt()
        isDown.withLock { $0 = true }
        await #expect(throws: AccessKeyProblem.unavailable("down")) { try await cache.key(at: 0, over: Self.side) }
        isDown.withLock { $0 = false }
        #expect(try await cache.key(at: 0, over: Self.side).id == "KEY3")
    }
}
