/// Uploads that begin, and reports that come in one ordinary request.
extension DraftState {
    /// Takes a POST or PUT for a whole report, whatever its fields say.
    mutating func takeOrdinary(_ request: ReceivedRequest, _ fault: DraftFault?) -> Reaction {
        let isUpload = rules.speaksDraft && request.target.hasPrefix(Self.uploadsPath)
        guard ["POST", "PUT"].contains(request.method), !isUpload else {
            let status = request.method == "OPTIONS" ? rules.ordinaryOptionsStatus : 405
            return .answer(.response(status, headers: [("Allow", "POST, PUT")]))
        }
        let upload = DraftUpload(
            path: nil, location: "", origin: request, birth: seconds, body: BodyRecord(keepsBytes: rules.keepsBodies))
        begin(request, .ordinary, with: upload, isLast: true, fault)
        return .take(interim: nil)
    }

    /// Begins an upload, if its length and limits allow that.
    mutating func create(_ request: ReceivedRequest, _ fault: DraftFault?) -> Reaction {
        let isLast = request.headers.boolean("Upload-Complete") == true
        let contentLength = request.contentLength
        let declared = request.headers.integer("Upload-Length")
        let implied = isLast ? contentLength : nil
        if let declared, let implied, declared != implied { return .answer(.inconsistentLength()) }
        if let refusal = refusal(ofLength: declared ?? implied, content: contentLength, isLast: isLast) {
            return .answer(refusal)
        }

        let path = Self.uploadsPath + String(UInt64.random(in: .min ... .max), radix: 36)
        var location = rules.usesRelativeLocation ? path : "http://\(request.headers["Host"] ?? "127.0.0.1")\(path)"
        if case .location(let other) = fault { location = other }
        var upload = DraftUpload(
            path: path, location: location, origin: request, birth: seconds,
            body: BodyRecord(keepsBytes: rules.keepsBodies))
        upload.length = declared ?? implied
        begin(request, .creation, with: upload, isLast: isLast, fault)
        guard rules.sendsInterimResponses else { return .take(interim: nil) }
        let fields =
            [("Upload-Draft-Interop-Version", Self.version), ("Location", location)] + limits(of: uploads.count - 1)
        return .take(interim: .response(104, headers: fields))
    }

    private mutating func begin(
        _ request: ReceivedRequest, _ exchange: DraftExchange, with upload: DraftUpload, isLast: Bool,
        _ fault: DraftFault?
    ) {
        uploads.append(upload)
        attach(request, exchange, to: uploads.count - 1, isLast: isLast, fault)
    }

    /// Lets a request send content to an upload.
    mutating func attach(
        _ request: ReceivedRequest, _ exchange: DraftExchange, to upload: Int, isLast: Bool, _ fault: DraftFault?
    ) {
        let start = uploads[upload].body.byteCount
        uploads[upload].body.mark()
        uploads[upload].transfer = request.index
        var transfer = DraftTransfer(
            connection: request.connection, exchange: exchange, upload: upload, start: start, isLast: isLast,
            contentDigest: exchange == .ordinary ? nil : request.headers.byteSequence("sha-256", in: "Content-Digest"),
            fault: fault)
        transfer.nextProgress = start + (rules.progressByteCount ?? 0)
        transfers[request.index] = transfer
    }

    private func refusal(ofLength length: Int?, content: Int?, isLast: Bool) -> Answer? {
        let fields = rules.uploadLimit().map { [(name: "Upload-Limit", value: $0)] } ?? []
        let limits = rules.limits
        if let length, let maxSize = limits.maxSize, length > maxSize { return .response(413, headers: fields) }
        if let minSize = limits.minSize, (length ?? -1) < minSize { return .response(400, headers: fields) }
        if let content, let most = limits.maxAppendSize, content > most { return .response(413, headers: fields) }
        if let content, !rules.allowsContent(byteCount: content, isLast: isLast, creating: true) {
            return .response(400, headers: fields)
        }
        return nil
    }
}

extension ReceivedRequest {
    /// The size of the content, if the head tells it: 0 without any framing, `nil` in chunks.
    var contentLength: Int? {
        headers["Transfer-Encoding"] == nil ? headers["Content-Length"].map { Int($0) } ?? 0 : nil
    }
}
