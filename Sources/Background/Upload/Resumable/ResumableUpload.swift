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

    /// Makes durable how far it has come, and is told whether that is further than before.
    package typealias Keeper = @Sendable (_ progress: String?, _ hasAdvanced: Bool) async throws -> Void

    let request: TransferRequest
    let body: TransferBody
    let partSize: UInt64
    private let transport: any Transport
    private let keep: Keeper
    var progress: ResumableProgress?
    /// Whether this attempt has given an upload up already.
    var hasBegunAnew = false
    /// The answer to the latest request.
    private var latest: TransferAnswer?
    /// Whether with that answer the upload has come further.
    var hasGrown = false
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
    enum Step {
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
                case .end(let result): return result
                }
            }
        } catch {
            return .noAnswer(.localTrouble("\(error)"))
        }
    }

    // MARK: - Waiting

    /// The latest answer, if its server wishes to be waited for before the next request, which another attempt makes
    /// then.
    ///
    /// While the upload does not come further this ends ``patience`` attempts in a row: a server that puts the wish
    /// into its every answer would else never get anything.
    mutating func wish(before step: Step) async throws -> TransferAnswer? {
        if case .end = step { return nil }
        guard let answer = latest, answer.asksToWait, hasGrown || waits < Self.patience else { return nil }
        if !hasGrown { waits += 1 }
        if case .look(afterTrouble: true) = step { progress?.stalls += 1 }
        try await save()
        return answer
    }

    /// Hands a request to the transport, and remembers the answer.
    mutating func ask(_ exchange: TransferRequest) async -> TransportResult {
        let result = await transport.send(exchange)
        hasGrown = false
        if case .answer(let answer) = result { latest = answer } else { latest = nil }
        return result
    }

    // MARK: - Requests and records

    /// A request of the exchange, with what the caller's request says of patience.
    func exchange(
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

    /// Makes durable how far the upload has come.
    mutating func save(hasAdvanced: Bool = false) async throws {
        if hasAdvanced { waits = 0 }
        progress?.waits = waits
        let beforeBeginning = waits > 0 ? ResumableProgress.text(waits: waits, before: request) : nil
        try await keep(progress?.text ?? beforeBeginning, hasAdvanced)
    }

    /// Forgets the upload: no later attempt goes on with it.
    mutating func drop() async throws {
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
