import Background
import HTTPTypes
import SystemPackage
import TestSupport
import Testing

/// Servers that ask to wait in the middle of an upload in parts: nothing more goes there in that attempt, and the next
/// one goes on where the server is.
@Suite("Wishes to wait between parts", .timeLimit(.minutes(2)))
struct PostponedPartTests {
    private static let (part, count): (UInt64, UInt64) = (10, 25)
    private static let wish = (name: "Retry-After", value: "7")

    /// A server that takes parts, and adds the wish to what it answers to some requests.
    private final class Server: Sendable {
        private struct State {
            var offset: UInt64 = 0
            var methods: [String] = []
            var wished = 0
        }
        private let state = Monitor(State())
        private let wishes: @Sendable (_ method: String, _ number: Int) -> Bool
        /// Answers instead of the usual ones.
        private let status: @Sendable (_ method: String) -> Int?

        init(
            wishes: @escaping @Sendable (_ method: String, _ number: Int) -> Bool,
            status: @escaping @Sendable (_ method: String) -> Int? = { _ in nil }
        ) {
            (self.wishes, self.status) = (wishes, status)
        }

        var methods: [String] { state.value.methods }

        func answer(_ request: TransferRequest) -> TransportResult {
            state.withLock { state in
                let method = request.method.rawValue
                var headers: [(name: String, value: String)] = []
                if wishes(method, state.methods.count { $0 == method }) { headers.append(PostponedPartTests.wish) }
                state.methods.append(method)
                if let status = status(method) { return .status(status, headers: headers) }
                switch method {
                case "OPTIONS": return .status(204, headers: headers + [("Upload-Limit", "max-append-size=100000")])
                case "HEAD":
                    return .status(
                        204, headers: headers + [("Upload-Offset", "\(state.offset)"), ("Upload-Complete", "?0")])
                case "PATCH":
                    state.offset += request.bodyByteCount
                    let isLast = state.offset == PostponedPartTests.count
                    return .status(isLast ? 201 : 204, headers: headers + [("Upload-Complete", isLast ? "?1" : "?0")])
                default:
                    let isCreation = request.fields.contains { $0.name.canonicalName == "upload-length" }
                    return .status(201, headers: headers + (isCreation ? [("Location", "/part/1")] : []))
                }
            }
        }
    }

    /// Makes attempts until one is more than a wish, as the queue would once each wish's time is over.
    private static func upload(
        to server: Server, atMost limit: Int = 30
    ) async throws -> (attempts: Int, TransportResult) {
        let transport = ScriptedTransport(clock: ManualClock()) { server.answer($0.request) }
        let body = try TransferBody([.bytes([UInt8](repeating: 1, count: Int(count)))])
        let request = TransferRequest(
            endpoint: try Endpoint("http://collector.example/r"), method: .put, fields: [:], body: body)
        let saved = Monitor<String?>(nil)
        for attempt in 1...limit {
            var upload = try #require(
                ResumableUpload(request, saved: saved.value, over: transport, partSize: part) { progress, _ in
                    saved.withLock { $0 = progress }
                })
            let before = server.methods.count
            let outcome = await upload.run()
            guard case .postponed(let answer) = outcome else { return (attempt, outcome) }
            #expect(answer.fields[.retryAfter] == wish.value)
            #expect(server.methods.count > before)
        }
        return (limit, .noAnswer(.interrupted))
    }

    @Test(
        "a wish in any answer but the last ends the attempt, and the next goes on",
        arguments: ["OPTIONS", "PUT", "PATCH"])
    func once(method: String) async throws {
        let server = Server(wishes: { $0 == method && $1 == 0 })
        let (attempts, outcome) = try await Self.upload(to: server)
        #expect(outcome.answer?.status == 201)
        #expect(attempts == 2)
        let expected: [String: [String]] = [
            "OPTIONS": ["OPTIONS", "OPTIONS", "PUT", "PATCH", "PATCH", "PATCH"],
            "PUT": ["OPTIONS", "PUT", "HEAD", "PATCH", "PATCH", "PATCH"],
            "PATCH": ["OPTIONS", "PUT", "PATCH", "HEAD", "PATCH", "PATCH"],
        ]
        #expect(server.methods == expected[method])
    }

    @Test("a wish with each part is kept each time, and costs one attempt a part")
    func everyPart() async throws {
        let server = Server(wishes: { method, _ in method == "PATCH" })
        let (attempts, outcome) = try await Self.upload(to: server)
        // The last part's answer is the transfer's, and the queue's to judge.
        #expect(outcome.answer?.status == 201)
        #expect(attempts == 3)
    }

    @Test("a server that puts it into its every answer gets the upload all the same")
    func always() async throws {
        let server = Server(wishes: { _, _ in true })
        let (attempts, outcome) = try await Self.upload(to: server)
        #expect(outcome.answer?.status == 201)
        #expect(attempts <= 8, "\(attempts): \(server.methods)")
    }

    @Test("neither does a server get stuck that takes nothing but answers so", arguments: [404, 409, 410, 413, 500])
    func refusals(status: Int) async throws {
        for method in ["OPTIONS", "HEAD", "PATCH"] {
            let server = Server(wishes: { _, _ in true }, status: { $0 == method ? status : nil })
            let (attempts, outcome) = try await Self.upload(to: server, atMost: 60)
            #expect(outcome.answer != nil, "\(method): \(server.methods)")
            #expect(attempts < 60)
        }
    }
}
