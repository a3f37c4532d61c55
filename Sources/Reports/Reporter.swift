public import Background
import DurableIO
public import HTTPTypes
public import Logging
import Synchronization
public import SystemPackage

/// Collects reports into a spool, and submits the pending reports of that spool.
///
/// ```swift
/// let reporter = try Reporter(
///     spool: "/var/spool/shop", destination: .http("https://diagnostics.example.com/reports/{id}"))
/// let summary = try await reporter.submitPending(deadline: .seconds(5))
/// ```
/// Once ``collect(_:kind:name:annotations:)`` has returned, the report is delivered at least once, or ends in a named
/// state that a person can see and reverse. This holds when the program, the machine or the network fails in between. A
/// reporter does no work before one of its functions is called.
///
/// ## The way of a report
///
/// A dropped report goes through nine steps in this order. The steps from claim to settle are repeated for each
/// attempt. Most steps are the work of the spool's *owner*, the one process that holds the spool's lock. A step runs
/// only when everything that the step above it makes durable is on disk. So a crash between two steps leaves something
/// that the next owner finds.
///
/// | step | what happens | a crash just after it leaves |
/// |---|---|---|
/// | drop | a program renames a complete file into `incoming/` | the drop |
/// | take | the owner of the spool renames the drop into `taken/` | the taken drop |
/// | collect | the payload is read once, hashed and compressed into `tmp/` | a file that the next owner removes |
/// | publish | the file is synced and renamed, its directory is synced | safe bytes without a row |
/// | enrol | the ledger gets a row, or counts one more in a known row; then the source is unlinked | row and file |
/// | claim | the attempt is counted, before its first byte leaves | a row that the next owner makes due again |
/// | send | the report goes to its destination | an unknown result: it is sent again with the same key |
/// | settle | the ledger gets the result | a result and a file |
/// | release | the file is unlinked, or moved to `parked/` | nothing to do |
///
/// ``collect(_:kind:name:annotations:)`` begins with the third step and returns after the fourth.
///
/// A report is in one state at a time. It is `incoming` until it is enrolled, then `queued`. It is `sending` while an
/// attempt lasts, `waiting` until a time, or `held` until something changes. A report ends as `delivered`, `rejected`,
/// `exhausted`, `evicted` or `removed`. A rejected or exhausted report is parked until a person retries or removes it.
/// The bytes of an evicted report were deleted to keep a limit. The bytes of a removed report were deleted by a person,
/// or were missing.
public final class Reporter: Sendable {
    /// The settings of a reporter. The reporter copies them when it is made.
    public struct Configuration: Sendable {
        /// The limits of what the spool may hold.
        public var limits = SpoolLimits()
        /// The largest number of reports under way to one server at the same time, from 1 to 64. The default is 16.
        public var maximumConcurrent = 16
        /// The TLS settings, the proxies and the timeouts, for each destination that has no settings of its own
        /// (``Destination/connection``).
        ///
        /// If these settings name a file that cannot be used, a submission fails with
        /// ``ReportsError/Code/badConfiguration``. Collecting a report does not need these files.
        public var connection = ConnectionSettings()
        /// Whether any user of the machine may drop files into `incoming/`. The default is `false`.
        public var isShared = false
        /// The annotations that each report gets, by their keys: each that is collected or submitted, and each drop that
        /// this reporter takes in. The default is none.
        ///
        /// ```swift
        /// configuration.annotations = ["service": "shop", "version": "2.1", "host": .fact(.host)]
        /// ```
        /// The annotations of a call count more than these, except for facts and fixed values. A key has at most 64
        /// bytes of `[A-Za-z0-9._-]`, a value at most 1 KiB without control characters. There are at most 64
        /// annotations, with 16 KiB in all; a fact counts for 1 KiB. Two keys that differ only in case are one key, and
        /// an error. If a report has no space for all of its annotations, the ones that are set here and are neither
        /// facts nor fixed are left out of that report.
        public var annotations: [String: ReportAnnotation] = [:]
        /// A closure that gives the request of a report that the program submitted with
        /// ``Reporter/submit(_:request:kind:identifier:annotations:)`` before it was restarted.
        ///
        /// The request has to be given again because the values of its header fields are never written to disk. The
        /// reporter calls the closure at each attempt. When the closure returns `nil`, the report rests. The reporter
        /// calls the closure again in the next submission that it begins. With the default, `nil`, all such reports
        /// rest until the same bytes are submitted again. If programs share a spool, the reporter also calls the
        /// closure for reports of the other programs: look at the URL before you sign a request.
        public var existingReportHandler: (@Sendable (ExistingReport) async throws -> HTTPRequest?)?
        /// The logger. The default logs nothing. Bodies, URLs and headers are never logged.
        public var logger = Logger(label: "reports", factory: { _ in SwiftLogNoOpLogHandler() })

