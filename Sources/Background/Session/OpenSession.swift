package import DurableIO
import HTTPTypes
import Logging
import Synchronization
import SystemPackage

/// The parts of a session that tests replace.
package struct SessionSeams: Sendable {
    package var files: any FileSystem = POSIXFileSystem()
    package var clock: any SystemClock = LinuxClock()
    /// The transport that tests use; `nil` for the real transport.
    package var transport: (any Transport)?

    package init() {}
}

/// A session in use: the owner of the root directory's ledger, and the engine that works on it.
final class OpenSession: Sendable {
    let queue: TransferQueue
    let client: SessionClient
    private let host: LedgerHost
    private let transport: any Transport
    private let logger: Logger
    private let isClosed = Mutex(false)
    private let metDamage = Mutex<SQLiteError?>(nil)

    /// Takes the lock, makes missing files, and opens the ledger.
    ///
    /// This is not an initializer that throws, because the optimizer of Swift 6.3.1 aborts on such an initializer in a
    /// class that holds a `Mutex`. If the handle has a request provider, the transfers of the handle's kind go on,
    /// because the provider makes their requests.
    static func open(
        for handle: SessionHandle, progress: ProgressWatchers, damage: LedgerDamage
    ) async throws(NetworkResponseError) -> OpenSession {
        let place = try SessionPlace.make(handle.configuration, handle.seams)
        let host = try SessionPlace.host(of: place)
        var transport: (any Transport)?
        do throws(NetworkResponseError) {
            let chosen = try Self.transport(handle.configuration, handle.seams)
            transport = chosen
            let client = SessionClient(place, progress: progress, logger: handle.configuration.logger)
            let queue = try await Self.queue(for: handle, host, client: client, transport: chosen, damage: damage)
            host.hold(queue)
            let session = OpenSession(
                queue: queue, client: client, host: host, transport: chosen, logger: handle.configuration.logger)
            try await session.lookBack()
            return session
        } catch {
            await transport?.shutdown()
            await host.abandon()
            throw error
        }
    }

    private init(
        queue: TransferQueue, client: SessionClient, host: LedgerHost, transport: any Transport, logger: Logger
    ) {
        self.logger = logger
        self.queue = queue
        self.client = client
        self.host = host
        self.transport = transport
        client.write { [weak queue] rowName, progress, byteCount, hasAdvanced in
            try await queue?.note(progress: progress, byteCount: byteCount, hasAdvanced: hasAdvanced, of: rowName)
        }
    }

    /// Registers the transfers that an earlier process left unfinished, and removes files that no transfer will ask for
    /// again.
    private func lookBack() async throws(NetworkResponseError) {
        try await storing {
            let unfinished = try await queue.look { queries in
                try TransferKind.allCases.flatMap { try queries.pending(label: $0.rawValue) }
            }.filter(\.state.isLive)
            // All unfinished transfers go on by themselves, except those that rest until a caller asks, and those that
            // are put off because the process died.
            let goingOn = unfinished.filter {
                !($0.state == .held && ($0.reason == .held(.caller) || $0.reason == .held(.poison)))
            }
            client.earlier.add(goingOn.map(\.identifier))
            for record in unfinished where record.state == .held && record.reason == .held(.poison) {
                log(
                    "Transfer is held: the process died each time it alone was under way", record.identifier,
                    record.strikes)
            }
            let needed = try await queue.look { try $0.pending(label: TransferKind.download.rawValue) }
            let place = host.place
            try DownloadDirectory.clean(in: place.directory, files: place.files, keeping: needed)
            try TemporaryCleaner(files: place.files, directory: place.temporary).clean()
            place.layReserve()
        }
    }

    private func log(_ message: Logger.Message, _ rowName: String, _ strikes: Int) {
        let identifier = TransferKind(ofRow: rowName).identifier(ofRow: rowName)
        logger.notice(message, metadata: ["transfer.id": "\(identifier)", "strikes": "\(strikes)"])
    }

    private static func queue(
        for handle: SessionHandle, _ host: LedgerHost, client: SessionClient, transport: any Transport,
        damage: LedgerDamage
    ) async throws(NetworkResponseError) -> TransferQueue {
        let (configuration, clock) = (handle.configuration, handle.seams.clock)
        let label = configuration.requestProvider == nil ? nil : handle.kind.rawValue
        do {
            let store = try await withTaskCancellationHandler {
                try SessionPlace.open(host, damage, logger: configuration.logger)
            } onCancel: {
                host.interrupter.interrupt()
            }
            try host.place.freeingReserve {
                try store.restEarlierTransfers(exceptLabel: label)
                if let label { try store.transaction { () throws in try store.wakeResting(label: label) } }
            }
            var settings = TransferQueue.Configuration()
            settings.retryOwner = .caller
            settings.policy.maximumWindow = max(1, configuration.maximumConnectionsPerHost)
            return try TransferQueue(
                store: store, configuration: settings, client: client, transport: transport, clock: clock,
                logger: configuration.logger)
        } catch let error where error is CancellationError || (error as? SQLiteError)?.isInterruption == true {
            throw NetworkResponseError(.cancelled, "the session was shut down")
        } catch {
            throw NetworkResponseError(.storage, "\(error)")
        }
    }

