import DurableIO
import Reports
import Synchronization

/// The work of `watch`: one run after another that owns the spool, until a signal ends it. A new run begins with new
/// settings, when the spool was removed or replaced, or when trouble has ended the one before.
final class Watching: Sendable {
    private let global: GlobalOptions
    private let sending: SendingOptions
    private let log: WatchLog
    private let manager = ServiceManager(variable: Environment.value)
    private let clock = LinuxClock()
    private let memory = IdleMemory()
    private let news = WatchNews()
    private let state = Mutex(State())

    /// Settings, and what an owner makes of them.
    private struct Plan: Sendable {
        let settings: Settings
        let configuration: SpoolOwner.Configuration

        /// What it comes to, for a person who reads the log.
        func words(of spool: ReportSpool) -> String {
            let endpoints = SettingsDescription.endpoints(settings)
            return "watching \(spool.root.path)" + (endpoints.isEmpty ? "" : ", sending to ")
                + endpoints.joined(separator: ", ")
        }
    }

    private struct State {
        var isEnding = false
        /// Read at a SIGHUP, and not in force yet.
        var next: Plan?
        /// Whether a run with the present plan has looked at the spool.
        var isProven = false
        /// Whether any run has. What comes later is trouble that may pass, and ends nothing.
        var hasBegun = false
        /// Whether the service manager waits to be told that the settings are read.
        var isReloading = false
        var task: Task<Void, any Error>?
        var standing: SpoolEvent?
        /// What was said of the plan in force.
        var plan: String?
        /// What has ended the last run, as it was said.
        var trouble: String?
        /// How long the next rest after trouble is, in milliseconds.
        var rest = Watching.shortestRest
    }

    /// The time between two runs, where the spool was removed or replaced, in milliseconds: somebody may be at it.
    private static let pause: Int64 = 1_000
    /// How long it rests after trouble, in milliseconds: twice as long each time.
    private static let shortestRest: Int64 = 1_000
    private static let longestRest: Int64 = 60_000
    /// How long requests under way may go on at the end, and before new settings are in force, in milliseconds: most end
    /// within it, and none of those is sent twice.
    private static let grace: Int64 = 1_000

    init(_ global: GlobalOptions, _ sending: SendingOptions, _ log: WatchLog) {
        self.global = global
        self.sending = sending
        self.log = log
    }

    /// Works until a signal ends it.
    /// - Throws: what keeps the first run from beginning, unless it may pass by itself.
    func run() async throws {
        try global.tellOfRootsRuns { log.say(.warning, $0) }
        var plan = try self.plan(global.settings(sending))
        LastingSignals.handle(onEnd: end, onReload: reload)
        var earlier: Plan?
        while !isEnding {
            do {
                try await work(by: plan)
            } catch {
                if let before = earlier, !isEnding, !hasNext, isUnusable(error) {
                    // What the settings name was there when they were read, and is not now.
                    sayKept(error)
                    (plan, earlier) = (before, nil)
                    continue
                }
                try await rest(after: error)
            }
            let isProven = state.withLock(\.isProven)
            guard let next = takeNext() else { continue }
            if isProven { earlier = plan }
            plan = next
        }
    }

    private var isEnding: Bool { state.withLock(\.isEnding) }
    private var hasNext: Bool { state.withLock { $0.next != nil } }

    private func takeNext() -> Plan? {
        state.withLock { state in
            guard let next = state.next.take() else { return nil }
            state.isProven = false
            return next
        }
    }

    /// Whether it is the settings that keep the present plan from its first look.
    private func isUnusable(_ error: any Error) -> Bool {
        (error as? ReportsError)?.code == .badConfiguration && !state.withLock(\.isProven)
    }

    /// One run.
    private func work(by plan: Plan) async throws {
        let spool = try global.openOrMake(plan.settings)
        var submission = Submission(spool: spool, configuration: plan.configuration)
        submission.wait = .max
        submission.watching.pulseInterval = manager.pulseInterval
        submission.watching.onPulse = { [manager] in manager.pulse() }
        submission.watching.news = news
        let words = plan.words(of: spool)
        submission.watching.onReady = { [weak self] in self?.ready(words) }
        do {
            try await doing { [submission] in _ = try await submission.run() }
        } catch {
            guard !spool.isInPlace || !spool.hasItsRooms else { throw error }
            if !isEnding { log.say(.error, Self.words(error)) }
        }
        guard !isEnding, !spool.isInPlace || !spool.hasItsRooms else { return }
        log.say(.warning, "the spool \(spool.root.path) is opened again, and what is missing of it is made")
        await sleep(Self.pause)
    }

    /// Does something that a signal cuts short.
    private func doing(_ work: @escaping @Sendable () async throws -> Void) async throws {
        let task = Task(operation: work)
        let isOver = state.withLock { state in
            state.task = task
            return state.isEnding || state.next != nil
        }
        if isOver { task.cancel() }
        try await task.value
    }

