import Background
import DurableIO
import Foundation
import TestSupport
import Testing

@testable import Reports

/// Keys of the services of a container and of an instance, asked over a real connection.
@Suite("Services that give keys", .timeLimit(.minutes(2)))
struct MetadataServiceTests {
    private static let json = """
        {"Code":"Success","AccessKeyId":"ASIA1","SecretAccessKey":"secret","Token":"token",
        "Expiration":"2026-11-28T12:00:00Z"}
        """

    private static func key(
        _ credentials: S3Credentials, _ variables: [String: String], clock: any SystemClock = LinuxClock()
    ) async throws -> S3AccessKey {
        var connection = ConnectionSettings()
        connection.proxy = .none
        let side = try HTTPTransport.open(files: POSIXFileSystem(), settings: connection)
        var surroundings = S3Surroundings { variables[$0] }
        surroundings.clock = clock
        do {
            let key = try await credentials.source(profile: nil, in: surroundings).accessKey(over: side)
            await side.shutdown()
            return key
        } catch {
            await side.shutdown()
            throw error
        }
    }

    private static func problem(
        _ credentials: S3Credentials, _ variables: [String: String], clock: any SystemClock = LinuxClock()
    ) async -> String {
        do {
            return "\(try await key(credentials, variables, clock: clock).id)"
        } catch {
            return (error as? AccessKeyProblem)?.text ?? "\(error)"
        }
    }

    private static func container(_ server: LoopbackServer) -> [String: String] {
        ["AWS_CONTAINER_CREDENTIALS_FULL_URI": server.url("/keys?id=1")]
    }

    private static func instance(_ server: LoopbackServer) -> [String: String] {
        ["AWS_EC2_METADATA_SERVICE_ENDPOINT": server.url("/")]
    }

    @Test("a container's service gets the token of the environment, or of a file that is read each time")
    func container() async throws {
        try await withLoopbackServer(.always(.response(200, text: Self.json))) { server in
            let key = try await Self.key(
                .container, Self.container(server).merging(["AWS_CONTAINER_AUTHORIZATION_TOKEN": "Basic abc"]) { $1 })
            #expect(key.id == "ASIA1" && key.secret == "secret" && key.sessionToken == "token")
            #expect(key.expiresAt == 1_795_867_200_000)
            let request = try #require(server.requests.first)
            #expect(request.method == "GET" && request.target == "/keys?id=1")
            #expect(request.headers["Authorization"] == "Basic abc")
            try await withTemporaryDirectory { directory in
                let path = directory + "/token"
                let variables = Self.container(server).merging(["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": path]) { $1 }
                #expect(await Self.problem(.container, variables).contains("there is no file"))
                for token in ["one", "two"] {
                    try "\(token)\n".write(toFile: path, atomically: false, encoding: .utf8)
                    _ = try await Self.key(.container, variables)
                    #expect(server.requests.last?.headers["Authorization"] == token)
                }
            }
        }
    }

