import Background
import Digests
import DurableIO
import HTTPTypes
import Logging
import SystemPackage
import TestSupport
import Testing

struct SessionClientContractTests {
    fileprivate static let secret = "Bearer 3f9a-very-secret"

    @Test("A session's client keeps to the contract of all clients", arguments: [TransferKind.upload, .download])
    func contract(kind: TransferKind) async throws {
        try await withTemporaryDirectory { path in
            let files = POSIXFileSystem()
            let clock = ManualClock()
            let root = try files.openDirectory(FilePath(path))
            let place = LedgerPlace(
                files: files, clock: clock, directory: root, temporary: root, freeSpaceFloor: { $0 / 20 })
            let client = SessionClient(place, progress: ProgressWatchers(), logger: Logger(label: "test"))
            let transfer = try Self.transfer(kind, in: root, files)
            client.remember(
                HTTPRequest(
                    method: kind == .upload ? .put : .get, scheme: "http", authority: "files.example", path: "/one",
                    headerFields: [.authorization: Self.secret]), for: transfer.identifier)
            let store = try TransferStore(path: path + "/ledger.sqlite", clock: clock)
            let claim = try store.transaction { () throws in
                try store.insert(transfer)
                return try #require(
                    try store.claimDue(limit: 1, suspects: false, lane: transfer.lane, acceptedMark: 0).first)
            }
            let violations = await TransferClientContract(client, claim: claim, secret: Self.secret).violations()
            #expect(violations.isEmpty, "\(violations.joined(separator: "\n"))")
        }
    }

    private static func transfer(
        _ kind: TransferKind, in root: Directory, _ files: any FileSystem
    ) throws -> NewTransfer {
        let content = Array("hello".utf8)
        let file = try files.createFile("payload", in: root)
        try files.write(content, to: file)
        var hasher = ContentHash.Hasher()
        content.withUnsafeBytes { hasher.update($0) }
        let request = TransferRecord.StoredRequest(
            origin: try Endpoint("http://files.example/one").origin, method: kind == .upload ? "PUT" : "GET",
            url: "http://files.example/one",
            headerNames: ["Authorization"], bodyPath: kind == .upload ? root.path(of: "payload") : "",
            bodyHash: kind == .upload ? hasher.finish().hex : "")
        return NewTransfer(
            identifier: kind.rowName("one"), label: kind.rawValue, metadata: "{}",
            byteCount: kind == .upload ? Int64(content.count) : 0, seenWall: 1, request: request)
    }

    @Test("The client that the queue's own tests bring keeps to it, too")
    func recordingClient() async throws {
        try await Self.withClaim { claim in
            let violations = await TransferClientContract(RecordingClient(), claim: claim).violations()
            #expect(violations.isEmpty, "\(violations.joined(separator: "\n"))")
        }
    }

    private static func withClaim(_ body: (Claim) async throws -> Void) async throws {
        try await withTemporaryDirectory { path in
            let store = try TransferStore(path: path + "/ledger.sqlite", clock: ManualClock())
            let claims = try store.transaction { () throws in
                try store.insert(
                    NewTransfer(identifier: "one", label: "crash", metadata: "{}", byteCount: 5, seenWall: 1))
                return try store.claimDue(limit: 1, suspects: false, lane: Lane("main"), acceptedMark: 0)
            }
            try await body(try #require(claims.first))
        }
    }

    @Test("The contract finds a client that takes every answer for a delivery, or tells a header's value")
    func brokenClient() async throws {
        try await Self.withClaim { claim in
            let contract = TransferClientContract(BrokenClient(), claim: claim, secret: Self.secret)
            let violations = await contract.violations()
            #expect(violations.contains { $0.hasPrefix("503 means") })
            #expect(violations.contains("401 tells a secret"))
            #expect(violations.contains { $0.hasPrefix("half a body") })
            #expect(violations.contains { $0.hasPrefix("a cancelled attempt") })
        }
    }

    private struct BrokenClient: TransferClient {
        func attempt(_ claim: Claim, over transport: any Transport) async -> AttemptReport {
            guard let endpoint = try? Endpoint("http://collector.example/one"),
                let body = try? TransferBody([.bytes(Array("hello".utf8))])
            else { return AttemptReport(.unsendable("no endpoint")) }
            let result = await transport.send(
                TransferRequest(endpoint: endpoint, method: .put, fields: [:], body: body))
            var report = AttemptReport(result, at: 0) { _ in
                Judgement(.delivered, note: SessionClientContractTests.secret)
            }
            report.outcome = .answer(Judgement(.delivered, note: SessionClientContractTests.secret))
            return report
        }

        func didSettle(_ settlements: [Settlement]) async {}
        func freeLedgerSpace() async -> Bool { false }
    }
}