    /// Settings as an owner uses them, with a word about what is odd in them.
    /// - Throws: what makes them unusable. The files that they name are read, too.
    private func plan(_ settings: Settings) throws -> Plan {
        for line in SettingsDescription.hints(settings) { log.say(.warning, line) }
        let routing = try settings.routing()
        if let routing {
            for line in try Router(routing).checkSurroundings() { log.say(.warning, "\(line); its reports wait") }
        } else {
            log.say(.warning, "\(settings.noEndpointWords); reports are taken in, and none is sent")
        }
        var configuration = SpoolOwner.Configuration(routing: routing)
        configuration.maximumConcurrent = settings.sending.maximumConcurrent
        configuration.connection = settings.connection
        configuration.onEvent = { [weak self] in self?.tell($0) }
        // While it ends there are no signs of life.
        configuration.grace = min(Self.grace, manager.pulseInterval ?? .max)
        try configuration.checkConnections()
        return Plan(settings: settings, configuration: configuration)
    }

    // MARK: - Trouble

    /// Rests, and then the next run may begin. Each rest is twice as long as the one before, until a run has begun.
    /// - Throws: the error, if no run has begun yet and waiting does not help.
    private func rest(after error: any Error) async throws {
        guard !isEnding, !hasNext else { return }
        let mayPass = state.withLock(\.hasBegun) || (error as? ReportsError)?.isPassing == true
        guard mayPass else { throw error }
        let words = Self.words(error)
        let (isNew, isReloading, time) = state.withLock { state in
            defer {
                state.trouble = words
                state.standing = nil
                state.isReloading = false
                state.rest = min(2 * state.rest, Self.longestRest)
            }
            return (state.trouble != words, state.isReloading, state.rest)
        }
        if isNew { log.say(.error, "\(words); it is tried again until it works, at last once a minute") }
        manager.tell(status: "trouble: \(words)")
        // The settings are read, whatever else is wrong.
        if isReloading { manager.ready() }
        await sleep(time)
    }

    /// Sleeps, with signs of life, until the time is over or a signal comes.
    private func sleep(_ milliseconds: Int64) async {
        try? await doing { [manager, clock] in
            let end = clock.bootMilliseconds + milliseconds
            while !Task.isCancelled {
                manager.pulse()
                let left = end - clock.bootMilliseconds
                guard left > 0 else { return }
                try await clock.sleep(milliseconds: min(left, manager.pulseInterval ?? .max))
            }
        }
    }

    private static func words(_ error: any Error) -> String { (error as? ReportsError)?.message ?? "\(error)" }

    private func sayKept(_ error: any Error) {
        log.say(.error, "\(Self.words(error)); the settings stay as they were")
    }

    // MARK: - What happens

    /// A run has looked at the spool for the first time.
    private func ready(_ words: String) {
        let (hadTrouble, isNew) = state.withLock { state in
            defer {
                (state.isProven, state.hasBegun, state.isReloading) = (true, true, false)
                (state.trouble, state.rest, state.plan) = (nil, Self.shortestRest, words)
            }
            return (state.trouble != nil, state.plan != words)
        }
        if hadTrouble { log.say(.information, "the work goes on") }
        if isNew { log.say(.information, words) }
        manager.ready()
    }

    private func tell(_ event: SpoolEvent) {
        memory.releaseSoon()
        switch event {
        case .standing(let waiting, let held, let next):
            let isNew = state.withLock { state in
                defer { state.standing = event }
                return state.standing != event
            }
            guard isNew else { return }
            manager.tell(status: Self.status(waiting: waiting, held: held, next: next))
        case .ownedElsewhere:
            // The standing is to be told again afterwards, even if it is the same.
            let isReloading = state.withLock { state in
                defer { (state.standing, state.isReloading) = (nil, false) }
                return state.isReloading
            }
            manager.tell(status: "another process owns the spool: waiting for its end")
            // The settings are read, and the wait may be long.
            if isReloading { manager.ready() }
        default: break
        }
        log.tell(event)
    }

    private static func status(waiting: Int, held: Int, next: Int64?) -> String {
        var parts = [waiting == 0 ? "nothing waits" : "\(waiting) waiting"]
        if held > 0 { parts.append("\(held) held") }
        if let next { parts.append("next attempt \(RFC3339.string(milliseconds: next))") }
        return parts.joined(separator: ", ")
    }

    // MARK: - Signals

    @Sendable private func end() {
        manager.stopping()
        let task = state.withLock { state in
            state.isEnding = true
            return state.task
        }
        task?.cancel()
    }

    /// Reads the settings again. If they are not usable, the run goes on with those that it has.
    @Sendable private func reload() {
        manager.reloading()
        do {
            let next = try plan(global.settings(sending))
            let task = state.withLock { state in
                (state.next, state.isReloading) = (next, true)
                return state.task
            }
            task?.cancel()
            log.say(.information, "the settings are read again")
        } catch {
            sayKept(error)
            manager.ready()
        }
    }
}
