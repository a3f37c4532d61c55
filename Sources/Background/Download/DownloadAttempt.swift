import Digests
import DurableIO
import HTTPTypes

/// One attempt of a download: asks for the missing part, follows redirects, and moves the file into place when it is
/// whole.
struct DownloadAttempt: Sendable {
    let record: TransferRecord
    let request: HTTPRequest
    let endpoint: Endpoint
    let downloads: DownloadDirectory
    let transport: any Transport
    let onProgress: @Sendable (TransferProgress) -> Void
    /// Writes the progress and the size down, and whether that is more than ever before; durable on return.
    let keep: @Sendable (_ progress: String?, _ byteCount: Int64?, _ hasAdvanced: Bool) async throws -> Void

    private static let redirectLimit = 5

    /// What an attempt came to.
    enum End: Sendable {
        /// The whole content is in place, and durable; the answer that brought it, which the content vouches for.
        case content(TransferAnswer)
        case other(TransportResult)

        static func broken(_ text: String) -> End {
            .other(.noAnswer(.failure(TransportFailure(text, didConnect: true, bytesSent: 0))))
        }
    }

    func run() async -> End {
        do {
            let known = record.progress.flatMap(DownloadProgress.init)
            if let known, try isInPlace() { return content(known) }
            if let known, known.isWhole, try hasPart(known) { return try await moveIntoPlace(known) }
            let resumable = try known.flatMap { try $0.resumeOffset != nil && hasPart($0) ? $0 : nil }
            return try await fetch(from: resumable, furthest: known?.furthest ?? 0)
        } catch let error as FileSystemError {
            return .other(.noAnswer(.localTrouble("\(error)")))
        } catch is CancellationError {
            return .other(.noAnswer(.interrupted))
        } catch {
            return .other(.noAnswer(.localTrouble("the ledger: \(error)")))
        }
    }

    // MARK: - What is there

    /// Whether an earlier process has moved the file into place and died before it stored that. A file of another
    /// content is removed before this content's progress is written down, so a file found here is this content's.
    private func isInPlace() throws(FileSystemError) -> Bool {
        try downloads.files.metadata(of: DownloadDirectory.name(of: record.identifier), in: downloads.directory) != nil
    }

    private func hasPart(_ progress: DownloadProgress) throws(FileSystemError) -> Bool {
        let name = DownloadDirectory.partName(of: record.identifier)
        guard let part = try downloads.files.metadata(of: name, in: downloads.directory) else { return false }
        return part.kind == .regular && part.size >= progress.durable
    }

    // MARK: - Fetching

    private func fetch(from resumed: DownloadProgress?, furthest: UInt64) async throws -> End {
        var resumed = resumed
        var target = endpoint
        var fields = request.downloadFields
        for _ in 0...Self.redirectLimit {
            let part = PartialFile(
                rowName: record.identifier, downloads: downloads, resumed: resumed, furthest: furthest,
                keep: { [keep] in try await keep($0.text, $0.total.map { Int64(clamping: $0) }, $1) },
                onProgress: onProgress)
            let result = await transport.send(outgoing(to: target, fields, resumed, into: part))
            guard case .answer(let answer) = result else {
                // What has come is not lost, however this one ended.
                try await part.checkpoint()
                return .other(result)
            }
            if let progress = await part.progress {
                try await part.checkpoint()
                return try await finish(await part.progress ?? progress)
            }
            if resumed != nil, await part.isUnusable || answer.status == 416 {
                // The server's part does not continue ours: once more, from the beginning.
                resumed = nil
                if answer.asksToWait {
                    try await keep(nil, nil, false)
                    return .other(.postponed(answer))
                }
            } else if let next = target.redirect(by: answer), await answer.restBeforeFollowing() {
                if next.origin != target.origin { fields = fields.withoutCredentials }
                target = next
            } else {
                return Self.unwanted(answer)
            }
        }
        return .broken("too many redirects")
    }

    private func outgoing(
        to target: Endpoint, _ fields: HTTPFields, _ resumed: DownloadProgress?, into sink: PartialFile
    ) -> TransferRequest {
        var outgoing = TransferRequest(endpoint: target, method: request.method, fields: fields)
        if let resumed, let offset = resumed.resumeOffset, let validator = resumed.validator {
            outgoing.fields[.range] = "bytes=\(offset)-"
            outgoing.fields[.ifRange] = validator
        }
        outgoing.sink = sink
        outgoing.growPatience(attempts: record.attempts)
        return outgoing
    }

    /// An answer whose body is not what was asked for. A 2xx among these would be taken for success.
    private static func unwanted(_ answer: TransferAnswer) -> End {
        guard answer.status / 100 == 2 else { return .other(.answer(answer)) }
        return .other(.noAnswer(.unsendable("the server answered \(answer.status), which carries no content")))
    }

    // MARK: - Finishing

    private func finish(_ progress: DownloadProgress) async throws -> End {
        if let total = progress.total, progress.durable != total {
            return .broken("the content ended after \(progress.durable) of \(total) bytes")
        }
        return try await moveIntoPlace(progress)
    }

    private func moveIntoPlace(_ progress: DownloadProgress) async throws -> End {
        let part = DownloadDirectory.partName(of: record.identifier)
        if let digest = progress.answer.fields.digest(of: .representationDigest),
            try await hash(part, byteCount: progress.durable) != digest
        {
            // Nothing of it is worth going on with.
            try await keep(nil, nil, false)
            try downloads.files.remove(part, in: downloads.directory)
            return .broken("the content is not what its Repr-Digest says")
        }
        try downloads.files.renameReplacing(
            part, in: downloads.directory, to: DownloadDirectory.name(of: record.identifier), in: downloads.directory)
        try downloads.files.syncDirectory(downloads.directory)
        return content(progress)
    }

    private func hash(_ name: EntryName, byteCount: UInt64) async throws -> ContentHash {
        let file = try downloads.files.openFile(name, in: downloads.directory)
        return try await ContentHash.of(file, size: byteCount, files: downloads.files).hash
    }

    private func content(_ progress: DownloadProgress) -> End {
        .content(
            TransferAnswer(
                status: progress.answer.status, fields: progress.answer.fields, body: [], bytesSent: 0,
                isWholeBodySent: true, isLoopback: endpoint.isLoopback))
    }
}

extension HTTPRequest {
    /// The fields that are sent: the caller's, but for those with which the engine asks for a part.
    fileprivate var downloadFields: HTTPFields {
        var fields = headerFields
        fields[.range] = nil
        fields[.ifRange] = nil
        fields[.transferEncoding] = nil
        fields[.contentLength] = nil
        // A coding made on the fly has no length and no strong tag, so it could not be gone on with.
        if fields[.acceptEncoding] == nil { fields[.acceptEncoding] = "identity" }
        return fields
    }
}

extension HTTPFields {
    /// What may go to another server than the one the caller named.
    fileprivate var withoutCredentials: HTTPFields {
        let harmless: Set<HTTPField.Name> = [.accept, .acceptEncoding, .acceptLanguage, .userAgent]
        return HTTPFields(filter { harmless.contains($0.name) })
    }
}

extension Endpoint {
    /// Where an answer sends the request, if it does and may: never from https to http.
    package func redirect(by answer: TransferAnswer) -> Endpoint? {
        guard [301, 302, 303, 307, 308].contains(answer.status),
            let target = answer.fields[.location].flatMap({ resolving(location: $0) }), target.isSecure || !isSecure
        else { return nil }
        return target
    }
}