        /// Makes a configuration with the default values.
        public init() {}
    }

    let place: SpoolPlace
    private let ownerConfiguration: SpoolOwner.Configuration
    let callerRequests: CallerRequests
    private let running = Mutex<Running?>(nil)

    /// The newest of this reporter's submissions. A submission waits for the earlier submissions.
    private struct Running {
        let number: Int
        let task: Task<SubmissionSummary, any Error>
    }

    /// Makes a reporter and checks its arguments. The first collect or submit makes a missing spool and its missing
    /// parent directories.
    ///
    /// - Parameters:
    ///   - path: The spool directory. The default, `nil`, is ``defaultSpool``.
    ///   - destination: The destination of reports that have no request of their own. With the default, `nil`, those
    ///     reports stay in the spool.
    ///   - configuration: Limits and other settings.
    /// - Throws: ``ReportsError`` when the URL is invalid, when ``Configuration/annotations`` break their bounds
    ///   (``ReportsError/Code/badArgument``), or when the directory at the path cannot be a spool of this version.
    public convenience init(
        spool path: FilePath? = nil, destination: Destination? = nil, configuration: Configuration = Configuration()
    ) throws {
        _ = try destination?.validate()
        try self.init(path, destination.map { Routing($0) }, configuration)
    }

    /// Makes a reporter whose destinations are checked.
    init(_ path: FilePath?, _ routing: Routing?, _ configuration: Configuration) throws {
        guard let path = path ?? Self.defaultSpool else {
            throw ReportsError(.badConfiguration, "there is no home directory: name the spool")
        }
        var options = ReportSpool.Options()
        options.limits = configuration.limits
        options.isShared = configuration.isShared
        options.annotations = try AnnotationRules(configuration.annotations)
        try ReportSpool.check(path, options: options)
        place = SpoolPlace(path, options: options, logger: configuration.logger)
        callerRequests = CallerRequests(handler: configuration.existingReportHandler)
        var owner = SpoolOwner.Configuration(routing: routing)
        owner.callerRequests = callerRequests
        owner.maximumConcurrent = min(max(configuration.maximumConcurrent, 1), 64)
        owner.connection = configuration.connection
        owner.logger = configuration.logger
        ownerConfiguration = owner
    }

    /// Makes a reporter with any clock and any network, for tests.
    package init(
        spool: ReportSpool, owner: SpoolOwner.Configuration, existingReports: CallerRequests.Handler? = nil
    ) {
        place = SpoolPlace(spool, logger: owner.logger)
        callerRequests = CallerRequests(handler: existingReports)
        var owner = owner
        owner.callerRequests = callerRequests
        ownerConfiguration = owner
    }

    /// The directory into which other programs drop reports, by renaming complete files.
    ///
    /// Reading this property makes the directory, and nothing else of the spool, so that a program that crashes before
    /// its first collect or submit leaves its crash there. When the directory cannot be made, the first collect or
    /// submit throws the reason.
    public var incomingDirectory: FilePath { place.madeIncoming() }

    // MARK: - Collecting

