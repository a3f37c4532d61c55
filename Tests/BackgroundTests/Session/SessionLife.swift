import Background
import DurableIO
import Foundation
import HTTPTypes
import Synchronization
import SystemPackage
import TestSupport

/// What the callers of a session know at some moment.
struct SessionPromises: Hashable, Sendable {
    /// An attempt has been made, so the transfer was written down before.
    var enrolled: Set<String> = []
    /// Settled, and nobody has been told.
    var unseen: Set<String> = []
    /// A caller asks for the outcome, or has it.
    var asked: Set<String> = []
}

/// Lives of a session on a disk whose power may go at any moment, with what had been promised by then.
final class SessionLife: Sendable {
    struct Case: Hashable, Sendable {
        let image: DiskImage
        let promises: SessionPromises
        let label: String

        static func == (left: Case, right: Case) -> Bool {
            left.image == right.image && left.promises == right.promises
        }

        func hash(into hasher: inout Hasher) {
            hasher.combine(image)
            hasher.combine(promises)
        }
    }

    /// What happened so far; the file system writes into it while the life goes on.
    private final class Record: Sendable {
        let promises = Mutex(SessionPromises())
        let moments = Mutex<[(cut: PowerCut, promises: SessionPromises)]>([])
        let isOnline = Mutex(false)
    }

    static let names = ["a", "b"]

    let files: PowerCutFileSystem
    let clock = ManualClock()
    let transport: ScriptedTransport
    private let root: FilePath
    private let file: FilePath
    private let record = Record()

    /// `file` is what is uploaded, on a disk that loses nothing.
    init(_ directory: String, uploading file: FilePath) throws {
        root = FilePath(directory + "/root")
        self.file = file
        files = try PowerCutFileSystem(directory, spool: "root") { [record] cut in
            let promises = record.promises.withLock { $0 }
            record.moments.withLock { $0.append((cut, promises)) }
        }
        transport = ScriptedTransport(clock: clock) { _ in .refused }
        transport.answer { [record, files] sent in
            record.promises.withLock { _ = $0.enrolled.insert(sent.name) }
            files.moment("while it is sent")
            return record.isOnline.withLock { $0 } ? .status(201) : .refused
        }
    }

    static func request(_ name: String) -> HTTPRequest { UploadFixture.request("http://\(name).example/\(name)") }

    func uploader(makesRequests: Bool = false) -> Uploader {
        var configuration = BackgroundSessionConfiguration.background(withIdentifier: "com.example.test")
        configuration.rootDirectory = root
        if makesRequests { configuration.requestProvider = { Self.request($0) } }
        var seams = SessionSeams()
        (seams.clock, seams.transport, seams.files) = (MomentClock(files, clock), transport, files)
        return Uploader(sessionConfiguration: configuration, seams: seams)
    }

    private func note(_ change: (inout SessionPromises) -> Void) {
        record.promises.withLock { change(&$0) }
        files.moment("after a promise")
    }

    // MARK: - What it does

    /// Transfers are handed in, and each fails once.
    ///
    /// - Parameter dies: whether the ledger is left as a process leaves it that is killed.
    /// - Throws: when the ledger cannot be read.
    func handIn(dies: Bool = false) async throws {
        let uploader = uploader()
        let waits = Self.names.map { name in
            Task { [file] in
                await uploader.networkResponse(from: Self.request(name), uploading: file, with: name)
            }
        }
        await transport.waitForSent(count: Self.names.count)
        while try Self.names.contains(where: { try state(of: $0) != .waiting }) { await Task.yield() }
        let paths = ["ledger.sqlite", "ledger.sqlite-wal"].map { URL(fileURLWithPath: root.appending($0).string) }
        let left = try paths.map { try Data(contentsOf: $0) }
        await uploader.shutdown()
        for wait in waits { _ = await wait.value }
        if dies { for (path, bytes) in zip(paths, left) { try bytes.write(to: path) } }
        files.moment("after a life")
    }

    private func state(of name: String) throws -> TransferState? {
        let files = POSIXFileSystem()
        return try LedgerReader(
            name: "ledger.sqlite", in: files.openDirectory(root), files: files, clock: clock
        ).queries.record(name)?.state
    }

