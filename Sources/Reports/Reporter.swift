public import Background
import DurableIO
public import HTTPTypes
public import Logging
import Synchronization
public import SystemPackage

/// Collects reports into a spool, and submits what is pending there.
///
/// ```swift
/// let reporter = try Reporter(
///     spool: "/var/spool/shop", destination: .http("https://diagnostics.example.com/reports/{id}"))
/// let summary = try await reporter.submitPending(deadline: .seconds(5))
/// ```
/// Once ``collect(_:kind:name:annotations:)`` has returned, the report is delivered at least once or ends in a named
/// state that a person can see and reverse, whatever dies in between. Nothing runs before it is asked for.
///
/// ## The life of a report
///
/// A report goes through nine steps, each once. A step runs only when the step above it is durable, so that a crash
/// between two steps leaves something that the next life finds.
///
/// | step | what happens | a crash just after it leaves |
/// |---|---|---|
/// | drop | a program renames a complete file into `incoming/` | the drop |
/// | take | the owner of the spool renames the drop into `taken/` | the taken drop |
/// | collect | the payload is read once, hashed and compressed into `tmp/` | a file that the next owner cleans away |
/// | publish | the file is synced and renamed, its directory is synced | safe bytes without a row |
/// | enrol | the ledger gets a row, or counts a known one; then the source is unlinked | row and file |
/// | claim | the attempt is counted, before its first byte leaves | a row that is given back |
/// | send | the report goes to its destination | an unknown result: it is sent again with the same key |
/// | settle | the ledger gets the outcome | an outcome and a file |
/// | release | the file is unlinked, or moved to `parked/` | nothing to do |
///
/// ``collect(_:kind:name:annotations:)`` begins with the third step and returns after the fourth.
///
/// Between the steps a report is in one state: `incoming` until it is enrolled, then `queued`, `sending` while an
/// attempt lasts, `waiting` for a time, or `held` until something changes. It ends as `delivered`, or as `rejected` or
/// `exhausted`, which are parked until a person retries or removes it, or its bytes are gone and it is `evicted` by a
/// limit or `removed` by a person.
public final class Reporter: Sendable {
    /// Settings of a reporter, copied when it is made.
    public struct Configuration: Sendable {
        /// How much the spool may hold.
        public var limits = SpoolLimits()
        /// How many reports may be under way to one server at once, 1 to 64. The default is 16.
        public var maximumConcurrent = 16
        /// Whom to trust over TLS, through which proxy servers are reached, and how long to wait. A file of it that
        /// cannot be used is ``ReportsError/Code/badConfiguration`` when reports are submitted, not when they are
        /// collected.
        public var connection = ConnectionSettings()
        /// Any user of the machine may drop files into `incoming/`. The default is `false`.
        public var isShared = false
        /// Gives the request of a report that an earlier life of the program submitted with
        /// ``Reporter/submit(_:request:kind:identifier:annotations:)``, because the values of its headers were never
        /// written down. Asked at each attempt; `nil` as the answer lets the report rest until the next life. The
        /// default, `nil`, lets all of them rest, until the same bytes are submitted again. Programs that share a spool
        /// are asked for each other's reports: look at the URL before you sign a request for it.
        public var existingReportHandler: (@Sendable (ExistingReport) async throws -> HTTPRequest?)?
        /// Where to log; the default logs nothing. Bodies, URLs and headers are never logged.
        public var logger = Logger(label: "reports", factory: { _ in SwiftLogNoOpLogHandler() })

        /// The defaults.
        public init() {}
    }

    let place: SpoolPlace
    private let ownerConfiguration: SpoolOwner.Configuration
    let callerRequests: CallerRequests
    private let running = Mutex<Running?>(nil)

    /// The newest of this reporter's submissions, which waits for the ones before it.
    private struct Running {
        let number: Int
        let task: Task<SubmissionSummary, any Error>
    }

