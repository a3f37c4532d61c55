import DurableIO
import HTTPTypes

/// The file a download grows in, as the sink of an answer.
///
/// Every 16 MiB, and over a slow link every 5 s, what has come is made durable and written down, in this order, so
/// that the ledger never speaks of bytes that a power cut can take, and a download that is killed again and again still
/// comes to its end. Before anything of another content is written, the ledger has forgotten the old one.
actor PartialFile: AnswerSink {
    private let rowName: String
    private let downloads: DownloadDirectory
    /// What is there and asked to be gone on with.
    private let resumed: DownloadProgress?
    /// The most bytes that an earlier attempt has made durable, of whatever content.
    private let furthest: UInt64
    /// Writes progress down, and whether it is more than ever before; durable on return.
    private let keep: @Sendable (_ progress: DownloadProgress, _ hasAdvanced: Bool) async throws -> Void
    private let onProgress: @Sendable (TransferProgress) -> Void

    private var file: SharedDescriptor?
    private var position: UInt64 = 0
    /// Of the content that is being received; `nil` while none is.
    private(set) var progress: DownloadProgress?
    /// The server's part does not continue ours.
    private(set) var isUnusable = false

    private var checkpointTime = ContinuousClock.now

    /// How much may be fetched again after a crash: 16 MiB, or what came in 5 s.
    static let checkpointByteCount: UInt64 = 16 << 20
    private static let checkpointInterval = Duration.seconds(5)

    init(
        rowName: String, downloads: DownloadDirectory, resumed: DownloadProgress?, furthest: UInt64,
        keep: @escaping @Sendable (_ progress: DownloadProgress, _ hasAdvanced: Bool) async throws -> Void,
        onProgress: @escaping @Sendable (TransferProgress) -> Void
    ) {
        self.rowName = rowName
        self.downloads = downloads
        self.resumed = resumed
        self.furthest = furthest
        self.keep = keep
        self.onProgress = onProgress
    }

    // MARK: - AnswerSink

    func wants(_ head: TransferAnswer) async throws -> Bool {
        switch head.status {
        case 200, 203:
            try await begin(DownloadProgress(head, furthest: furthest))
            return true
        case 206:
            guard let resumed, Self.continues(resumed, with: head) else {
                isUnusable = true
                return false
            }
            file = SharedDescriptor(
                try downloads.files.openFileForWriting(
                    DownloadDirectory.partName(of: rowName), in: downloads.directory))
            position = resumed.durable
            progress = resumed
            return true
        default: return false
        }
    }

    func write(_ piece: [UInt8]) async throws {
        guard let durable = progress?.durable, let file else { return }
        try downloads.files.write(piece, to: file.file, at: position)
        position += UInt64(piece.count)
        onProgress(TransferProgress(completedByteCount: position, totalByteCount: progress?.total))
        let isLate = ContinuousClock.now - checkpointTime >= Self.checkpointInterval
        if isLate || position - durable >= Self.checkpointByteCount { try await checkpoint() }
    }

    /// Makes what has come durable, and writes down how much that is.
    func checkpoint() async throws {
        guard let durable = progress?.durable, position > durable, let file else { return }
        try downloads.files.sync(file.file)
        checkpointTime = .now
        let hasAdvanced = progress?.move(to: position) ?? false
        if let progress { try await keep(progress, hasAdvanced) }
    }

    // MARK: - Steps

    private func begin(_ fresh: DownloadProgress) async throws {
        let name = DownloadDirectory.partName(of: rowName)
        // A finished file of an earlier content would look like this one's.
        if try downloads.files.remove(DownloadDirectory.name(of: rowName), in: downloads.directory) {
            try downloads.files.syncDirectory(downloads.directory)
        }
        try await keep(fresh, false)
        try downloads.files.remove(name, in: downloads.directory)
        file = SharedDescriptor(try downloads.files.createFile(name, in: downloads.directory))
        try downloads.files.syncDirectory(downloads.directory)
        position = 0
        progress = fresh
        onProgress(TransferProgress(completedByteCount: 0, totalByteCount: fresh.total))
    }

    private static func continues(_ resumed: DownloadProgress, with head: TransferAnswer) -> Bool {
        guard let range = head.fields[.contentRange].flatMap(ContentRange.init) else { return false }
        guard range.first == resumed.durable, range.total == resumed.total else { return false }
        guard range.last + 1 == range.total else { return false }
        // Where the server names the content again, it has to be the same.
        return head.fields[.eTag] == nil || head.fields[.eTag] == resumed.answer.fields[.eTag]
    }
}
