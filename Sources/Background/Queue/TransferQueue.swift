package import DurableIO
package import Logging

/// The engine: the only one that decides which transfer is sent when, and what becomes of it.
///
/// A transfer is claimed and counted before its first byte leaves, and settled before anybody acts on the result. All
/// decisions fall in one loop, each turn of which is one commit; between them everything known survives a crash, and
/// the next life sends again what was under way. While things go well a turn serves many transfers: they are claimed a
/// few milliseconds ahead, and settled a few behind (``SendingSlots``). Nothing runs unless somebody drives the queue.
package actor TransferQueue {
    /// Who decides when a transfer that the server put off is sent again.
    package enum RetryOwner: Sendable {
        case engine
        /// The answer is handed back; the transfer rests until it is asked for again.
        case caller
    }

    /// How long a drive lasts.
    package enum Persistence: Sendable, Hashable {
        /// Until nothing that is due can be sent now.
        case whileDue
        /// Waits for what is due later, until a time on the boot clock in milliseconds, or for ever.
        case waiting(until: Int64?)
    }

    package struct Configuration: Sendable {
        /// To which origin each lane leads in this run. Rows of other lanes are left alone, but for those whose lane
        /// names its origin itself.
        package var destinations: [Lane: String]
        package var retryOwner: RetryOwner = .engine
        package var policy = RetryPolicy()
        /// Whether in each drive the newest row of the first rank goes before all others.
        package var sendsNewestOfFirstRankFirst = false

        package init(destinations: [Lane: String] = [:]) {
            self.destinations = destinations
        }
    }

    let store: TransferStore
    let configuration: Configuration
    package nonisolated let client: any TransferClient
    let transport: any Transport
    let clock: any SystemClock
    let logger: Logger
    var generator: any RandomNumberGenerator & Sendable
    let mailbox = Mailbox<FinishedAttempt>()
    let slots = SendingSlots()

    var origins: [String: OriginRecord]
    /// To which origin the ledger says that lanes lead.
    var storedLanes: [Lane: String]
    /// Rows claimed and not settled, those included that wait for a slot.
    var inFlight: [Int64: InFlight] = [:]
    /// Rows sent to find out whether what holds others still holds.
    var probes: Set<Int64> = []
    /// Rows whose attempts were told to end, and that go with them.
    var cancelled: Set<Int64> = []
    /// Suspects that somebody asks for.
    var asked: Set<Int64> = []
    var isDriven = false
    /// How often something was claimed: with each time another lane has the first turn.
    var claimCount = 0
    /// Lanes whose newest row of the first rank has gone first in this drive.
    var lanesBegun: Set<Lane> = []

    struct InFlight {
        let route: Route
        var isSuspect: Bool
    }

    /// A lane, and the origin whose gate its rows go through.
    struct Route: Hashable {
        let lane: Lane
        let origin: String
    }

    /// Takes a store freshly opened; rows an earlier life left in flight are given back here.
    package init(
        store: sending TransferStore, configuration: Configuration, client: any TransferClient,
        transport: any Transport, clock: any SystemClock, logger: Logger,
        generator: any RandomNumberGenerator & Sendable = SystemRandomNumberGenerator()
    ) throws {
        if case .unclean(let isSameBoot) = store.earlierEnd {
            try store.transaction { () throws in
                try store.recoverInterrupted(isSameBoot: isSameBoot)
                try store.recountTally()
            }
        }
        origins = Dictionary(
            try store.queries.origins().map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        storedLanes = try store.queries.lanes()
        self.store = store
        self.configuration = configuration
        self.client = client
        self.transport = transport
        self.clock = clock
        self.logger = logger
        self.generator = generator
    }

    /// Changes the ledger: all of it or nothing, durable on return. Wakes the drive.
    package func change<Result: Sendable>(
        _ body: @Sendable (TransferStore) throws -> Result
    ) async throws -> Result {
        let result = try await committing { store in try body(store) }
        mailbox.wake()
        return result
    }

    /// What a wish to take a transfer out came to.
    package enum Cancellation: Hashable, Sendable {
        /// There is no unfinished transfer of that name.
        case nothingToCancel
        case removed
        /// It is under way and was told to end; unless the server has accepted it by then, it is removed.
        case ending
    }

    /// Takes an unfinished transfer out of the queue.
    package func cancel(_ identifier: String) async throws -> Cancellation {
        guard let record = try store.queries.record(identifier), record.state.isLive else { return .nothingToCancel }
        if inFlight[record.rowID] != nil {
            cancelled.insert(record.rowID)
            slots.cancel(record.rowID)
            return .ending
        }
        return try await change { store in
            guard try store.queries.record(identifier)?.state.isLive == true else { return .nothingToCancel }
            try store.end(identifier, as: .removed, reason: .cancelled)
            try store.acknowledge(identifier)
            return .removed
        }
    }

    package func look<Result: Sendable>(_ body: @Sendable (LedgerQueries) throws -> Result) throws -> Result {
        try body(store.queries)
    }

    /// Transfers with bytes older than an age in milliseconds, counted on the ledger's own axis.
    ///
    /// Looks at every such transfer only when the oldest of the last such look may be that old by now.
    package func enrolled(longerAgoThan age: Int64, limit: Int) async throws -> [TransferRecord] {
        let time = store.now - age
        if let oldest = try store.queries.oldestEnrolmentNoted(), oldest >= time { return [] }
        let found = try store.queries.enrolled(before: time, limit: limit)
        guard found.isEmpty, let oldest = try store.queries.oldestEnrolment() else { return found }
        try await committing { store in try store.note(oldestEnrolment: oldest) }
        return []
    }

    /// Makes it durable that this life moves files; see ``TransferStore/begin()``.
    package func begin() async throws {
        do {
            try store.begin()
        } catch let error as SQLiteError where error.isOutOfSpace {
            store.giveBackLog()
            _ = await client.freeLedgerSpace()
            try store.begin()
        }
    }

    /// Files and rows may disagree: the next life reconciles, even after an orderly end of this one.
    package func distrustFiles() {
        store.distrustFiles()
    }

    /// Ends the life without order, after an error: the next one reconciles.
    package func abandon() {
        store.abandon()
    }

    /// Ends the life in order. The queue must not be driven any more.
    package func close() throws {
        try store.close()
    }

    /// When an origin with due transfers may be tried again, on the wall's clock in milliseconds.
    package func nextAttemptWall() throws -> Int64? {
        var earliest: Int64?
        for route in try routes() {
            guard let due = try store.queries.nextDue(lane: route.lane) else { continue }
            let opens = origins[route.origin]?.gate.opensAt ?? due
            earliest = min(earliest ?? .max, max(due, opens))
        }
        return earliest.map { max(store.wall(of: $0), store.wallNow) }
    }

    /// A transaction that, when the disk is full, makes do with the space the ledger's log has taken, and frees the
    /// ledger's reserve only when that is not enough. What is delivered meanwhile frees more.
    ///
    /// What a try that failed has changed besides the ledger is taken back by `undo`, at once: between two tries others may
    /// change the same.
    func committing<Result>(
        undoing undo: () -> Void = {}, _ body: (TransferStore) throws -> Result
    ) async throws -> Result {
        func tried() throws -> Result {
            do {
                return try store.transaction { () throws in try body(store) }
            } catch {
                undo()
                throw error
            }
        }
        do {
            return try tried()
        } catch let error as SQLiteError where error.isOutOfSpace {
            store.giveBackLog()
        }
        do {
            return try tried()
        } catch let error as SQLiteError where error.isOutOfSpace {
            guard await client.freeLedgerSpace() else { throw error }
            logger.notice("Ledger's disk is full; its reserve was freed")
            store.giveBackLog()
            return try tried()
        }
    }

    /// The lanes that have something for this run to send: first the destinations', then those that name their origin.
    func routes() throws -> [Route] {
        let routes = try store.queries.liveLanes().compactMap { lane in
            (lane.ownOrigin ?? configuration.destinations[lane]).map { Route(lane: lane, origin: $0) }
        }
        return routes.filter { $0.lane.ownOrigin == nil } + routes.filter { $0.lane.ownOrigin != nil }
    }

    /// Readers ask where a lane leads, to know which gate its rows wait for.
    func saveLanes() async throws {
        let changed = configuration.destinations.filter { storedLanes[$0.key] != $0.value }
        guard !changed.isEmpty else { return }
        try await committing { store in
            for (lane, origin) in changed { try store.save(lane, leadsTo: origin) }
        }
        storedLanes.merge(changed) { $1 }
    }

    func gate(of route: Route) -> OriginGate {
        origins[route.origin]?.gate ?? OriginGate()
    }

    func update(_ origin: String, _ change: (inout OriginRecord) throws -> Void) rethrows {
        var record = origins[origin] ?? OriginRecord(name: origin, gate: OriginGate())
        try change(&record)
        origins[origin] = record
    }
}
