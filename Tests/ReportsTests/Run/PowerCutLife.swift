import Background
import Digests
import DurableIO
import Foundation
import Reports
import Synchronization
import SystemPackage
import TestSupport

/// What the world outside knows of reports at some moment.
struct Promises: Sendable, Hashable {
    /// Handed in, with success.
    var accepted: Set<ContentHash> = []
    /// A person has begun to remove them, and nobody has handed them in again.
    var removed: Set<ContentHash> = []
    /// The server has them.
    var delivered: Set<ContentHash> = []
    /// The server has them, and a run has ended since.
    var settled: Set<ContentHash> = []
    /// What belongs to payloads that a program drops, or is about to drop.
    var annotations: [ContentHash: [String: String]] = [:]
    /// The paths in `incoming/` at which no sidecar waits for a drop.
    var barePaths: Set<String> = []
}

/// A life on a disk whose power may go at any moment, with what had been promised by then.
final class PowerCutLife: Sendable {
    struct Moment: Sendable {
        let cut: PowerCut
        let promises: Promises
    }

    /// What happened so far; the file system writes into it while the life goes on.
    private final class Record: Sendable {
        let promises = Mutex(Promises())
        let moments = Mutex<[Moment]>([])
    }

    let files: PowerCutFileSystem
    let clock: MomentClock
    private let path: FilePath
    private let transport: ScriptedTransport
    private let record = Record()

    /// - Parameters:
    ///   - directory: the disk.
    ///   - time: moves the life's clock.
    ///   - isWanted: asked at each moment, with its label, whether it is kept.
    /// - Throws: when the directory cannot be looked at.
    init(
        _ directory: String, time: ManualClock = ManualClock(),
        isWanted: @escaping @Sendable (String) -> Bool = { _ in true }
    ) throws {
        path = FilePath(directory + "/spool")
        files = try PowerCutFileSystem(directory, spool: "spool", isWanted: isWanted) { [record] cut in
            let promises = record.promises.withLock { $0 }
            record.moments.withLock { $0.append(Moment(cut: cut, promises: promises)) }
        }
        clock = MomentClock(files, time)
        transport = ScriptedTransport(clock: clock) { _ in .refused }
        answer { _ in .status(200) }
    }

    /// All moments so far, in order.
    var moments: [Moment] { record.moments.withLock { $0 } }

    /// What was promised by now.
    var promises: Promises { record.promises.withLock { $0 } }

    private func note(_ change: (inout Promises) -> Void) {
        record.promises.withLock { change(&$0) }
        files.moment("after a promise")
    }

    // MARK: - What it does

    /// From now on the server answers so.
    func answer(_ script: @escaping @Sendable (ContentHash) async -> TransportResult) {
        transport.answer { [record, files] sent in
            files.moment("while it is sent")
            guard let id = ContentHash(hex: sent.name) else { return .refused }
            let outcome = await script(id)
            if case .answer(let answer) = outcome, answer.status == 200 {
                record.promises.withLock { _ = $0.delivered.insert(id) }
            }
            return outcome
        }
    }

    func open(
        limits: SpoolLimits = SpoolLimits(), largeDropByteCount: UInt64? = nil,
        slots: PayloadSlots = .shared
    ) throws -> ReportSpool {
        var options = ReportSpool.Options()
        options.limits = limits
        options.largeDropByteCount = largeDropByteCount
        let spool = try ReportSpool.open(
            path, isCreating: true, options: options, files: files, clock: clock, slots: slots)
        guard let spool else { throw CocoaError(.fileNoSuchFile) }
        return spool
    }

    /// Adds reports as another process does, published together.
    func add(_ texts: String..., to spool: ReportSpool) throws { try add(texts, to: spool) }

    func add(_ texts: [String], to spool: ReportSpool) throws {
        try add(texts, by: ReportProducer(spool: spool))
    }

    /// Adds reports as another user does, whose spool it is not.
    func share(_ texts: String..., with spool: ReportSpool) throws {
        try add(texts, by: ReportProducer(zone: SharedDropZone(of: spool)))
    }

