import Background
import DurableIO
import HTTPTypes
import Logging
import SystemPackage
import TestSupport

extension Lane {
    static let main = Lane("main")
}

/// A queue with a ledger on disk, a clock that only the test moves, and a scripted network; it can die and live again.
final class QueueHarness: Sendable {
    static let origin = "http://collector.example:80"

    let path: String
    let clock: ManualClock
    let transport: ScriptedTransport
    let client: RecordingClient

    init(
        directory: String, clock: ManualClock = ManualClock(), byteCount: Int = 5,
        script: @escaping ScriptedTransport.Script
    ) throws {
        path = directory + "/ledger.sqlite"
        self.clock = clock
        transport = ScriptedTransport(clock: clock, script: script)
        client = RecordingClient(byteCount: byteCount)
    }

    /// A new life on the same ledger.
    func open(
        seed: UInt64 = 1, _ configure: (inout TransferQueue.Configuration) -> Void = { _ in }
    ) throws -> TransferQueue {
        var configuration = TransferQueue.Configuration(destinations: [.main: Self.origin])
        configuration.stopwatch = { [clock] in clock.bootMilliseconds }
        configure(&configuration)
        return try TransferQueue(
            store: try TransferStore(path: path, clock: clock), configuration: configuration, client: client,
            transport: transport, clock: clock, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            generator: SeededGenerator(seed: seed))
    }

    /// A record of its own connection, for looking while a queue lives.
    func records() throws -> [TransferRecord] {
        try reader().queries.everything()
    }

    func record(_ identifier: String) throws -> TransferRecord? {
        try reader().queries.record(identifier)
    }

    func count(_ state: TransferState) throws -> Int {
        try reader().queries.tally()[state].count
    }

    func gate() throws -> OriginGate {
        try reader().queries.origins().first { $0.name == Self.origin }?.gate ?? OriginGate()
    }

    func hasSendable() throws -> Bool { try reader().hasSendable(in: { _ in true }) }

    private func reader() throws -> LedgerReader {
        let file = FilePath(path)
        let files = POSIXFileSystem()
        return try LedgerReader(
            name: "ledger.sqlite", in: files.openDirectory(file.removingLastComponent()), files: files, clock: clock)
    }
}

extension TransferQueue {
    func add(
        _ identifiers: some Sequence<String> & Sendable, label: String = "crash", rank: Int = 0, wall: Int64 = 0,
        byteCount: Int64 = 5
    ) async throws {
        let all = Array(identifiers)
        try await change { store in
            for (offset, identifier) in all.enumerated() {
                try store.insert(
                    NewTransfer(
                        identifier: identifier, label: label, rank: rank, metadata: "{}", byteCount: byteCount,
                        seenWall: wall + Int64(offset)))
            }
        }
    }

    /// Drives, and moves the clock to the next due time, again and again until nothing is due by the end.
    func work(until end: Int64, _ clock: ManualClock) async throws {
        while true {
            // A drive of a cancelled task returns at once, and the clock would go on alone.
            try Task.checkCancellation()
            try await drive(.whileDue, isExplicit: false)
            guard let next = try nextAttemptWall(), next <= end else { return }
            clock.advance(by: max(1, next - clock.wallMilliseconds))
        }
    }
}

/// Gives every transfer a body of the same size and a path with its name; remembers what was settled.
final class RecordingClient: TransferClient {
    private let state = Monitor<[[Settlement]]>([])
    private let byteCount: Int

    init(byteCount: Int = 5) {
        self.byteCount = byteCount
    }

    func attempt(_ claim: Claim, over transport: any Transport) async -> AttemptReport {
        guard let endpoint = try? Endpoint("\(QueueHarness.origin)/\(claim.record.identifier)"),
            let body = try? TransferBody([.bytes([UInt8](repeating: 0x68, count: byteCount))])
        else { return AttemptReport(.unsendable("bad identifier")) }
        let result = await transport.send(TransferRequest(endpoint: endpoint, method: .put, fields: [:], body: body))
        return AttemptReport(result, at: 0) { answer in
            var judgement = Judgement.http(answer, isSecure: endpoint.isSecure, at: 0)
            judgement.receipt = String(decoding: answer.body, as: UTF8.self)
            return judgement
        }
    }

    func didSettle(_ settlements: [Settlement]) async { state.withLock { $0.append(settlements) } }
    func freeLedgerSpace() async -> Bool { false }

    /// What each commit settled.
    var commits: [[Settlement]] { state.value }
}

let names: @Sendable (Int) -> [String] = { count in (0..<count).map { "t\($0)" } }