    /// Checks what it is given. Nothing is made yet: the spool is, where it is missing, at the first collect or submit,
    /// its parents, too.
    ///
    /// - Parameters:
    ///   - path: The spool directory. The default, `nil`, is ``defaultSpool``.
    ///   - destination: Where reports go that have no request of their own; with `nil`, the default, those stay.
    ///   - configuration: Limits and other settings.
    /// - Throws: ``ReportsError`` when the URL is none, or what is at the path cannot be a spool of this version.
    public init(
        spool path: FilePath? = nil, destination: Destination? = nil, configuration: Configuration = Configuration()
    ) throws {
        _ = try destination?.validate()
        guard let path = path ?? Self.defaultSpool else {
            throw ReportsError(.badConfiguration, "there is no home directory: name the spool")
        }
        var options = ReportSpool.Options()
        options.limits = configuration.limits
        options.isShared = configuration.isShared
        try ReportSpool.check(path, options: options)
        place = SpoolPlace(path, options: options, logger: configuration.logger)
        callerRequests = CallerRequests(handler: configuration.existingReportHandler)
        var owner = SpoolOwner.Configuration(destination: destination)
        owner.callerRequests = callerRequests
        owner.maximumConcurrent = min(max(configuration.maximumConcurrent, 1), 64)
        owner.connection = configuration.connection
        owner.logger = configuration.logger
        ownerConfiguration = owner
    }

    /// For tests: any clock, any network.
    package init(
        spool: ReportSpool, owner: SpoolOwner.Configuration, existingReports: CallerRequests.Handler? = nil
    ) {
        place = SpoolPlace(spool, logger: owner.logger)
        callerRequests = CallerRequests(handler: existingReports)
        var owner = owner
        owner.callerRequests = callerRequests
        ownerConfiguration = owner
    }

    /// The directory other programs drop files into, by renaming a complete file.
    ///
    /// Asking for it makes it, and nothing else of the spool, so that a program that crashes before it has collected or
    /// submitted anything leaves its crash there. Where it cannot be made, the first collect or submit says why.
    public var incomingDirectory: FilePath { place.madeIncoming() }

    // MARK: - Collecting

    /// Stores a report. On return it survives a crash and a power cut.
    ///
    /// The same bytes a second time are the same report and are only counted. The work is done on threads of the
    /// package's own: of all payloads in the process, as many are compressed at once as there are cores less one, and
    /// one where there is one core. None waits for a payload that stands still.
    /// - Parameters:
    ///   - payload: The report's bytes; an empty one is a report, too.
    ///   - kind: What it is about; `nil` derives it from the content.
    ///   - name: A file name for people; it is never sent.
    ///   - annotations: At most 64, keys of at most 64 bytes of `[A-Za-z0-9._-]`, values of at most 1 KiB.
    /// - Returns: The report's id, the SHA-256 of the payload in hexadecimal.
    /// - Throws: ``ReportsError`` when the disk is full or a bound is broken; `CancellationError` when the task is
    ///   cancelled before the last MiB is compressed: then nothing is stored. A payload of up to 1 MiB is stored all
    ///   the same.
    @discardableResult
    public func collect(
        _ payload: [UInt8], kind: ReportKind? = nil, name: String? = nil, annotations: [String: String] = [:]
    ) async throws -> String {
        try await OwnThreads.run {
            let producer = try ReportProducer(spool: place.spool())
            try producer.checkSpace(for: UInt64(payload.count), from: name ?? "report")
            let description = ReportCollector.Description(
                kind: kind, name: name.map { Array($0.utf8) }, annotations: annotations)
            return try await store(.bytes(payload), as: description, from: name ?? "report")
        }
    }

    /// Stores a report from a file, which stays where it is.
    ///
    /// Memory stays flat whatever its size. Of a log that grows meanwhile, in text or journal lines, it stores what the
    /// file held when it was opened.
    /// - Parameters:
    ///   - file: A regular file.
    ///   - kind: What it is about; `nil` derives it from the content.
    ///   - annotations: See ``collect(_:kind:name:annotations:)``.
    /// - Returns: The report's id.
    /// - Throws: ``ReportsError`` when the file cannot be read, changes otherwise meanwhile, or the disk is full;
    ///   `CancellationError` when the task is cancelled while it is read: then nothing is stored.
    @discardableResult
    public func collect(
        contentsOf file: FilePath, kind: ReportKind? = nil, annotations: [String: String] = [:]
    ) async throws -> String {
        try await OwnThreads.run {
            let spool = try place.spool()
            let opened = try PayloadFile.open(file, files: spool.files)
            try ReportProducer(spool: spool).checkSpace(for: opened.facts, from: file.string)
            let description = ReportCollector.Description(
                kind: kind, name: PayloadFile.name(of: file), annotations: annotations)
            return try await store(opened.source(), as: description, from: file.string)
        }
    }