    private static func transport(
        _ configuration: BackgroundSessionConfiguration, _ seams: SessionSeams
    ) throws(NetworkResponseError) -> any Transport {
        if let transport = seams.transport { return transport }
        do {
            return try HTTPTransport.open(
                files: seams.files, maximumConnections: max(1, configuration.maximumConnectionsPerHost),
                settings: configuration.connection)
        } catch {
            throw NetworkResponseError(.invalidSettings, "\(error)")
        }
    }

    // MARK: - One transfer

    /// Writes a transfer down, or finds it.
    func findOrInsert(
        _ work: TransferWork, _ waiter: TransferWaiter
    ) async throws(NetworkResponseError) -> FoundTransfer {
        try await storing {
            let found = try await queue.change { [client] store -> FoundTransfer in
                // The transfer ended after the wait began; an older wait may have marked its result as seen.
                if waiter.result != nil { return .live }
                let found = try store.findOrInsert(work.transfer, keepsResult: work.keepsResult)
                if case .live = found { client.remember(work.request, for: work.transfer.identifier) }
                return found
            }
            if case .live = found, let strikes = try await queue.attend(to: work.transfer.identifier) {
                log("Transfer under way when the process died is tried alone", work.transfer.identifier, strikes)
            }
            return found
        }
    }

    func acknowledge(
        _ rowName: String, _ prepare: @Sendable @escaping () throws -> Void = {}
    ) async throws(NetworkResponseError) {
        try await storing {
            try await queue.change { store in
                guard let record = try store.queries.record(rowName), !record.state.isLive else { return }
                try prepare()
                try store.acknowledge(rowName)
            }
        }
    }

    /// Makes the resting transfers of a kind due, because another handle has joined that can make their requests.
    func goOn(_ kind: TransferKind) async throws(NetworkResponseError) {
        try await storing { try await queue.change { store in try store.wakeResting(label: kind.rawValue) } }
    }

    func pending(_ kind: TransferKind) async throws(NetworkResponseError) -> [PendingTransfer] {
        try await storing { try await queue.pending(kind) }
    }

    /// - Returns: whether an unfinished transfer was taken out.
    func cancel(_ rowName: String, _ waiter: TransferWaiter) async throws(NetworkResponseError) -> Bool {
        let cancelled = NetworkResponseError(.cancelled, "the transfer was cancelled")
        switch try await storing({ try await queue.cancel(rowName) }) {
        case .nothingToCancel: return false
        case .removed:
            client.end(rowName, .failed(cancelled))
            return true
        case .ending:
            guard case .failed(let error) = await waiter.wait() else { return false }
            return error == cancelled
        }
    }

    private func storing<Result>(
        _ body: () async throws -> Result
    ) async throws(NetworkResponseError) -> Result {
        do {
            return try await body()
        } catch let error as NetworkResponseError {
            throw error
        } catch {
            note(error)
            guard !isClosed.withLock({ $0 }) else {
                throw NetworkResponseError(.cancelled, "the session was shut down")
            }
            throw NetworkResponseError(.storage, "\(error)")
        }
    }

    /// Remembers an error that says the ledger holds something else than it should.
    func note(_ error: any Error) {
        guard let error = error as? SQLiteError, error.isDamage else { return }
        metDamage.withLock { $0 = error }
    }

    /// The damage that was found in the ledger during the work.
    var damage: SQLiteError? { metDamage.withLock { $0 } }

    /// Closes the session in order, unless the ledger is damaged. The queue has no drive any more.
    func close() async {
        isClosed.withLock { $0 = true }
        await transport.shutdown()
        if damage != nil {
            await host.abandon()
        } else {
            // If the ledger cannot be marked as closed, the only effect is that the next opening checks it.
            try? await host.close()
        }
    }
}

extension TransferQueue {
    fileprivate func pending(_ kind: TransferKind) throws -> [PendingTransfer] {
        try store.queries.pending(label: kind.rawValue).map { record in
            let opens = record.request.flatMap { gate(of: $0.origin).opensAt }
            return PendingTransfer(record, kind: kind, gateOpens: opens, now: store.now)
        }
    }
}
