import HTTPTypes

/// The beginning of an upload in parts: what the server announces, and the resource that the parts go to.
extension ResumableUpload {
    /// Asks the server whether it knows the draft, and where it does begins an upload.
    mutating func begin() async throws -> Step {
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
            case let result: return .end(result)
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
        if answer.fields[.uploadLimit] != nil { return UploadLimit(answer.fields) }
        let takesParts = answer.fields[.acceptPatch]?.contains("application/partial-upload") == true
        return version == .eight && takesParts ? UploadLimit() : nil
    }

    private mutating func create(_ version: InteropVersion, _ limit: UploadLimit) async throws -> Step {
        let part = min(partSize, limit.maximumAppend ?? .max)
        var creation = exchange(request.method, request.endpoint, request.fields, version)
        creation.fields[.uploadComplete] = StructuredField.boolean(false)
        creation.fields[.uploadLength] = String(body.byteCount)
        // Carefully, with nothing in it, so that its address is known before a byte is lost; where that is too little
        // for the server, the first part comes along.
        let first = limit.minimumAppend ?? 0 > 0 ? min(max(part, limit.minimumAppend ?? 0), body.byteCount - 1) : 0
        creation.body = body[0..<first]
        let answer: TransferAnswer
        switch await ask(creation) {
        case .answer(let given): answer = given
        case let result: return .end(result)
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
}
