import Background
import Digests
import DurableIO
import Foundation
import SystemPackage
import TestSupport

@testable import Reports

/// A spool in a directory of its own, with a clock that only the test moves and a scripted network.
///
/// Every `open()` is a new life on the same files, as after a restart of the process.
final class SpoolHarness: Sendable {
    let path: String
    let clock: ManualClock
    let spool: ReportSpool
    let transport: ScriptedTransport

    init(
        _ path: String, clock: ManualClock = ManualClock(), files: any FileSystem = POSIXFileSystem(),
        limits: SpoolLimits = SpoolLimits(), annotations: AnnotationRules = AnnotationRules(),
        largeDropByteCount: UInt64? = nil,
        script: @escaping ScriptedTransport.Script = { _ in .status(200) }
    ) throws {
        self.path = path
        self.clock = clock
        var options = ReportSpool.Options()
        options.limits = limits
        options.annotations = annotations
        options.largeDropByteCount = largeDropByteCount
        let spool = try ReportSpool.open(
            FilePath(path), isCreating: true, options: options, files: files, clock: clock,
            // Of its own: what stands still in one test is not to hold up another.
            slots: PayloadSlots(count: 2))
        guard let spool else { throw CocoaError(.fileNoSuchFile) }
        self.spool = spool
        transport = ScriptedTransport(clock: clock, script: script)
    }

    // MARK: - Ways in

    /// Collects as another process does: into `collected/`.
    @discardableResult
    func add(_ text: String, kind: ReportKind? = .crash, annotations: [String: String] = [:]) throws -> ContentHash {
        try add(Array(text.utf8), named: "\(text.prefix(80)).txt", kind: kind, annotations: annotations)
    }

    @discardableResult
    func add(
        _ bytes: [UInt8], named name: String, kind: ReportKind? = .crash, annotations: [String: String] = [:]
    ) throws -> ContentHash {
        let producer = ReportProducer(spool: spool)
        let prepared = try producer.prepare(
            .bytes(bytes),
            as: ReportCollector.Description(kind: kind, name: Array(name.utf8), annotations: annotations), from: name)
        try producer.store([prepared])
        return prepared.report.id
    }

    /// Drops a file as any program does.
    func drop(_ name: String, _ text: String) throws {
        try whileNothingStarts {
            try Data(text.utf8).write(to: URL(fileURLWithPath: "\(path)/incoming/\(name)"))
        }
    }

    /// Makes a drop room.
    func makeRoom(_ name: String) throws {
        try FileManager.default.createDirectory(atPath: "\(path)/incoming/\(name)", withIntermediateDirectories: false)
    }

    /// Makes a directory in the spool.
    func makeDirectory(_ name: String) throws {
        try FileManager.default.createDirectory(atPath: "\(path)/\(name)", withIntermediateDirectories: false)
    }

    // MARK: - The owner

    func configuration(_ transport: (any Transport)? = nil) -> SpoolOwner.Configuration {
        var configuration = SpoolOwner.Configuration(
            destination: .http("http://collector.example/reports/{id}"))
        configuration.transport = transport ?? self.transport
        return configuration
    }

    var submission: Submission { Submission(spool: spool, configuration: configuration()) }

    @discardableResult
    func submit() async throws -> SubmissionSummary { try await submission.run() }

    /// - Returns: `nil` when there is one already.
    func own() async throws -> SpoolOwner? { try await SpoolOwner.become(of: spool, configuration()) }

    // MARK: - Looking

    func record(_ id: ContentHash) throws -> TransferRecord? { try SpoolInspector(spool: spool).record(id.hex) }

    func state(_ id: ContentHash) throws -> TransferState? { try record(id)?.state }

    /// The annotations of the report with this payload.
    func annotations(of text: String) throws -> [String: String] {
        try SpoolInspector(spool: spool).report(ContentHash.of(text).hex).annotations
    }

    /// Where the report's file lies.
    func rooms(of id: ContentHash) throws -> [String] {
        try [("queued", spool.queued), ("parked", spool.parked)].filter { _, room in
            try spool.files.metadata(of: StoredReport.name(of: id), in: room) != nil
        }.map(\.0)
    }