    /// Makes of the ledger one that is set aside at the next open, and whose rows can be read.
    func spoilLedger() throws {
        let ledger = URL(fileURLWithPath: root.appending("ledger.sqlite").string)
        // `user_version` lies at offset 60 of the file's header; 4 was never released.
        var bytes = try Data(contentsOf: ledger)
        bytes.replaceSubrange(60..<64, with: [0, 0, 0, 4])
        try bytes.write(to: ledger)
        files.moment("a spoilt ledger")
    }

    /// The transfers end without anybody asking; then a caller asks for one outcome.
    func finish() async throws {
        record.isOnline.withLock { $0 = true }
        let uploader = uploader(makesRequests: true)
        try await passing { try await uploader.waitForEarlierTransfers() }
        note { $0.unseen = Set(Self.names) }
        note { promises in
            promises.unseen.remove("a")
            promises.asked.insert("a")
        }
        _ = await uploader.networkResponse(from: Self.request("a"), uploading: file, with: "a")
        await uploader.shutdown()
        files.moment("after a life")
    }

    private func passing(_ body: () async throws -> Void) async throws {
        let isOver = Gate()
        let passing = Task { [clock] in await clock.pass { isOver.isOpen } }
        try await body()
        isOver.open()
        await passing.value
    }

    // MARK: - What a cut leaves

    /// What any cut from a moment on can leave, each state once.
    func cases(from first: Int = 0) -> [Case] {
        var cases: Set<Case> = []
        for (number, moment) in record.moments.withLock({ $0 }).enumerated().dropFirst(first) {
            // Of two renames that nobody synced, one alone has to arrive in some of them.
            let seeds = (0..<4).map { UInt64(number * 4 + $0) }
            for outcome in [.none, .all] + seeds.map(PowerCut.Outcome.some) {
                guard let image = moment.cut.image(outcome) else { continue }
                cases.insert(Case(image: image, promises: moment.promises, label: "\(moment.cut.label), \(outcome)"))
            }
        }
        return Array(cases)
    }

    var momentCount: Int { record.moments.withLock(\.count) }

    /// What is lost in any of the cases, in words; ends with the first where `isFirstEnough`.
    func losses(in cases: [Case], isFirstEnough: Bool = false) async throws -> [String] {
        var losses: [String] = []
        for found in cases {
            if isFirstEnough, !losses.isEmpty { break }
            losses += try await withTemporaryDirectory { directory in
                try found.image.reboot(into: directory)
                do {
                    return try await examine(directory, found.promises).map { "\(found.label): \($0)" }
                } catch {
                    return ["\(found.label): the next life fails with \(error)"]
                }
            }
        }
        return losses
    }

    /// The life after the reboot, with servers that accept everything.
    private func examine(_ directory: String, _ promises: SessionPromises) async throws -> [String] {
        let clock = ManualClock(wall: clock.wallMilliseconds + 60_000, boot: 10_000, bootID: "boot-2")
        let transport = ScriptedTransport(clock: clock) { _ in .status(201) }
        var configuration = BackgroundSessionConfiguration.background(withIdentifier: "com.example.test")
        configuration.rootDirectory = FilePath(directory + "/root")
        var seams = SessionSeams()
        (seams.clock, seams.transport) = (clock, transport)
        let uploader = Uploader(sessionConfiguration: configuration, seams: seams)
        var losses: [String] = []
        let known = Set(try await uploader.pendingTransfers().map(\.identifier))
        for name in promises.enrolled.subtracting(promises.asked) where !known.contains(name) {
            losses.append("\(name) is unknown")
        }
        let isOver = Gate()
        let passing = Task { await clock.pass { isOver.isOpen } }
        for name in promises.unseen.sorted() + promises.enrolled.subtracting(promises.unseen).sorted() {
            let count = transport.sent.count
            let response = await uploader.networkResponse(from: Self.request(name), uploading: file, with: name)
            if response.word != "success" { losses.append("\(name): \(response)") }
            if promises.unseen.contains(name), transport.sent.count > count { losses.append("\(name) is sent again") }
        }
        isOver.open()
        await passing.value
        await uploader.shutdown()
        return losses
    }
}
