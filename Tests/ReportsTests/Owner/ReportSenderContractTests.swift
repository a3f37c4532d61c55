import Background
import DurableIO
import HTTPTypes
import Reports
import TestSupport
import Testing

struct ReportSenderContractTests {
    private static let secret = "Bearer 3f9a-very-secret"

    /// Where a report goes.
    enum Way: CaseIterable {
        case destination
        case destinationThatProvesReceipt
        case requestOfItsOwn
    }

    @Test("The sender of reports keeps to the contract of all clients", arguments: Way.allCases)
    func contract(way: Way) async throws {
        try await withTemporaryDirectory { path in
            let harness = try SpoolHarness(path)
            try Self.add(way, to: harness)
            var configuration = harness.configuration()
            var destination = Destination.http(
                "http://collector.example/reports/{id}", headers: [("Authorization", Self.secret)])
            if way == .destinationThatProvesReceipt { destination.acknowledgement = .header("Receipt") }
            configuration.routing = Routing(destination)
            configuration.callerRequests = CallerRequests()
            let owner = try #require(try await SpoolOwner.become(of: harness.spool, configuration))
            try await takeIn(as: owner)
            let own = Lane.own(try Endpoint("http://logs.example/one").origin)
            let lane = way == .requestOfItsOwn ? own : Lane("main")
            let claims = try await owner.queue.change { store in
                try store.claimDue(limit: 1, suspects: false, lane: lane, acceptedMark: 0)
            }
            var contract = TransferClientContract(
                owner.queue.client, claim: try #require(claims.first), secret: Self.secret)
            if way == .destinationThatProvesReceipt { contract.proof = ("Receipt", "yes") }
            let violations = await contract.violations()
            #expect(violations.isEmpty, "\(violations.joined(separator: "\n"))")
            await owner.abandon()
        }
    }

    private static func add(_ way: Way, to harness: SpoolHarness) throws {
        guard way == .requestOfItsOwn else {
            try harness.add("crash")
            return
        }
        let producer = ReportProducer(spool: harness.spool)
        let request = CallerRequest(method: "PUT", url: "http://logs.example/one", headerNames: [])
        let prepared = try producer.prepare(
            .bytes(Array("log".utf8)),
            as: ReportCollector.Description(kind: .log, name: nil, annotations: [:], request: request), from: "log")
        try producer.store([prepared])
    }
}
