import Background
import DurableIO
public import HTTPTypes
public import SystemPackage

extension Reporter {
    /// Submits bytes with a request of the caller's own, to the server that the request names.
    ///
    /// On return the report survives a crash and a power cut, and is being sent. ``submitPending(deadline:)`` and
    /// ``run()`` try it again like all other reports. The method, the URL and the names of the header fields are
    /// written to disk, but never the values of the fields. After a restart, a request with header fields has to come
    /// from ``Configuration/existingReportHandler``, or from submitting the same bytes again.
    ///
    /// The body is sent like that of all reports: compressed, with `Content-Encoding`, `Content-Length`,
    /// `Idempotency-Key`, digests and `Report-` headers that the reporter sets. If the spool already has a report with
    /// the same bytes, there is no second report. As long as the known report is not delivered, the newer request
    /// replaces the earlier request. If the known report was delivered, nothing is sent.
    /// - Parameters:
    ///   - payload: The report's bytes.
    ///   - request: A PUT, POST or PATCH to an absolute URL without user name and password.
    ///   - kind: The report's kind. The default, `nil`, derives the kind from the content.
    ///   - identifier: The program's name for the report. It is never sent.
    ///   - annotations: See ``collect(_:kind:name:annotations:)``.
    /// - Returns: The report's id.
    /// - Throws: ``ReportsError`` when the request cannot be used, the disk is full or a limit is exceeded.
    ///   `CancellationError` when the task is cancelled before the last MiB of a larger payload is compressed; then
    ///   nothing is stored.
    @discardableResult
    public func submit(
        _ payload: [UInt8], request: HTTPRequest, kind: ReportKind? = nil, identifier: String? = nil,
        annotations: [String: String] = [:]
    ) async throws -> String {
        let own = try CallerRequest(request)
        let subject = identifier ?? "report"
        let id = try await OwnThreads.run {
            try ReportProducer(spool: place.spool()).checkSpace(for: UInt64(payload.count), from: subject)
            return try await store(
                .bytes(payload), request,
                as: ReportCollector.Description(
                    kind: kind, name: identifier.map { Array($0.utf8) }, annotations: annotations, request: own),
                from: subject)
        }
        joinOrStart()
        return id
    }

    /// Submits a file with a request of the caller's own; see ``submit(_:request:kind:identifier:annotations:)``.
    ///
    /// The file is copied, and stays where it is. The memory used does not depend on the size of the file.
    /// - Parameters:
    ///   - file: A regular file.
    ///   - identifier: The program's name for the report. The default, `nil`, is the name of the file. It is never
    ///     sent.
    ///   - request: A PUT, POST or PATCH to an absolute URL without user name and password.
    ///   - kind: The report's kind. The default, `nil`, derives the kind from the content.
    ///   - annotations: See ``collect(_:kind:name:annotations:)``.
    /// - Returns: The report's id.
    /// - Throws: ``ReportsError`` when the request or the file cannot be used, or the disk is full. `CancellationError`
    ///   when the task is cancelled while the file is read; then nothing is stored.
    @discardableResult
    public func submit(
        fileAt file: FilePath, identifier: String? = nil, request: HTTPRequest, kind: ReportKind? = nil,
        annotations: [String: String] = [:]
    ) async throws -> String {
        let own = try CallerRequest(request)
        let id = try await OwnThreads.run {
            let spool = try place.spool()
            let opened = try PayloadFile.open(file, files: spool.files)
            try ReportProducer(spool: spool).checkSpace(for: opened.facts, from: file.string)
            let name = identifier.map { Array($0.utf8) } ?? PayloadFile.name(of: file)
            return try await store(
                opened.source(), request,
                as: ReportCollector.Description(kind: kind, name: name, annotations: annotations, request: own),
                from: file.string)
        }
        joinOrStart()
        return id
    }

    private func store(
        _ source: consuming PayloadSource, _ request: HTTPRequest, as description: ReportCollector.Description,
        from subject: String
    ) async throws -> String {
        try await store(
            source, as: description, from: subject, willAppear: { id in callerRequests.remember(request, for: id) })
    }

    /// The spool directory that is used when the caller names none.
    ///
    /// It is `$REPORTS_SPOOL`, else `/var/lib/reports` if that is a spool and the caller is root or its owner, else
    /// `$XDG_STATE_HOME/reports`, else `~/.local/state/reports`. For a user without a home directory it may be `nil`.
    /// The tool uses the same directory.
    public static var defaultSpool: FilePath? { SpoolLocation()?.path }
}