    /// Stores a report. On return the report survives a crash and a power cut.
    ///
    /// If the spool already has a report with the same bytes, or has delivered such a report, there is no second
    /// report: the count of the known report increases. The work runs on threads of this package. A process compresses
    /// at most as many payloads at the same time as it has cores less one, but at least one. A payload whose source
    /// delivers no bytes keeps no other payload waiting.
    /// - Parameters:
    ///   - payload: The report's bytes. An empty payload is a report, too.
    ///   - kind: The report's kind. The default, `nil`, derives the kind from the content.
    ///   - name: A file name for people. It is never sent.
    ///   - annotations: At most 64 pairs, with keys of at most 64 bytes of `[A-Za-z0-9._-]` and values of at most 1
    ///     KiB. The report also gets those of ``Configuration/annotations``.
    /// - Returns: The report's id, the SHA-256 of the payload in hexadecimal.
    /// - Throws: ``ReportsError`` when the disk is full or a limit is exceeded. `CancellationError` when the task is
    ///   cancelled before the last MiB is compressed; then nothing is stored. A payload of up to 1 MiB is stored even
    ///   if the task is cancelled.
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
    /// The memory used does not depend on the size of the file. For a growing log, in text or journal lines, this
    /// stores the bytes that the file held when it was opened.
    /// - Parameters:
    ///   - file: A regular file.
    ///   - kind: The report's kind. The default, `nil`, derives the kind from the content.
    ///   - annotations: See ``collect(_:kind:name:annotations:)``.
    /// - Returns: The report's id.
    /// - Throws: ``ReportsError`` when the file cannot be read, when the file changes while it is read and is no
    ///   growing log, or when the disk is full. `CancellationError` when the task is cancelled while the file is read;
    ///   then nothing is stored.
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

    /// Stores a payload as soon as ``PayloadSlots`` has a slot for the payload. `willAppear` gets the report's id
    /// before any owner can find the report.
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
            // A pipe may deliver no bytes for as long as its writer likes, so its reading occupies neither a slot nor a
            // thread that other payloads need.
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

    /// Takes in dropped reports and sends the reports that are due: first the crashes, the newest first, then the
    /// others, beginning with the report that has been due longest. Every fourth report is the one that has been due
    /// longest.
    ///
    /// This returns immediately when nothing is due. The deadline ends the wait, not the work: the reporter goes on
    /// sending until nothing is due, ``shutdown()`` is called, or the program exits. It is no error when another
    /// process works on the spool.
    /// - Parameter deadline: The longest time to wait. The default, `nil`, waits until no due report can be sent.
    /// - Returns: The result. When the deadline ends the wait, the result is the state of the spool at that time.
    /// - Throws: ``ReportsError`` when the spool or its ledger cannot be used.
    @discardableResult
    public func submitPending(deadline: Duration? = nil) async throws -> SubmissionSummary {
        let task = joinOrStart()
        guard let deadline else { return try await task.value }
        if let summary = try await value(of: task, within: deadline) { return summary }
        return try await OwnThreads.run { try SpoolInspector(spool: place.spool()).summary() }
    }

    /// Waits for a task's value; `nil` when the time was up before the value came, or when the wait was cancelled. The
    /// task goes on.
    private func value(
        of task: Task<SubmissionSummary, any Error>, within deadline: Duration
    ) async throws -> SubmissionSummary? {
        // A wait for a task's value cannot be given up, but a wait for a stream can.
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

    /// Submits reports until the task is cancelled: new drops within about a quarter of a second, retries when they are
    /// due, and an hourly probe for held reports. Nothing wakes the process while nothing comes and nothing is due, but for
    /// a look at the spool's limits every ten minutes. Reports that a full disk has kept from being taken in whole are
    /// brought in when there is space again.
    /// - Throws: ``ReportsError`` when the spool or its ledger cannot be used. When the spool's directory is removed or
    ///   replaced, this is logged at `error` and ends the call within a second. The next call makes the spool again.
    public func run() async throws {
        while !Task.isCancelled {
            let spool = try await OwnThreads.run { () async throws(ReportsError) in try place.spool() }
            var submission = Submission(spool: spool, configuration: ownerConfiguration)
            submission.wait = .max
            _ = try await OwnThreads.run { [submission] in try await submission.run() }
            // A room of the spool was removed or replaced. The spool makes it again.
            try? await place.clock.sleep(milliseconds: 1_000)
        }
    }

    /// Ends the work that ``submitPending(deadline:)`` left running.
    ///
    /// The reporter stops the attempts that are under way. Their reports stay in the spool, and the next submission
    /// sends them.
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
                // A report that was collected after the earlier submission's last look at the spool needs another
                // submission.
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
    /// The whole milliseconds of the duration, limited to the range of the type.
    var wholeMilliseconds: Int64 {
        let (seconds, attoseconds) = components
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000)
        return overflow ? (seconds < 0 ? .min : .max) : product + attoseconds / 1_000_000_000_000_000
    }
}
