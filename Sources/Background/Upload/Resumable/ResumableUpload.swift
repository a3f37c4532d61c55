import DurableIO
import HTTPTypes

/// One attempt to send a large body in parts, to a server that says it can ("Resumable Uploads for HTTP",
/// draft-ietf-httpbis-resumable-upload), and whole to any other.
///
/// What the server has acknowledged is kept in the ledger; how much it has is asked of it before every part that does
/// not follow at once upon an acknowledged one. Nothing begins a resource on a server that has not announced the draft:
/// one that ignores it would take the empty beginning for a report.
package struct ResumableUpload: Sendable {
    /// Bodies up to this size go whole: 8 MiB. It is also the size of a part.
    package static let threshold: UInt64 = 8 << 20
    /// Below this a server that finds parts too large is taken at its word: 64 KiB.
    static let smallestPart: UInt64 = 64 << 10
    /// So often an upload is gone on with that does not grow; then it begins anew.
    static let patience = 3

    let request: TransferRequest
    let body: TransferBody
    let transport: any Transport
    /// Makes durable how far it has come, and is told whether that is further than before.
    package typealias Keeper = @Sendable (_ progress: String?, _ hasAdvanced: Bool) async throws -> Void

    let keep: Keeper
    let partSize: UInt64
    private var progress: ResumableProgress?
    private var hasBegunAnew = false
    /// The answer to the latest request.
    private var latest: TransferAnswer?
    /// Whether with that answer the upload has come further.
    private var hasGrown = false
    /// As in the progress, also while there is none.
    private var waits = 0

    /// - Parameters:
    ///   - request: the request as it would be sent whole.
    ///   - saved: what an earlier attempt has kept.
    ///   - transport: what it is sent over.
    ///   - partSize: the most one part has. The default is ``threshold``; smaller ones are for tests.
    ///   - keep: makes an attempt's progress durable.
    package init?(
        _ request: TransferRequest, saved: String?, over transport: any Transport, partSize: UInt64 = threshold,
        keep: @escaping Keeper
    ) {
        guard let body = request.body, body.byteCount > partSize else { return nil }
        self.request = request
        self.body = body
        self.transport = transport
        self.keep = keep
        self.partSize = partSize
        if let saved = saved.flatMap(ResumableProgress.init),
            saved.target == ResumableProgress.target(of: request)
        {
            progress = saved
        }
        waits = progress?.waits ?? saved.map { ResumableProgress.waits(text: $0, before: request) } ?? 0
    }

    /// How the exchange goes on after a request.
    private enum Step {
        /// The next part, at the offset that the server has just confirmed.
        case append
        /// The server is asked how much it has; after trouble it had better be more than before.
        case look(afterTrouble: Bool)
        case begin
        /// The whole body in one request.
        case sendWhole
        case end(TransportResult)
    }

    package mutating func run() async -> TransportResult {
        var step = progress == nil ? Step.begin : .look(afterTrouble: false)
        do {
            if progress == nil, waits >= Self.patience {
                // The answer to the report itself counts, whatever questions about it lead to; then it is asked again.
                waits = 0
                try await save()
                step = .sendWhole
            }
            while true {
                if Task.isCancelled { return .noAnswer(.interrupted) }
                if let answer = try await wish(before: step) { return .postponed(answer) }
                switch step {
                case .begin: step = try await begin()
                case .look(let afterTrouble): step = try await look(afterTrouble: afterTrouble)
                case .append: step = try await append()
                case .sendWhole: return await transport.send(request)
                case .end(let outcome): return outcome
                }
            }
        } catch {
            return .noAnswer(.localTrouble("\(error)"))
        }
    }

    // MARK: - Waiting

    /// The latest answer, if its server wishes to be waited for before the next request, which another attempt makes then.
    ///
    /// While the upload does not come further this ends ``patience`` attempts in a row: a server that puts the wish into its
    /// every answer would else never get anything.
    private mutating func wish(before step: Step) async throws -> TransferAnswer? {
        if case .end = step { return nil }
        guard let answer = latest, answer.asksToWait, hasGrown || waits < Self.patience else { return nil }
        if !hasGrown { waits += 1 }
        if case .look(afterTrouble: true) = step { progress?.stalls += 1 }
        try await save()
        return answer
    }

    private mutating func ask(_ exchange: TransferRequest) async -> TransportResult {
        let outcome = await transport.send(exchange)
        hasGrown = false
        if case .answer(let answer) = outcome { latest = answer } else { latest = nil }
        return outcome
    }

    // MARK: - Beginning

    private mutating func begin() async throws -> Step {
        var limit: UploadLimit?
        var version = InteropVersion.eight
        for candidate in InteropVersion.allCases where limit == nil {
            version = candidate
            switch await discover(candidate) {
            case .answer(let answer):
                limit = Self.announcement(answer, candidate)
                // The second question is one more request.
                if limit == nil, let answer = try await wish(before: .begin) { return .end(.postponed(answer)) }
            // Whatever stands in between may not let the question through, but the report.
            case .noAnswer(.failure(let failure)) where failure.didConnect: return .sendWhole
            case let outcome: return .end(outcome)
            }
        }
        if limit != nil, let answer = try await wish(before: .begin) { return .end(.postponed(answer)) }
        guard let limit, body.byteCount >= limit.minimumSize ?? 0, limit.maximumAppend ?? .max >= Self.smallestPart
        else { return .sendWhole }
        // Too large for the server: it will say so itself.
        guard body.byteCount <= limit.maximumSize ?? .max else { return .sendWhole }
        return try await create(version, limit)
    }

    private mutating func discover(_ version: InteropVersion) async -> TransportResult {
        var question = exchange(.options, request.endpoint, request.fields.ofEachPart, version)
        question.answerTimeout = min(question.answerTimeout ?? 30, 30)
        return await ask(question)
    }

    /// What a server that knows the draft says of itself; `nil` from any other.
    private static func announcement(_ answer: TransferAnswer, _ version: InteropVersion) -> UploadLimit? {
        guard answer.status / 100 == 2 else { return nil }
        if let text = answer.fields[.uploadLimit] { return UploadLimit(text) }
        let takesParts = answer.fields[.acceptPatch]?.contains("application/partial-upload") == true
        return version == .eight && takesParts ? UploadLimit() : nil
    }

    private mutating func create(_ version: InteropVersion, _ limit: UploadLimit) async throws -> Step {
        let part = min(partSize, limit.maximumAppend ?? .max)
        var creation = exchange(request.method, request.endpoint, request.fields, version)
        creation.fields[.uploadComplete] = "?0"
        creation.fields[.uploadLength] = String(body.byteCount)
        // Carefully, with nothing in it, so that its address is known before a byte is lost; where that is too little
        // for the server, the first part comes along.
        let first = limit.minimumAppend ?? 0 > 0 ? min(max(part, limit.minimumAppend ?? 0), body.byteCount - 1) : 0
        creation.body = body.slice(at: 0, count: first)
        let answer: TransferAnswer
        switch await ask(creation) {
        case .answer(let given): answer = given
        case let outcome: return .end(outcome)
        }
        guard answer.status / 100 == 2 else { return Self.isAboutTheWhole(answer) ? .end(.answer(answer)) : .sendWhole }
        guard answer.fields.isUploadComplete != true, let location = answer.fields[.location],
            let resource = request.endpoint.resolving(location: location),
            // Credentials go along with each part.
            resource.origin == request.endpoint.origin
        else { return .sendWhole }
        progress = ResumableProgress(
            of: request, version: version, resource: resource.description, partLimit: part)
        hasGrown = true
        try await save()
        return first > 0 ? .look(afterTrouble: false) : .append
    }

    /// Whether a refusal of the beginning is one of the report, or a wish to be asked later.
    private static func isAboutTheWhole(_ answer: TransferAnswer) -> Bool {
        answer.fields.isUploadComplete == true || answer.status == 413 || isPassing(answer.status)
    }

    // MARK: - Going on

    private mutating func look(afterTrouble: Bool) async throws -> Step {
        guard var progress, let resource = try? Endpoint(progress.resource),
            resource.origin == request.endpoint.origin, progress.stalls < Self.patience
        else { return try await beginAnew() }
        let answer: TransferAnswer
        switch await ask(exchange(.head, resource, request.fields.ofEachPart, progress.version)) {
        case .answer(let given): answer = given
        case let outcome: return .end(outcome)
        }
        guard answer.status / 100 == 2 else {
            // A resource may be bound to credentials that have changed since: then it is as good as gone.
            let isGone = !Self.isPassing(answer.status) || answer.status == 403
            return isGone ? try await beginAnew() : .end(.answer(answer))
        }
        // A whole upload whose last answer was lost may have been refused: only an answer is one.
        guard answer.fields.isUploadComplete != true, let offset = answer.fields.uploadOffset, offset < body.byteCount
        else { return try await beginAnew() }
        let hasAdvanced = progress.move(to: offset, afterTrouble: afterTrouble)
        self.progress = progress
        try await save(hasAdvanced: hasAdvanced)
        return .append
    }

    private mutating func append() async throws -> Step {
        guard let progress, let resource = try? Endpoint(progress.resource) else { return try await beginAnew() }
        let count = min(progress.partLimit, body.byteCount - progress.offset)
        let isLast = progress.offset + count == body.byteCount
        var part = exchange(.patch, resource, request.fields.ofEachPart, progress.version)
        part.fields[.contentType] = "application/partial-upload"
        part.fields[.uploadOffset] = String(progress.offset)
        part.fields[.uploadComplete] = isLast ? "?1" : "?0"
        part.body = body.slice(at: progress.offset, count: count)
        if let onProgress = request.onProgress { part.onProgress = { onProgress(progress.offset + $0) } }
        switch await ask(part) {
        case .answer(let answer): return try await take(answer, to: count, isLast: isLast)
        // Cut off: the server knows what has come, and is asked at once while there is any.
        case .noAnswer(.failure(let failure)) where failure.didConnect: return .look(afterTrouble: true)
        case let outcome: return .end(outcome)
        }
    }

    private mutating func take(_ answer: TransferAnswer, to count: UInt64, isLast: Bool) async throws -> Step {
        guard var progress else { return .begin }
        let isWhole = isLast && answer.fields.uploadOffset ?? body.byteCount == body.byteCount
        let isFinal = answer.fields.isUploadComplete ?? (isWhole && answer.status / 100 == 2)
        if isFinal {
            // The whole is with the server, whatever it says of it.
            var answer = answer
            answer.isWholeBodySent = answer.isWholeBodySent && isLast
            answer.bytesSent = body.byteCount
            try await drop()
            return .end(.answer(answer))
        }
        switch answer.status {
        case 200..<300:
            let acknowledged = answer.fields.uploadOffset ?? progress.offset + count
            guard acknowledged > progress.offset, acknowledged <= progress.offset + count else {
                return .look(afterTrouble: true)
            }
            let hasAdvanced = progress.move(to: acknowledged, afterTrouble: false)
            self.progress = progress
            hasGrown = true
            try await save(hasAdvanced: hasAdvanced)
            return .append
        case 409: return .look(afterTrouble: true)
        case 413 where progress.partLimit > Self.smallestPart:
            self.progress?.partLimit = max(Self.smallestPart, progress.partLimit / 2)
            return .look(afterTrouble: false)
        case 404, 410: return try await beginAnew()
        case let status where Self.isPassing(status) || status == 413: return .end(.answer(answer))
        default:
            // It can do less than it says.
            try await drop()
            return .sendWhole
        }
    }

    /// Whether an answer is about now, and not about this upload.
    private static func isPassing(_ status: Int) -> Bool {
        let disposition = ResponseDisposition.of(
            status: status, contentType: nil, isPlainHTTP: false, isLoopbackHost: true)
        return disposition == .notNow || [401, 403, 407, 425].contains(status)
    }

    /// The resource is gone, or no good: another one, under the same key, once in an attempt. A server that loses that,
    /// too, cannot put parts together, whatever it announces.
    private mutating func beginAnew() async throws -> Step {
        try await drop()
        guard !hasBegunAnew else { return .sendWhole }
        hasBegunAnew = true
        return .begin
    }

    // MARK: - Requests and records

    private func exchange(
        _ method: HTTPRequest.Method, _ endpoint: Endpoint, _ fields: HTTPFields, _ version: InteropVersion
    ) -> TransferRequest {
        var exchange = TransferRequest(
            endpoint: endpoint, method: method, fields: fields, answerTimeout: request.answerTimeout)
        exchange.patience = request.patience
        exchange.answerByteCount = request.answerByteCount
        exchange.fields[.contentLength] = nil
        exchange.fields[.uploadDraftInteropVersion] = String(version.rawValue)
        // Sent twice, a part would be refused for its offset, and the upload with it.
        exchange.mayBeRepeated = method == .options || method == .head
        return exchange
    }

    private mutating func save(hasAdvanced: Bool = false) async throws {
        if hasAdvanced { waits = 0 }
        progress?.waits = waits
        let beforeBeginning = waits > 0 ? ResumableProgress.text(waits: waits, before: request) : nil
        try await keep(progress?.text ?? beforeBeginning, hasAdvanced)
    }

    private mutating func drop() async throws {
        progress = nil
        try await save()
    }
}

extension TransferRequest {
    /// Sends a body of more than 8 MiB in parts, if the server can, and anything else as it is.
    ///
    /// - Parameters:
    ///   - saved: the transfer's ``TransferRecord/progress``.
    ///   - transport: what it is sent over.
    ///   - keep: makes progress durable.
    /// - Returns: what came of it: the last answer when all of it is there.
    package func sendInParts(
        saved: String?, over transport: any Transport, keep: @escaping ResumableUpload.Keeper
    ) async -> TransportResult {
        guard var upload = ResumableUpload(self, saved: saved, over: transport, keep: keep) else {
            return await transport.send(self)
        }
        return await upload.run()
    }
}
