import HTTPTypes

/// The parts of an upload: how much the server has, the next part, and what its answer means.
extension ResumableUpload {
    /// Asks the server how much it has.
    mutating func look(afterTrouble: Bool) async throws -> Step {
        guard var progress, let resource = try? Endpoint(progress.resource),
            resource.origin == request.endpoint.origin, progress.stalls < Self.patience
        else { return try await beginAnew() }
        let answer: TransferAnswer
        switch await ask(exchange(.head, resource, request.fields.ofEachPart, progress.version)) {
        case .answer(let given): answer = given
        case let result: return .end(result)
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

    /// Cuts the next part out of the body and hands it to the transport.
    mutating func append() async throws -> Step {
        guard let progress, let resource = try? Endpoint(progress.resource) else { return try await beginAnew() }
        let count = min(progress.partLimit, body.byteCount - progress.offset)
        let isLast = progress.offset + count == body.byteCount
        var part = exchange(.patch, resource, request.fields.ofEachPart, progress.version)
        part.fields[.contentType] = "application/partial-upload"
        part.fields[.uploadOffset] = String(progress.offset)
        part.fields[.uploadComplete] = StructuredField.boolean(isLast)
        part.body = body[progress.offset..<progress.offset + count]
        if let onProgress = request.onProgress { part.onProgress = { onProgress(progress.offset + $0) } }
        switch await ask(part) {
        case .answer(let answer): return try await follow(answer, to: count, isLast: isLast)
        // Cut off: the server knows what has come, and is asked at once while there is any.
        case .noAnswer(.failure(let failure)) where failure.didConnect: return .look(afterTrouble: true)
        case let result: return .end(result)
        }
    }

    /// What is to be done after the answer to a part of `count` bytes.
    private mutating func follow(_ answer: TransferAnswer, to count: UInt64, isLast: Bool) async throws -> Step {
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
    static func isPassing(_ status: Int) -> Bool {
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
}