    @Test("an instance's service is asked for a token, then for the role, then for the key")
    func instance() async throws {
        let script = ServerScript { request in
            switch (request.method, request.target) {
            case ("PUT", "/latest/api/token"): .response(200, text: "t0ken==")
            case ("GET", "/latest/meta-data/iam/security-credentials/"): .response(200, text: "shop role\n")
            default: .response(404)
            }
        }
        try await withLoopbackServer(script) { server in
            #expect(
                await Self.problem(.instance, Self.instance(server)).hasSuffix("answered with nothing that can be used")
            )
        }
        let good = ServerScript { request in
            switch (request.method, request.target) {
            case ("PUT", "/latest/api/token"): .response(200, text: "t0ken==")
            case ("GET", "/latest/meta-data/iam/security-credentials/"): .response(200, text: "shop/role\nother")
            case ("GET", "/latest/meta-data/iam/security-credentials/shop%2Frole"): .response(200, text: Self.json)
            default: .response(404)
            }
        }
        try await withLoopbackServer(good) { server in
            let key = try await Self.key(.instance, Self.instance(server))
            #expect(key.id == "ASIA1")
            #expect(server.requests[0].headers["x-aws-ec2-metadata-token-ttl-seconds"] == "21600")
            #expect(server.requests.dropFirst().allSatisfy { $0.headers["x-aws-ec2-metadata-token"] == "t0ken==" })
            #expect(server.requests.count == 3)
            let disabled = Self.instance(server).merging(["AWS_EC2_METADATA_DISABLED": "True"]) { $1 }
            #expect(await Self.problem(.instance, disabled).contains("AWS_EC2_METADATA_DISABLED forbids"))
            #expect(server.requests.count == 3)
        }
    }

    @Test("no redirect is followed, also not one within the server")
    func redirect() async throws {
        let script = ServerScript { request in
            request.target == "/other"
                ? .response(200, text: Self.json) : .response(307, headers: [("Location", "/other")])
        }
        try await withLoopbackServer(script) { server in
            #expect(
                await Self.problem(.container, Self.container(server)).hasSuffix("credentials service answered 307"))
            #expect(server.requests.allSatisfy { $0.target != "/other" })
        }
    }

    @Test("a failure is tried three times for a container and once for an instance")
    func tries() async throws {
        try await withLoopbackServer(.always(.response(500))) { server in
            #expect(await Self.problem(.container, Self.container(server)).hasSuffix("answered 500"))
            #expect(server.requests.count == 3)
            #expect(await Self.problem(.instance, Self.instance(server)).hasSuffix("answered 500"))
            #expect(server.requests.count == 4)
        }
        let second = ServerScript.inTurn(.response(503), .response(200, text: Self.json))
        try await withLoopbackServer(second) { server in
            let key = try await Self.key(.container, Self.container(server))
            #expect(key.id == "ASIA1")
        }
    }

    @Test(
        "a service that does not answer costs its time and no more",
        arguments: [(S3Credentials.container, 2, 3), (.instance, 1, 1)])
    func silence(credentials: S3Credentials, seconds: Int, tries: Int) async throws {
        try await withLoopbackServer(.always(.stall)) { server in
            let clock = ManualClock()
            let variables = Self.container(server).merging(Self.instance(server)) { $1 }
            async let problem = Self.problem(credentials, variables, clock: clock)
            for number in 1...tries {
                await server.waitForRequests(count: number)
                await clock.waitForSleeper(until: clock.bootMilliseconds + Int64(seconds) * 1_000)
                clock.advance(by: Int64(seconds) * 1_000)
            }
            // Nothing else ends it: the transport itself would wait five minutes for an answer.
            #expect(await problem.hasSuffix("did not answer within \(seconds) s"))
        }
    }

    @Test("what is no key is none: endless, another form, with a line break in it")
    func garbage() async throws {
        for body in [
            "", "{}", "[]", "<html>", "{\"AccessKeyId\":1}", "{\"AccessKeyId\":\"A\"}",
            "{\"AccessKeyId\":\"A\\nX: y\",\"SecretAccessKey\":\"s\"}",
            "{\"AccessKeyId\":\"A/b\",\"SecretAccessKey\":\"s\"}",
            Self.json + String(repeating: " ", count: 64 << 10),
        ] {
            try await withLoopbackServer(.always(.response(200, text: body))) { server in
                let text = await Self.problem(.container, Self.container(server))
                #expect(
                    text.hasPrefix("the container's credentials service answered with"), "\(body.prefix(60)): \(text)")
                #expect(!text.contains("AccessKeyId"))
            }
        }
    }

    @Test(
        "a token goes over plain http to this machine only",
        arguments: [
            ("http://127.0.0.1:1/x", true), ("http://localhost:1/x", true), ("http://[::1]:1/x", true),
            ("https://keys.example/x", true), ("http://169.254.170.23/x", true), ("http://[fd00:ec2::23]/x", true),
            ("http://keys.example/x", false), ("http://127.evil.example/x", false), ("http://169.254.170.3/x", false),
            ("ftp://127.0.0.1/x", false), ("/x", false),
        ])
    func addresses(address: String, isAccepted: Bool) {
        let surroundings = S3Surroundings { $0 == "AWS_CONTAINER_CREDENTIALS_FULL_URI" ? address : nil }
        let source = S3Credentials.container.source(profile: nil, in: surroundings)
        #expect(((try? source.check()) != nil) == isAccepted)
    }

    @Test("without a container's variables, and with a path that is none, it is said what is missing")
    func variables() async {
        #expect(await Self.problem(.container, [:]).contains("neither AWS_CONTAINER_CREDENTIALS_RELATIVE_URI nor"))
        let text = await Self.problem(.container, ["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "@evil.example/"])
        #expect(text == "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI is no path of a URL")
    }
}