    /// Stores a payload when a slot is free for it. `willAppear` gets the report's id before any owner can find the
    /// report.
    func store(
        _ source: consuming PayloadSource, as description: ReportCollector.Description, from subject: String,
        willAppear: (String) -> Void = { _ in }
    ) async throws -> String {
        let producer = try ReportProducer(spool: place.spool())
        let prepared: ReportProducer.Prepared
        if let byteCount = source.byteCount {
            let slot = try await PayloadSlots.shared.slot(for: byteCount)
            prepared = try producer.prepare(source, as: description, from: subject, betweenBlocks: { slot.pause() })
        } else {
            // A pipe may stand still for as long as its writer likes: it keeps neither a slot nor a thread from others.
            var source = Optional(source)
            prepared = try await OwnThreads.run(on: .forPipes) {
                guard let source = source.take() else { throw CancellationError() }
                return try producer.prepare(source, as: description, from: subject)
            }
        }
        willAppear(prepared.report.id.hex)
        try producer.store([prepared])
        return prepared.report.id.hex
    }

    // MARK: - Submitting

    /// Takes in what was dropped and sends what is due: the newest crash first, then what is due longest.
    ///
    /// Returns at once when nothing is due. The deadline ends the wait, not the work: transfers go on until nothing is
    /// due, ``shutdown()`` or exit. Another process at work on the spool is no error.
    /// - Parameter deadline: How long to wait at most; `nil` waits until nothing due can be sent.
    /// - Returns: What was done; after the deadline, what is known by then.
    /// - Throws: ``ReportsError`` when the spool or its ledger cannot be used.
    @discardableResult
    public func submitPending(deadline: Duration? = nil) async throws -> SubmissionSummary {
        let task = joinOrStart()
        guard let deadline else { return try await task.value }
        if let summary = try await value(of: task, within: deadline) { return summary }
        return try await OwnThreads.run { try SpoolInspector(spool: place.spool()).summary() }
    }

    /// A task's value; `nil` when the time was up first or the wait was cancelled. The task goes on.
    private func value(
        of task: Task<SubmissionSummary, any Error>, within deadline: Duration
    ) async throws -> SubmissionSummary? {
        // Waiting for a task's value cannot be given up, waiting for a stream can.
        let (outcomes, continuation) = AsyncStream<Result<SubmissionSummary, any Error>?>.makeStream()
        Task { continuation.yield(await task.result) }
        let timer = Task { [clock = place.clock] in
            try await clock.sleep(milliseconds: deadline.wholeMilliseconds)
            continuation.yield(nil)
        }
        defer { timer.cancel() }
        for await outcome in outcomes { return try outcome?.get() }
        return nil
    }

    /// Submits for as long as the task lives: new drops within a second, retries when they are due, and an hourly
    /// probe where something holds reports back.
    /// - Throws: ``ReportsError`` when the spool or its ledger cannot be used. When the spool's directory was removed
    ///   or replaced, that is logged at `error` and ends the run within a second; the next call makes the spool anew.
    public func run() async throws {
        while !Task.isCancelled {
            let spool = try await OwnThreads.run { () async throws(ReportsError) in try place.spool() }
            var submission = Submission(spool: spool, configuration: ownerConfiguration)
            submission.wait = .max
            _ = try await OwnThreads.run { [submission] in try await submission.run() }
            // Another process owns the spool; it may end any time.
            try? await place.clock.sleep(milliseconds: 1_000)
        }
    }

    /// Ends what ``submitPending(deadline:)`` left running; what is under way is given back and sent another time.
    public func shutdown() async {
        let task = running.withLock { $0?.task }
        task?.cancel()
        _ = await task?.result
    }

    @discardableResult
    func joinOrStart() -> Task<SubmissionSummary, any Error> {
        running.withLock { running in
            let earlier = running?.task
            let number = (running?.number ?? 0) + 1
            let submission = { [place, ownerConfiguration] () throws -> Submission in
                var submission = try Submission(spool: place.spool(), configuration: ownerConfiguration)
                submission.waitsForOwner = false
                return submission
            }
            let task = Task(executorPreference: OwnThreads.shared) { [weak self] in
                defer { self?.ended(number) }
                guard let earlier else { return try await submission().run() }
                let summary = try await withTaskCancellationHandler {
                    try await earlier.value
                } onCancel: {
                    earlier.cancel()
                }
                // What was collected after its last look wants a look of its own.
                let next = try submission()
                return next.hasArrivals ? try await next.run() : summary
            }
            running = Running(number: number, task: task)
            return task
        }
    }

    private func ended(_ number: Int) {
        running.withLock { running in
            if running?.number == number { running = nil }
        }
    }
}

extension Duration {
    /// Saturating.
    var wholeMilliseconds: Int64 {
        let (seconds, attoseconds) = components
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000)
        return overflow ? (seconds < 0 ? .min : .max) : product + attoseconds / 1_000_000_000_000_000
    }
}
