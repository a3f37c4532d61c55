package import DurableIO
import HTTPTypes
import Logging
import Synchronization
import SystemPackage

/// What tests put something else in the place of.
package struct UploaderSeams: Sendable {
    package var files: any FileSystem = POSIXFileSystem()
    package var clock: any SystemClock = LinuxClock()
    /// `nil` for the real one.
    package var transport: (any Transport)?

    package init() {}
}

/// An open session: the root directory's lock, the ledger, and the engine that works on it.
final class UploadSession: Sendable {
    let queue: TransferQueue
    let client: UploadClient
    private let lock: OwnerLock
    private let transport: any Transport
    private let files: any FileSystem
    private let clock: any SystemClock
    private let isClosed = Mutex(false)

    /// Takes the lock and opens the ledger, making what is missing.
    ///
    /// Not an initializer that throws: Swift 6.3.1's optimizer aborts on one in a class that holds a `Mutex`.
    static func open(
        _ configuration: BackgroundSessionConfiguration, _ seams: UploaderSeams
    ) throws(NetworkResponseError) -> UploadSession {
        let connections = max(1, configuration.maximumConnectionsPerHost)
        let directory = try Self.root(configuration, files: seams.files)
        let lock = try Self.locked(directory)
        let client = UploadClient(
            files: seams.files, requestProvider: configuration.requestProvider, logger: configuration.logger)
        let transport = seams.transport ?? HTTPTransport(files: seams.files, maximumConnections: connections)
        let queue = try Self.queue(configuration, seams, in: directory, client: client, transport: transport)
        return UploadSession(queue: queue, client: client, lock: lock, transport: transport, seams: seams)
    }

    private init(
        queue: TransferQueue, client: UploadClient, lock: OwnerLock, transport: any Transport, seams: UploaderSeams
    ) {
        self.queue = queue
        self.client = client
        self.lock = lock
        self.transport = transport
        files = seams.files
        clock = seams.clock
    }

    private static func queue(
        _ configuration: BackgroundSessionConfiguration, _ seams: UploaderSeams, in directory: Directory,
        client: UploadClient, transport: any Transport
    ) throws(NetworkResponseError) -> TransferQueue {
        do {
            let store = try Self.store(
                in: directory, files: seams.files, clock: seams.clock, logger: configuration.logger)
            try store.adoptEarlierUploads(hasProvider: configuration.requestProvider != nil)
            var settings = TransferQueue.Configuration(lanes: .perTransfer)
            settings.retryOwner = .caller
            settings.policy.maximumWindow = max(1, configuration.maximumConnectionsPerHost)
            return try TransferQueue(
                store: store, configuration: settings, client: client, transport: transport, clock: seams.clock,
                logger: configuration.logger)
        } catch {
            throw NetworkResponseError(.storage, "\(error)")
        }
    }

    private static func root(
        _ configuration: BackgroundSessionConfiguration, files: any FileSystem
    ) throws(NetworkResponseError) -> Directory {
        guard let path = configuration.resolvedRootDirectory else {
            throw NetworkResponseError(.storage, "there is no home directory: set a root directory")
        }
        do {
            try files.makeDirectories(path, permissions: 0o700)
            let directory = try files.openDirectory(path)
            if let name = directory.remoteFileSystemName {
                throw NetworkResponseError(.storage, "\(path) is on \(name), where locks cannot be trusted")
            }
            return directory
        } catch let error as NetworkResponseError {
            throw error
        } catch {
            throw NetworkResponseError(.storage, "\(error)")
        }
    }

    private static func locked(_ directory: Directory) throws(NetworkResponseError) -> OwnerLock {
        do {
            let lock = try OwnerLock("owner.lock", in: directory)
            if try lock.tryLock() { return lock }
        } catch {
            throw NetworkResponseError(.storage, "\(error)")
        }
        throw NetworkResponseError(.ownedElsewhere, "another uploader works with \(directory.path)")
    }

    private static let ledgerName: EntryName = "ledger.sqlite"

