import Background
import DurableIO
import HTTPTypes
import SystemPackage
import TestSupport

/// A transport and files to send with it.
struct TransportFixture: Sendable {
    let directory: Directory
    let transport: HTTPTransport

    /// The request for a body of so many bytes, each different from its neighbours.
    func request(
        _ url: String, byteCount: Int = 5, prefix: [UInt8] = [], offset: Int = 0, answerTimeout: Int64 = 10
    ) throws -> TransferRequest {
        let files = POSIXFileSystem()
        let name: EntryName = "body"
        try files.remove(name, in: directory)
        let file = try files.createFile(name, in: directory)
        try files.write(Self.bytes(offset + byteCount), to: file)
        let body = try TransferBody([
            .bytes(prefix),
            .range(
                of: FileBody(directory: directory, name: name), offset: UInt64(offset), length: UInt64(byteCount)),
        ])
        return TransferRequest(
            endpoint: try Endpoint(url), method: .put, fields: [.contentType: "text/plain"], body: body,
            answerTimeout: answerTimeout)
    }

    /// Does not throw, so that it can stand in an expectation.
    func send(_ url: String, byteCount: Int = 5) async -> TransportResult {
        do {
            return await transport.send(try request(url, byteCount: byteCount))
        } catch {
            return .noAnswer(.unsendable("the test's own file: \(error)"))
        }
    }

    static func bytes(_ count: Int) -> [UInt8] {
        var generator = SeededGenerator(seed: 7)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count + 8)
        while bytes.count < count {
            withUnsafeBytes(of: generator.next()) { bytes += $0 }
        }
        return Array(bytes.prefix(count))
    }
}

/// Runs a test with a transport whose time-outs are short, and shuts it down.
func withTransport(
    progress: Int64 = 60, maximumConnections: Int = 16, tls: TLSSettings = TLSSettings(),
    proxy: ProxySettings = .none,
    _ body: (TransportFixture) async throws -> Void
) async throws {
    try await withTemporaryDirectory { path in
        let files = POSIXFileSystem()
        var timeouts = HTTPTransport.Timeouts()
        timeouts.connect = 1
        timeouts.progress = progress
        timeouts.answerBody = 1
        var settings = ConnectionSettings()
        (settings.tls, settings.proxy) = (tls, proxy)
        let transport = try HTTPTransport.open(
            files: files, maximumConnections: maximumConnections, settings: settings, timeouts: timeouts)
        let fixture = TransportFixture(directory: try files.openDirectory(FilePath(path)), transport: transport)
        do {
            try await body(fixture)
        } catch {
            await transport.shutdown()
            throw error
        }
        await transport.shutdown()
    }
}

extension TransportResult {
    var answer: TransferAnswer? {
        if case .answer(let answer) = self { answer } else { nil }
    }

    var failure: TransportFailure? {
        if case .noAnswer(.failure(let failure)) = self { failure } else { nil }
    }
}