    func entries(_ room: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: "\(path)/\(room)").sorted()
    }

    /// The paths of all that is in `incoming/`.
    func drops() throws -> [String] {
        try FileManager.default.subpathsOfDirectory(atPath: "\(path)/incoming").sorted()
    }

    /// The names under which what lies in `taken/` was dropped.
    func takenNames() throws -> [String] {
        try entries("taken").compactMap { EntryName($0).map { TakenName(inTaken: $0).dropped.description } }
    }

    /// Why a drop has not come in, as `list` says it.
    func reason(ofDrop name: String) throws -> String? {
        var reason: String?
        try SpoolInspector(spool: spool).forEachReport(SpoolInspector.Selection(states: ["incoming"])) { view in
            if view.name == Array(name.utf8) { reason = view.reason }
        }
        return reason
    }

    /// What the doctor calls an error, or only notes.
    func findings(_ level: Doctor.Finding.Level = .error) throws -> [String] {
        var findings: [String] = []
        try Doctor(spool: spool).examine { finding in
            if finding.level == level { findings.append("\(finding.subject): \(finding.message)") }
        }
        return findings
    }

    /// The ids the network was asked to take, in order.
    var sent: [String] { transport.sent.map(\.name) }

    // MARK: - Meddling

    func file(_ id: ContentHash, in room: String) -> URL {
        URL(fileURLWithPath: "\(path)/\(room)/\(id.hex).gz")
    }

    /// Turns the last bytes of a stored file into others.
    func damage(_ id: ContentHash, in room: String) throws {
        var bytes = try Data(contentsOf: file(id, in: room))
        for index in bytes.indices.suffix(8) { bytes[index] ^= 0xff }
        try bytes.write(to: file(id, in: room))
    }

    func copy(_ id: ContentHash, from source: String, to target: String) throws {
        try FileManager.default.copyItem(at: file(id, in: source), to: file(id, in: target))
    }

    func remove(_ id: ContentHash, in room: String) throws {
        try FileManager.default.removeItem(at: file(id, in: room))
    }

    /// A report in a state, with its file where the state wants it; the lives that made it ended in order.
    @discardableResult
    func make(
        _ state: TransferState, text: String = "one", reason: EndReason = .rejected, note: String? = nil
    ) async throws -> ContentHash {
        let id = try add(text)
        try await takeIn()
        switch state {
        case .queued: break
        case .sending:
            try await change { store in
                _ = try store.claimDue(limit: 1, suspects: false, lane: .undecided, acceptedMark: 0)
            }
        case .waiting, .held:
            transport.answer { _ in state == .held ? .status(403) : .refused }
            try await submit()
            transport.answer { _ in .status(200) }
        case .delivered, .rejected, .exhausted, .evicted, .removed:
            try await change { store in try store.end(id.hex, as: state, reason: reason, note: note) }
            try spool.release(id, as: state)
        }
        return id
    }

    /// A life that takes in what came and sends nothing.
    @discardableResult
    func takeIn() async throws -> SubmissionSummary {
        try await Submission(spool: spool, configuration: SpoolOwner.Configuration(destination: nil)).run()
    }

    /// A life that changes the ledger and ends in order, or as a crash would.
    func change(isClean: Bool = true, _ body: (TransferStore) throws -> Void) async throws {
        let store = try TransferStore(path: "\(path)/ledger.sqlite", clock: clock)
        try store.transaction { () throws in try body(store) }
        if isClean { try store.close() } else { store.abandon() }
    }

    /// Leaves the ledger as a crash does.
    func crash() async throws { try await change(isClean: false) { _ in } }

    /// The time on the ledger's axis.
    func now() async throws -> Int64 {
        let store = try TransferStore(path: "\(path)/ledger.sqlite", clock: clock)
        defer { store.abandon() }
        return store.now
    }

    /// Takes the ledger away with all that belongs to it.
    func loseLedger() throws {
        for name in try FileManager.default.contentsOfDirectory(atPath: path) where name.hasPrefix("ledger.sqlite") {
            try FileManager.default.removeItem(atPath: "\(path)/\(name)")
        }
    }

    /// A life that sends nothing; what it mended is returned.
    @discardableResult
    func reconcile() async throws -> [String] {
        let owner = try await SpoolOwner.become(of: spool, SpoolOwner.Configuration(destination: nil))
        try await owner?.resign()
        return owner?.repairs ?? ["there is an owner"]
    }
}

/// Runs `body` with a new spool.
func withSpool<Result>(
    clock: ManualClock = ManualClock(), files: any FileSystem = POSIXFileSystem(),
    limits: SpoolLimits = SpoolLimits(), annotations: AnnotationRules = AnnotationRules(),
    _ body: (SpoolHarness) async throws -> Result
) async throws -> Result {
    try await withTemporaryDirectory { directory in
        try await body(
            SpoolHarness(directory + "/spool", clock: clock, files: files, limits: limits, annotations: annotations))
    }
}

/// Takes in what lies there, as an owner that sends nothing and keeps no limits.
func takeIn(as owner: SpoolOwner) async throws {
    let handover = Handover()
    async let intake: Void = {
        defer { handover.end() }
        _ = try await IntakeLoop(Intake(owner), handover, endsAt: nil).run()
    }()
    var version: Int
    repeat {
        version = handover.version
        handover.ranDry(at: version)
    } while await handover.waitForMore(than: version)
    try await intake
}
