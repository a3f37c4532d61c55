import DurableIO
import HTTPTypes

/// The part of a session that one ``Uploader`` or ``Downloader`` has for itself. It shares the session with all others
/// of the same root directory.
final class SessionHandle: Sendable {
    let kind: TransferKind
    let configuration: BackgroundSessionConfiguration
    let seams: SessionSeams
    private let session: TransferSession

    /// Makes a handle, and starts nothing: the session is opened at its first use.
    init(_ kind: TransferKind, _ configuration: BackgroundSessionConfiguration, _ seams: SessionSeams) {
        self.kind = kind
        self.configuration = configuration
        self.seams = seams
        session = SessionRegistry.session(for: configuration)
    }

    var files: any FileSystem { seams.files }

    /// A row for a transfer that a caller asks for now.
    func transfer(
        _ identifier: String, byteCount: UInt64, request: TransferRecord.StoredRequest
    ) -> NewTransfer {
        NewTransfer(
            identifier: kind.rowName(identifier), lane: .own(request.origin), label: kind.rawValue, rank: 0,
            metadata: "{}", byteCount: Int64(clamping: byteCount), seenWall: seams.clock.wallMilliseconds,
            request: request)
    }

    func result(of work: TransferWork) async throws(NetworkResponseError) -> TransferResult {
        try await OwnThreads.run { () async throws(NetworkResponseError) in
            try await session.result(of: work, for: self)
        }
    }

    func run() async throws(NetworkResponseError) {
        try await OwnThreads.run { () async throws(NetworkResponseError) in
            try await session.run(for: self)
        }
    }

    func waitForEarlierTransfers() async throws(NetworkResponseError) {
        try await OwnThreads.run { () async throws(NetworkResponseError) in
            try await session.waitForEarlierTransfers(for: self)
        }
    }

    func pending() async throws(NetworkResponseError) -> [PendingTransfer] {
        try await OwnThreads.run { () async throws(NetworkResponseError) in
            try await session.pending(for: self)
        }
    }

    func progress(of identifier: String) -> AsyncStream<TransferProgress> {
        session.progress.progress(of: kind.rowName(identifier))
    }

    /// `prepare` is called before the result of a transfer that has ended counts as seen.
    func acknowledge(
        _ identifier: String, _ prepare: @Sendable @escaping () throws -> Void
    ) async throws(NetworkResponseError) {
        try await OwnThreads.run { () async throws(NetworkResponseError) in
            try await session.acknowledge(kind.rowName(identifier), for: self, prepare)
        }
    }

    func cancel(_ identifier: String) async throws(NetworkResponseError) -> Bool {
        try await OwnThreads.run { () async throws(NetworkResponseError) in
            try await session.cancel(kind.rowName(identifier), for: self)
        }
    }

    func shutdown() async {
        await OwnThreads.run { await session.leave(self) }
    }
}

extension TransferRecord.StoredRequest {
    /// The parts of a request that may be written to disk: no value of a header field.
    init(_ request: HTTPRequest, to endpoint: Endpoint, bodyPath: String, bodyHash: ContentHash) {
        self.init(
            origin: endpoint.origin, method: request.method.rawValue, url: endpoint.description,
            headerNames: request.headerFields.map(\.name.canonicalName), bodyPath: bodyPath,
            bodyHash: bodyHash.hex)
    }
}
