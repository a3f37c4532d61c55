import DurableIO
import HTTPTypes

/// One attempt of an upload: the caller's file, checked against its hash, and the caller's request.
struct UploadAttempt: Sendable {
    let record: TransferRecord
    let stored: TransferRecord.StoredRequest
    let request: HTTPRequest
    let endpoint: Endpoint

    func run(
        files: any FileSystem, over transport: any Transport,
        onProgress: @escaping @Sendable (TransferProgress) -> Void,
        keep: @escaping ResumableUpload.Keeper
    ) async -> TransportResult {
        do {
            let file = try UploadFile(stored.bodyPath, files: files)
            let hash = try await file.hash()
            guard file.byteCount == UInt64(clamping: record.byteCount), hash.hex == stored.bodyHash else {
                return .noAnswer(.unsendable("\(stored.bodyPath) changed after it was handed over"))
            }
            let identifier = TransferKind.upload.identifier(ofRow: record.identifier)
            let fields = request.uploadFields(identifier: identifier, hash: hash, byteCount: file.byteCount)
            var outgoing = TransferRequest(
                endpoint: endpoint, method: request.method, fields: fields, body: file.body)
            outgoing.growPatience(attempts: record.attempts)
            outgoing.onProgress = { sent in
                onProgress(TransferProgress(completedByteCount: sent, totalByteCount: file.byteCount))
            }
            return await outgoing.sendInParts(saved: record.progress, over: transport, keep: keep)
        } catch {
            if error.code == .cancelled { return .noAnswer(.interrupted) }
            // The engine tries again what may pass; the file may be as good as ever.
            return error.isPassing ? .noAnswer(.localTrouble(error.message)) : .noAnswer(.unsendable(error.message))
        }
    }
}
