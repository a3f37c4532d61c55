import DurableIO
import Reports
import Synchronization

/// The work of `watch`: one run after another that owns the spool, until a signal ends it. A new run begins with new
/// settings, or when the spool was removed or replaced.
final class Watching: Sendable {
    private let global: GlobalOptions
    private let sending: SendingOptions
    private let log: WatchLog
    private let manager = ServiceManager(variable: Environment.value)
    private let state = Mutex(State())

    private struct State {
        var isEnding = false
        /// Read at a SIGHUP, and not in force yet.
        var next: Settings?
        var task: Task<SubmissionSummary, any Error>?
        var standing: SpoolEvent?
    }

    /// The time between two runs, where the spool was removed or replaced, in milliseconds: somebody may be at it.
    private static let pause: Int64 = 1_000

    init(_ global: GlobalOptions, _ sending: SendingOptions, _ log: WatchLog) {
        self.global = global
        self.sending = sending
        self.log = log
    }

    /// Works until a signal ends it.
    /// - Throws: what keeps the first run from beginning, or a later one from going on.
    func run() async throws {
        var settings = try global.settings(sending)
        var configuration = try configuration(settings)
        LastingSignals.handle(onEnd: end, onReload: reload)
        while !isEnding {
            let spool = try global.openOrMake(settings)
            try await work(spool, configuration)
            guard let next = state.withLock({ $0.next.take() }) else { continue }
            settings = next
            configuration = try self.configuration(next)
        }
    }

    private var isEnding: Bool { state.withLock(\.isEnding) }

    /// One run.
    private func work(_ spool: ReportSpool, _ configuration: SpoolOwner.Configuration) async throws {
        var submission = Submission(spool: spool, configuration: configuration)
        submission.wait = .max
        submission.watching.pulseInterval = manager.pulseInterval
        submission.watching.onPulse = { [manager] in manager.pulse() }
        submission.watching.onReady = { [manager] in manager.ready() }
        let task = Task { [submission] in try await submission.run() }
        let isOver = state.withLock { state in
            state.task = task
            return state.isEnding || state.next != nil
        }
        if isOver { task.cancel() }
        do {
            _ = try await task.value
        } catch {
            guard !isEnding else { return }
            guard !spool.isInPlace || !spool.hasItsRooms else { throw error }
            log.say(.error, (error as? ReportsError)?.message ?? "\(error)")
        }
        guard !spool.isInPlace || !spool.hasItsRooms else { return }
        log.say(.warning, "the spool \(spool.root.path) is opened again, and what is missing of it is made")
        try? await spool.clock.sleep(milliseconds: Self.pause)
    }

    /// The configuration of an owner, with a word about what is odd in the settings.
    private func configuration(_ settings: Settings) throws -> SpoolOwner.Configuration {
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
        configuration.onEvent = tell
        return configuration
    }

    // MARK: - What happens

    @Sendable private func tell(_ event: SpoolEvent) {
        if case .standing(let waiting, let held, let next) = event {
            let isNew = state.withLock { state in
                defer { state.standing = event }
                return state.standing != event
            }
            guard isNew else { return }
            manager.tell(status: Self.status(waiting: waiting, held: held, next: next))
        }
        if case .ownedElsewhere = event { manager.tell(status: "another process owns the spool: waiting for its end") }
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
            let settings = try global.settings(sending)
            if let routing = try settings.routing() { try Router(routing).checkSurroundings() }
            let task = state.withLock { state in
                state.next = settings
                return state.task
            }
            log.say(.information, "the settings are read again")
            task?.cancel()
        } catch {
            let words = (error as? ReportsError)?.message ?? "\(error)"
            log.say(.error, "\(words); the settings stay as they were")
            manager.ready()
        }
    }
}