    private static func store(
        in directory: Directory, files: any FileSystem, clock: any SystemClock, logger: Logger
    ) throws -> TransferStore {
        let path = directory.path(of: ledgerName)
        // Made here, because SQLite would let the umask decide who may read it.
        if try files.metadata(of: ledgerName, in: directory) == nil {
            _ = try files.createFile(ledgerName, in: directory)
        }
        do {
            return try TransferStore(path: path, clock: clock)
        } catch let error as SQLiteError where error.isDamage {
            logger.error("Ledger is damaged; set aside", metadata: ["path": "\(path)", "error": "\(error)"])
            try setAside(in: directory, files: files, time: clock.wallMilliseconds)
            _ = try files.createFile(ledgerName, in: directory)
            return try TransferStore(path: path, clock: clock)
        }
    }

    /// Never wiped: the ledger and its log stay beside the new one for whoever wants to look.
    private static func setAside(in directory: Directory, files: any FileSystem, time: Int64) throws {
        for suffix in ["-wal", "-shm", ""] {
            guard let name = EntryName(ledgerName.description + suffix),
                let newName = EntryName("\(ledgerName).corrupt-\(time)\(suffix)"),
                try files.metadata(of: name, in: directory) != nil
            else { continue }
            try files.rename(name, in: directory, to: newName, in: directory)
        }
        try files.syncDirectory(directory)
    }

    // MARK: - One upload

    /// A request checked and a file measured: all that a row needs.
    struct Upload: Sendable {
        let request: HTTPRequest
        let transfer: NewTransfer
    }

    func prepare(
        _ request: HTTPRequest, _ path: FilePath, _ identifier: String
    ) async throws(NetworkResponseError) -> Upload {
        let endpoint = try request.endpoint
        let file = try UploadFile(path.string, files: files)
        let hash = try await file.hash()
        let stored = TransferRecord.StoredRequest(
            origin: endpoint.origin, method: request.method.rawValue, url: endpoint.description,
            headerNames: request.headerFields.map(\.name.canonicalName), bodyPath: file.path.string,
            bodyHash: hash.hex)
        let transfer = NewTransfer(
            identifier: identifier, label: "upload", metadata: "{}", byteCount: Int64(clamping: file.byteCount),
            seenWall: clock.wallMilliseconds, request: stored)
        return Upload(request: request, transfer: transfer)
    }

    /// Writes the transfer down, or finds it.
    func enrol(_ upload: Upload, _ ticket: UploadTicket) async throws(NetworkResponseError) -> UploadEnrolment {
        try await storing {
            try await queue.change { [client] store in
                // It ended between the ticket and here; the one who has waited longer may have marked it as seen.
                if ticket.outcome != nil { return .live }
                let enrolment = try store.enrolUpload(upload.transfer)
                if case .live = enrolment { client.remember(upload.request, for: upload.transfer.identifier) }
                return enrolment
            }
        }
    }

    func acknowledge(_ identifier: String) async throws(NetworkResponseError) {
        try await storing { try await queue.change { store in try store.acknowledge(identifier) } }
    }

    /// - Returns: whether there was an unfinished transfer that is not under way.
    func cancel(_ identifier: String) async throws(NetworkResponseError) -> Bool {
        let isCancelled = try await storing {
            try await queue.change { store in
                guard let record = try store.queries.record(identifier), record.state.isLive,
                    record.state != .sending
                else { return false }
                try store.settle(identifier, as: .removed, reason: "cancelled")
                try store.acknowledge(identifier)
                return true
            }
        }
        if isCancelled {
            client.end(identifier, .failed(.init(.cancelled, "the transfer was cancelled")))
        }
        return isCancelled
    }

    private func storing<Result>(
        _ body: () async throws -> Result
    ) async throws(NetworkResponseError) -> Result {
        do {
            return try await body()
        } catch {
            guard !isClosed.withLock({ $0 }) else {
                throw NetworkResponseError(.cancelled, "the uploader was shut down")
            }
            throw NetworkResponseError(.storage, "\(error)")
        }
    }

    /// Ends the life in order. Nothing drives the queue any more.
    func close() async {
        isClosed.withLock { $0 = true }
        // A ledger that is not marked as closed is looked through at the next open, and that is all.
        try? await queue.close()
        await transport.shutdown()
        lock.unlock()
    }
}
