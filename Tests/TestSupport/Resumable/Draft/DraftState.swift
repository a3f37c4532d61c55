/// All that a ``DraftResumableServer`` knows, and what it does about each step of a request; no sockets.
struct DraftState: Sendable {
    /// What to do about a head.
    enum Reaction {
        /// Answered from the head alone.
        case answer(Answer)
        /// The content is taken, after an interim answer if there is one.
        case take(interim: Answer?)
    }

    static let version = "8"
    static let uploadsPath = "/uploads/"

    var rules: DraftRules
    var record = ServerRecord()
    var faults = DraftFaultPlan()
    /// The clock, which only tests move.
    var seconds = 0
    var uploads: [DraftUpload] = []
    /// By the requests' numbers.
    var transfers: [Int: DraftTransfer] = [:]
    /// Connections whose requests have been overtaken by others; the server ends them.
    var hangUps: [Int] = []

    /// Where the requests of the server as it runs now are in the record.
    private var positions: [Int: Int] = [:]
    private var firstConnection = 0

    init(rules: DraftRules) {
        self.rules = rules
    }

    /// Makes ready for connections and requests that are numbered from 0 again.
    mutating func restart(losingState: Bool) {
        positions = [:]
        transfers = [:]
        firstConnection = record.connectionCount
        record.isStopped = false
        if losingState { uploads = [] }
    }

    // MARK: The steps of a request

    /// Decides from the head; `nil` if the content is to be taken without an interim answer.
    mutating func receiveHead(_ request: ReceivedRequest) -> Answer? {
        log(request)
        let exchange = exchange(of: request)
        let fault = faults.next(exchange)
        if case .refuse(let answer) = fault { return answer }
        switch react(to: request, exchange, fault) {
        case .answer(let answer): return replaced(answer, by: fault)
        case .take(let interim): return interim?.then(.whenComplete)
        }
    }

    /// Stores a piece of content; the answer, if there is one, is given before the next piece.
    mutating func receive(_ piece: ArraySlice<UInt8>, of request: Int) -> Answer? {
        if let position = positions[request] {
            record.requests[position].bodyByteCount += piece.count
            let logged = record.requests[position]
            record.requests[position].isComplete = logged.bodyByteCount == logged.contentLength
        }
        // Answered from its head, or overtaken: what still comes has no meaning.
        guard let transfer = transfers[request] else { return nil }
        let kept = piece.prefix(transfer.breakOff.map { max(0, $0 - transfer.byteCount) } ?? piece.count)
        transfers[request]?.byteCount += kept.count
        if transfer.contentDigest != nil { kept.withUnsafeBytes { transfers[request]?.hasher.update($0) } }
        if let refusal = overflow(of: transfer, with: kept.count) {
            detach(request)
            return refusal.then(.close)
        }
        uploads[transfer.upload].body.append(kept)
        if let breakOff = transfer.breakOff, transfer.byteCount + kept.count >= breakOff {
            detach(request)
            return .reset
        }
        return progress(of: request)
    }

    /// Decides about a request whose content has come completely.
    mutating func receiveEnd(of request: Int) -> Answer {
        if let position = positions[request] { record.requests[position].isComplete = true }
        guard let transfer = detach(request) else { return .close }
        return transfer.breakOff == nil ? replaced(finish(transfer), by: transfer.fault) : .reset
    }

    /// A connection ended in mid-content; what has come stays.
    mutating func receiveBreak(of request: Int) {
        guard let transfer = detach(request) else { return }
        if transfer.exchange == .ordinary { record.abandoned.append("connection ended") }
    }

    /// Ends a request's part in its upload.
    @discardableResult
    mutating func detach(_ request: Int) -> DraftTransfer? {
        guard let transfer = transfers.removeValue(forKey: request) else { return nil }
        uploads[transfer.upload].transfer = nil
        return transfer
    }

    // MARK: Heads

    private mutating func log(_ request: ReceivedRequest) {
        var logged = request
        logged.index = record.requests.count
        logged.connection += firstConnection
        logged.isComplete = BodyReader(request.headers).isEmpty
        positions[request.index] = logged.index
        record.requests.append(logged)
        record.connectionCount = max(record.connectionCount, logged.connection + 1)
    }

    private func exchange(of request: ReceivedRequest) -> DraftExchange {
        guard rules.speaksDraft, hasRightVersion(request) else { return .ordinary }
        if request.method == "OPTIONS" { return .discovery }
        if request.target.hasPrefix(Self.uploadsPath) {
            switch request.method {
            case "HEAD": return .retrieval
            case "PATCH": return .append
            case "DELETE": return .cancellation
            default: return .ordinary
            }
        }
        let takesContent = ["POST", "PUT", "PATCH"].contains(request.method)
        return takesContent && request.headers.boolean("Upload-Complete") != nil ? .creation : .ordinary
    }

    private func hasRightVersion(_ request: ReceivedRequest) -> Bool {
        request.headers.values("Upload-Draft-Interop-Version") == [Self.version]
    }

    private mutating func react(
        to request: ReceivedRequest, _ exchange: DraftExchange, _ fault: DraftFault?
    ) -> Reaction {
        switch exchange {
        case .ordinary:
            if rules.speaksDraft, rules.strangers == .areRefused, !hasRightVersion(request) {
                return .answer(.response(400, headers: [("Upload-Draft-Interop-Version", Self.version)]))
            }
            return takeOrdinary(request, fault)
        case .discovery: return .answer(discovery())
        case .creation: return create(request, fault)
        case .retrieval, .append, .cancellation:
            switch find(request, fault) {
            case .failure(let refusal): return .answer(refusal.answer)
            case .success(let upload): return react(to: request, exchange, on: upload, fault)
            }
        }
    }

    private mutating func react(
        to request: ReceivedRequest, _ exchange: DraftExchange, on upload: Int, _ fault: DraftFault?
    ) -> Reaction {
        interrupt(upload)
        switch exchange {
        case .append: return append(request, to: upload, fault)
        case .cancellation:
            uploads[upload].phase = .inaccessible(status: 410)
            return .answer(.response(204))
        case .discovery, .creation, .retrieval, .ordinary: return .answer(retrieval(of: upload, fault))
        }
    }

    private func replaced(_ answer: Answer, by fault: DraftFault?) -> Answer {
        if case .replaceAnswer(let change) = fault { change(answer) } else { answer }
    }
}
