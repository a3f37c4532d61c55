import Background
import DurableIO
import HTTPTypes
import SystemPackage
import TestSupport
import Testing

/// A root directory, a file to upload, and uploaders that stand for the launches of one program.
struct UploadFixture: Sendable {
    static let secret = "Bearer 3f9a-very-secret"

    let directory: String

    var root: FilePath { FilePath(directory + "/state/root") }

    /// A new launch.
    func uploader(
        _ configure: (inout BackgroundSessionConfiguration) -> Void = { _ in }
    ) -> Uploader {
        var configuration = BackgroundSessionConfiguration.background(withIdentifier: "com.example.test")
        configuration.rootDirectory = root
        configure(&configuration)
        return Uploader(sessionConfiguration: configuration)
    }

    /// One with a scripted network and a clock of the test's.
    func uploader(
        _ transport: ScriptedTransport, _ clock: ManualClock, files: any FileSystem = POSIXFileSystem()
    ) -> Uploader {
        var configuration = BackgroundSessionConfiguration.background(withIdentifier: "com.example.test")
        configuration.rootDirectory = root
        var seams = SessionSeams()
        seams.clock = clock
        seams.transport = transport
        seams.files = files
        return Uploader(sessionConfiguration: configuration, seams: seams)
    }

    func file(_ name: String = "report", _ content: String = "hello") throws -> FilePath {
        let files = POSIXFileSystem()
        let folder = try files.openDirectory(FilePath(directory))
        let entry = try #require(EntryName(name))
        try files.remove(entry, in: folder)
        let file = try files.createFile(entry, in: folder)
        try files.write(Array(content.utf8), to: file)
        return FilePath("\(directory)/\(name)")
    }

    static func request(_ url: String, method: HTTPRequest.Method = .put) -> HTTPRequest {
        let rest = url.dropFirst("http://".count)
        let authority = rest.prefix { $0 != "/" }
        return HTTPRequest(
            method: method, scheme: "http", authority: String(authority), path: String(rest.dropFirst(authority.count)),
            headerFields: [.authorization: secret, .contentType: "text/plain"])
    }

    /// What the ledger says, read beside a living owner or after it.
    func record(_ identifier: String) throws -> TransferRecord? {
        let files = POSIXFileSystem()
        return try LedgerReader(
            name: "ledger.sqlite", in: files.openDirectory(root), files: files, clock: LinuxClock()
        ).queries.record(identifier)
    }
}

/// Runs a test in a directory of its own.
func withUploads(_ body: (UploadFixture) async throws -> Void) async throws {
    try await withTemporaryDirectory { directory in
        try await body(UploadFixture(directory: directory))
    }
}

extension UploadResponse {
    /// The error's code, if it failed.
    var failure: NetworkResponseError.Code? {
        if case .failed(let error) = self { error.code } else { nil }
    }

    /// `success`, `retry`, `rejected` or `failed`.
    var word: String { String(description.prefix { $0 != " " }) }
}
