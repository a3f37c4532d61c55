import Background
import DurableIO
import HTTPTypes
import SystemPackage
import TestSupport
import Testing

/// A root directory, and downloaders that stand for the launches of one program.
struct DownloadFixture: Sendable {
    let directory: String

    var root: FilePath { FilePath(directory + "/state/root") }

    /// A new launch, with the real network.
    func downloader(
        _ clock: any SystemClock = LinuxClock(), files: any FileSystem = POSIXFileSystem(),
        _ configure: (inout BackgroundSessionConfiguration) -> Void = { _ in }
    ) -> Downloader {
        var configuration = BackgroundSessionConfiguration.background(withIdentifier: "com.example.test")
        configuration.rootDirectory = root
        configure(&configuration)
        var seams = SessionSeams()
        (seams.clock, seams.files) = (clock, files)
        return Downloader(sessionConfiguration: configuration, seams: seams)
    }

    static func request(_ url: String) -> HTTPRequest {
        UploadFixture.request(url, method: .get)
    }

    /// What a file holds; `nil` when it is not there.
    func content(of file: FilePath) throws -> [UInt8]? {
        let files = POSIXFileSystem()
        let folder = try files.openDirectory(file.removingLastComponent())
        let name = try #require(file.lastComponent.flatMap { EntryName($0.string) })
        return try files.contents(of: name, in: folder, limit: 8 << 20)
    }

    /// The names in the session's directory of downloads.
    func names() throws -> [String] {
        let files = POSIXFileSystem()
        return try files.entries(of: files.openDirectory(root.appending("downloads"))).map(\.description)
    }

    func record(_ identifier: String) throws -> TransferRecord? {
        try UploadFixture(directory: directory).record("\u{1f}d" + identifier)
    }
}

/// Runs a test in a directory of its own.
func withDownloads(_ body: (DownloadFixture) async throws -> Void) async throws {
    try await withTemporaryDirectory { directory in
        try await body(DownloadFixture(directory: directory))
    }
}

extension DownloadResponse {
    /// The error's code, if it failed.
    var failure: NetworkResponseError.Code? {
        if case .failed(let error) = self { error.code } else { nil }
    }

    /// `success`, `retry`, `rejected` or `failed`.
    var word: String { String(description.prefix { $0 != " " }) }

    var file: File? {
        if case .success(let file, _) = self { file } else { nil }
    }
}

/// A server's content, given whole or in part as RFC 9110 says, and cut off where a test wants it.
struct ServedContent: Sendable {
    var bytes: [UInt8]
    var fields: [(name: String, value: String)] = [("ETag", "\"one\"")]
    var understandsRanges = true

    static func numbered(_ count: Int, seed: UInt64 = 3) -> ServedContent {
        var generator = SeededGenerator(seed: seed)
        return ServedContent(bytes: (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) })
    }

    /// The content, or the part of it that is asked for, perhaps cut off.
    func answer(_ request: ReceivedRequest, cut: Cut? = nil) -> Answer {
        let first = understandsRanges ? firstByte(of: request) : 0
        guard first < bytes.count || first == 0 else {
            return .response(416, headers: [("Content-Range", "bytes */\(bytes.count)")])
        }
        let part = Array(bytes[first...])
        var all = fields
        if first > 0 { all.append(("Content-Range", "bytes \(first)-\(bytes.count - 1)/\(bytes.count)")) }
        let status = first > 0 ? 206 : 200
        guard let cut else { return .response(status, headers: all, body: part) }
        all.append(("Content-Length", "\(part.count)"))
        let head = "HTTP/1.1 \(status) Cut\r\n" + all.map { "\($0.name): \($0.value)\r\n" }.joined() + "\r\n"
        return .raw(Array(head.utf8) + part.prefix(cut.byteCount)).then(.delay(until: cut.gate, then: .close))
    }

    private func firstByte(of request: ReceivedRequest) -> Int {
        guard let range = request.headers["Range"], range.hasPrefix("bytes="), range.hasSuffix("-") else { return 0 }
        let condition = request.headers["If-Range"]
        let isSame = fields.contains { ["ETag", "Last-Modified"].contains($0.name) && $0.value == condition }
        return isSame ? Int(range.dropFirst(6).dropLast()) ?? 0 : 0
    }
}

/// An end of a connection in the middle of a body, once the client has got what was sent before it: a client may
/// discard what it has not read by then.
struct Cut: Sendable {
    let byteCount: Int
    let gate = Gate()

    init(after byteCount: Int) {
        self.byteCount = byteCount
    }

    /// Cuts once so much of the whole has come.
    func follow(_ downloader: Downloader, _ identifier: String, until count: Int? = nil) -> Task<Void, Never> {
        let progress = downloader.progress(of: identifier)
        return Task {
            for await step in progress where step.completedByteCount >= UInt64(count ?? byteCount) { gate.open() }
        }
    }
}

extension ManualClock {
    /// Lets time pass for whoever sleeps, again and again, until something has come of it.
    func pass(until condition: () -> Bool) async {
        while !condition(), !Task.isCancelled {
            if let wake = nextWake { advance(by: max(0, wake - bootMilliseconds)) }
            // The condition is another thread's doing, and may come without any event here.
            try? await Task.sleep(for: .milliseconds(1))
        }
    }
}
