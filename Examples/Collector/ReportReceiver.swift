import Crypto
import Foundation
import Hummingbird

/// Takes in one report: streams the body to disk, checks it against what the headers claim, and stores it.
///
/// Memory stays the same for a body of any length. Nothing is visible in the store before every check has passed.
struct ReportReceiver: Sendable {
    let store: ReportStore
    /// The largest payload, in bytes after decompression.
    let maximumByteCount: Int

    /// The largest body, in bytes: gzip adds at most 5 bytes to each 16 KiB that do not shrink, and its frame.
    private var maximumBodyByteCount: Int { maximumByteCount + maximumByteCount / 1_024 + 1_024 }

    /// - Throws: `Problem` when a check fails, `StorageError` when the disk does, and the connection's own error.
    func receive(_ request: Request, pathID: String?) async throws -> ReportStore.Outcome {
        let claims = try ReportClaims(headers: request.headers, pathID: pathID)
        // Answered before the body is read; who insists on sending it all is read to the end and ignored.
        if let length = claims.contentLength, length > maximumBodyByteCount { throw Problem.tooLarge }

        // Writing and inflating here, on the task's own thread, is deliberate: both work on 128 KiB at most and on the
        // page cache. Waiting for the disk is the store's, elsewhere.
        var body = try BodyReader(
            claims: claims,
            file: store.makeTemporaryFile(),
            maximumBodyByteCount: maximumBodyByteCount,
            maximumByteCount: maximumByteCount)
        for try await chunk in request.body {
            try chunk.withUnsafeReadableBytes { bytes in try body.read(bytes) }
        }
        let content = try body.finish()

        let now = Date().timestamp
        let report = StoredReport(
            id: content.id,
            kind: claims.kind,
            contentType: claims.contentType,
            size: content.size,
            wireSize: content.wireSize,
            collectedAt: claims.collectedAt,
            annotations: claims.annotations,
            userAgent: claims.userAgent,
            received: 1,
            firstReceivedAt: now,
            lastReceivedAt: now)
        return try await store.commit(content.file, as: report)
    }
}

/// Where the payload goes: into the temporary file, and into its hash.
struct PayloadWriter {
    let file: TemporaryFile
    let maximumByteCount: Int
    private(set) var size = 0
    private(set) var hash = SHA256()

    init(file: TemporaryFile, maximumByteCount: Int) {
        self.file = file
        self.maximumByteCount = maximumByteCount
    }

    mutating func write(_ bytes: UnsafeRawBufferPointer) throws {
        size += bytes.count
        // Before the write, so that a few kilobytes that inflate to terabytes cannot fill the disk.
        guard size <= maximumByteCount else { throw Problem.tooLarge }
        hash.update(bufferPointer: bytes)
        try file.write(bytes)
    }
}

/// The body of one request on its way to disk, and all that is known of it so far.
struct BodyReader: ~Copyable {
    /// A body that has passed every check.
    struct Content {
        var id: String
        var size: Int
        var wireSize: Int
        var file: TemporaryFile
    }

    private let claims: ReportClaims
    private let maximumBodyByteCount: Int
    private var payload: PayloadWriter
    private var inflater: GzipInflater?
    private var wireSize = 0
    private var wireHash = SHA256()

    init(claims: ReportClaims, file: TemporaryFile, maximumBodyByteCount: Int, maximumByteCount: Int) throws {
        self.claims = claims
        self.maximumBodyByteCount = maximumBodyByteCount
        payload = PayloadWriter(file: file, maximumByteCount: maximumByteCount)
        inflater = claims.isGzip ? try GzipInflater() : nil
    }

    mutating func read(_ bytes: UnsafeRawBufferPointer) throws {
        wireSize += bytes.count
        guard wireSize <= maximumBodyByteCount else { throw Problem.tooLarge }
        wireHash.update(bufferPointer: bytes)
        if claims.isGzip {
            try inflater?.decode(bytes, into: &payload)
        } else {
            try payload.write(bytes)
        }
    }

    /// Compares what has arrived with what was claimed, the transport first: its damage explains all others.
    consuming func finish() throws -> Content {
        if let length = claims.contentLength, length != wireSize {
            throw Problem(check: "content-length", detail: "\(wireSize) of \(length) bytes arrived.")
        }
        let wireDigest = Data(wireHash.finalize())
        if let claimed = claims.wireDigest, claimed != wireDigest {
            throw Problem(check: "repr-digest", detail: "The body as sent has SHA-256 \(wireDigest.hexadecimal).")
        }
        if claims.isGzip, inflater?.isFinished != true {
            throw Problem(check: "gzip", detail: "The body ends before its gzip member does.")
        }
        let digest = Data(payload.hash.finalize())
        if let claimed = claims.payloadDigest, claimed != digest {
            throw Problem(check: "unencoded-digest", detail: "The payload has SHA-256 \(digest.hexadecimal).")
        }
        let id = digest.hexadecimal
        if let claimed = claims.id, claimed != id {
            throw Problem(check: "id", detail: "The id is the SHA-256 of the payload, which is \(id).")
        }
        return Content(id: id, size: payload.size, wireSize: wireSize, file: payload.file)
    }
}

extension Problem {
    static var tooLarge: Problem {
        Problem(status: .contentTooLarge, check: "size", detail: "The report is larger than this server accepts.")
    }
}

extension Data {
    /// These bytes in lower-case hexadecimal.
    var hexadecimal: String {
        map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined()
    }
}
