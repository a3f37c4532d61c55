/// Content: what may be appended, how it is checked, and what a finished request is answered.
extension DraftState {
    /// Lets a PATCH append, or says why not.
    mutating func append(_ request: ReceivedRequest, to upload: Int, _ fault: DraftFault?) -> Reaction {
        let type = request.headers["Content-Type"].map { trimmed($0.prefix { $0 != ";" }).lowercased() }
        guard type == "application/partial-upload" else {
            return .answer(.response(415, headers: [("Accept-Patch", "application/partial-upload")]))
        }
        guard let offset = request.headers.integer("Upload-Offset"),
            let isLast = request.headers.boolean("Upload-Complete")
        else { return .answer(.response(400, headers: completeness(of: upload))) }
        if uploads[upload].phase == .complete {
            return .answer(request.contentLength == 0 ? .completedUpload() : .inconsistentLength())
        }
        let expected = uploads[upload].body.byteCount
        guard offset == expected else {
            let fields = completeness(of: upload) + self.offset(of: upload, fault)
            return .answer(.mismatchingOffset(expected: expected, provided: offset, fields))
        }
        if let refusal = refusal(of: request, appendingTo: upload, isLast: isLast) { return .answer(refusal) }
        attach(request, .append, to: upload, isLast: isLast, fault)
        return .take(interim: nil)
    }

    private mutating func refusal(
        of request: ReceivedRequest, appendingTo upload: Int, isLast: Bool
    ) -> Answer? {
        let fields = completeness(of: upload) + offset(of: upload) + limits(of: upload)
        let start = uploads[upload].body.byteCount
        if let content = request.contentLength {
            let most = min(rules.limits.maxAppendSize ?? .max, rules.limits.maxSize.map { $0 - start } ?? .max)
            if content > most { return .response(413, headers: fields) }
            guard rules.allowsContent(byteCount: content, isLast: isLast, creating: false) else {
                return .response(400, headers: fields)
            }
        }
        let declared = request.headers.integer("Upload-Length")
        let implied = isLast ? request.contentLength.map { start + $0 } : nil
        let lengths = Set([uploads[upload].length, declared, implied].compactMap(\.self))
        guard lengths.count < 2 else { return .inconsistentLength(completeness(of: upload)) }
        uploads[upload].length = lengths.first
        return nil
    }

    /// What is answered when content goes beyond the length or a limit, which a head in chunks does not show.
    mutating func overflow(of transfer: DraftTransfer, with byteCount: Int) -> Answer? {
        guard transfer.exchange != .ordinary else { return nil }
        let upload = transfer.upload
        let offset = uploads[upload].body.byteCount + byteCount
        if let length = uploads[upload].length, offset > length {
            uploads[upload].phase = .inaccessible(status: 410)
            return .inconsistentLength()
        }
        if let maxSize = rules.limits.maxSize, offset > maxSize {
            uploads[upload].phase = .inaccessible(status: 410)
            return .response(413, headers: limits(of: upload))
        }
        if let most = rules.limits.maxAppendSize, transfer.byteCount + byteCount > most {
            return .response(413, headers: completeness(of: upload) + limits(of: upload))
        }
        return nil
    }

    /// A 104 that tells the offset, when one is due. Never for content that may have to be taken back.
    mutating func progress(of request: Int) -> Answer? {
        guard rules.sendsInterimResponses, let step = rules.progressByteCount, let transfer = transfers[request],
            transfer.exchange != .ordinary, transfer.contentDigest == nil,
            uploads[transfer.upload].body.byteCount >= transfer.nextProgress
        else { return nil }
        transfers[request]?.nextProgress = uploads[transfer.upload].body.byteCount + step
        return .response(
            104, headers: [("Upload-Draft-Interop-Version", Self.version)] + offset(of: transfer.upload))
    }

    /// What a request is answered whose content is stored.
    mutating func finish(_ transfer: DraftTransfer) -> Answer {
        let upload = transfer.upload
        if let digest = transfer.contentDigest, digest != transfer.hasher.finish().bytes {
            uploads[upload].body.truncate(to: transfer.start)
            return .response(400, headers: completeness(of: upload) + offset(of: upload), text: "Content-Digest")
        }
        if transfer.isLast { return complete(upload, transfer) }
        let acknowledged = rules.acknowledgesOffset || transfer.exchange == .creation
        let fields = completeness(of: upload) + (acknowledged ? offset(of: upload, transfer.fault) : [])
        guard transfer.exchange == .creation else { return .response(204, headers: fields) }
        let location = [(name: "Location", value: uploads[upload].location)]
        return .response(201, headers: location + fields + limits(of: upload))
    }

    /// Hands a whole report to the application.
    private mutating func complete(_ upload: Int, _ transfer: DraftTransfer) -> Answer {
        let isOrdinary = transfer.exchange == .ordinary
        if let length = uploads[upload].length, length != uploads[upload].body.byteCount {
            return .inconsistentLength(completeness(of: upload) + offset(of: upload))
        }
        let digest = isOrdinary ? nil : uploads[upload].origin.headers.byteSequence("sha-256", in: "Repr-Digest")
        if let digest, digest != uploads[upload].body.digest {
            uploads[upload].phase = .inaccessible(status: 410)
            return .response(400, text: "Repr-Digest")
        }
        uploads[upload].phase = .complete
        uploads[upload].length = uploads[upload].body.byteCount
        let report = uploads[upload].report()
        record.reports.append(report)
        let answer = rules.application(report)
        let completed = isOrdinary ? [] : completeness(of: upload)
        if !rules.keepsCompletedUploads { uploads[upload].phase = .inaccessible(status: 404) }
        return .response(answer.status, headers: answer.headers + completed, body: answer.body)
    }
}