    private func add(_ texts: [String], by producer: ReportProducer) throws {
        let prepared = try texts.map { text in
            try producer.prepare(
                .bytes(Array(text.utf8)), as: ReportCollector.Description(kind: .crash, name: Array(text.utf8)),
                from: text)
        }
        try producer.store(prepared)
        accept(prepared.map(\.report.id))
    }

    /// Drops a file as a careful program does: contents durable, then renamed in, then the name durable.
    func drop(_ text: String, as name: EntryName, into spool: ReportSpool) throws {
        try drop(bytes: Array(text.utf8), as: name, into: spool)
    }

    /// Drops bytes so; `id` is of the payload in them, and that of the bytes by default.
    func drop(bytes: [UInt8], holding id: ContentHash? = nil, as name: EntryName, into spool: ReportSpool) throws {
        try put(bytes, as: name, in: spool.incoming)
        accept([id ?? .of(bytes: bytes)])
    }

    /// Drops a payload so, and its sidecar before it.
    func drop(_ pair: DroppedPair, into spool: ReportSpool) throws {
        let (room, name) = pair.place
        let directory =
            try room.map { room throws(FileSystemError) in
                try files.openDirectory(room, in: spool.incoming)
            } ?? spool.incoming
        note { promises in
            promises.barePaths.remove(pair.path)
            promises.annotations[.of(pair.payload)] = pair.annotations
        }
        if let sidecar = pair.sidecar, let sidecarName = EntryName("\(name).annotations") {
            try put(Array(sidecar.utf8), as: sidecarName, in: directory)
        }
        try put(Array(pair.payload.utf8), as: name, in: directory)
        note { $0.barePaths.insert(pair.path) }
        accept([.of(pair.payload)])
    }

    /// Makes a drop room, durably.
    func makeRoom(_ name: EntryName, in spool: ReportSpool) throws {
        _ = try files.makeDirectory(name, in: spool.incoming, permissions: 0o700)
        try files.syncDirectory(spool.incoming)
    }

    private func put(_ bytes: [UInt8], as name: EntryName, in directory: Directory) throws {
        guard let hidden = EntryName("." + name.description) else { return }
        let file = try files.createFile(hidden, in: directory)
        try files.write(bytes, to: file)
        try files.sync(file)
        _ = consume file
        try files.rename(hidden, in: directory, to: name, in: directory)
        try files.syncDirectory(directory)
    }

    private func accept(_ ids: [ContentHash]) {
        note { promises in
            promises.accepted.formUnion(ids)
            promises.removed.subtract(ids)
            promises.settled.subtract(ids)
        }
    }

    func remove(_ text: String, from spool: ReportSpool) async throws {
        note { $0.removed.insert(.of(text)) }
        _ = try await OrderDispatch(spool: spool).carryOut(.remove, ids: [ContentHash.of(text).hex])
    }

    func retry(_ spool: ReportSpool) async throws {
        _ = try await OrderDispatch(spool: spool).carryOut(.retry, ids: nil)
    }

    func submit(_ spool: ReportSpool, sending: Bool = true, wait: Int64? = nil) async throws {
        let destination: Destination? = sending ? .http("http://collector.example/reports/{id}") : nil
        var configuration = SpoolOwner.Configuration(destination: destination)
        configuration.transport = transport
        configuration.gatheringTime = .zero
        var submission = Submission(spool: spool, configuration: configuration)
        submission.wait = wait
        _ = try await submission.run()
        record.promises.withLock { $0.settled = $0.delivered }
        files.moment("after a run")
    }

    /// Owns the spool meanwhile, so that what is asked for has to be filed.
    func asOwner(of spool: ReportSpool, _ body: () async throws -> Void) async throws {
        let owner = try await SpoolOwner.become(of: spool, SpoolOwner.Configuration(destination: nil))
        do {
            try await body()
            try await owner?.resign()
        } catch {
            await owner?.abandon()
            throw error
        }
    }
}
