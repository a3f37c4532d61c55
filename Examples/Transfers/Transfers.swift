import ArgumentParser
import Background
import Glibc
import HTTPTypes
import SystemPackage

/// Moves one file, however often it is stopped meanwhile: run it again with the same name, and it goes on.
///
/// It links neither FoundationNetworking nor ICU.
@main
struct Transfers: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "Transfers",
        abstract: "Uploads or downloads a file under a name that outlives the process.",
        subcommands: [Upload.self, Download.self, Pending.self])
}

/// Where the session is.
struct SessionOptions: ParsableArguments {
    @Option(help: "The directory of the session: its ledger and its downloads.")
    var root: String

    @Option(name: .customLong("header"), help: "A header field, as 'Name: value'. May be repeated.")
    var headers: [String] = []

    var session: BackgroundSessionConfiguration {
        var configuration = BackgroundSessionConfiguration.background(withIdentifier: "com.example.transfers")
        configuration.rootDirectory = FilePath(root)
        return configuration
    }

    func request(_ method: HTTPRequest.Method, _ url: String) throws -> HTTPRequest {
        let parts = url.split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false)
        guard parts.count >= 3, parts[0].hasSuffix(":"), parts[1].isEmpty else {
            throw ValidationError("\(url) is no absolute URL")
        }
        let path = parts.count > 3 ? "/" + parts[3] : "/"
        var request = HTTPRequest(
            method: method, scheme: String(parts[0].dropLast()), authority: String(parts[2]), path: path)
        for header in headers {
            guard let colon = header.firstIndex(of: ":"), let name = HTTPField.Name(String(header[..<colon])) else {
                throw ValidationError("\(header) is no header field")
            }
            let value = header[header.index(after: colon)...].drop { $0 == " " }
            request.headerFields.append(HTTPField(name: name, value: String(value)))
        }
        return request
    }
}

struct Upload: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Uploads a file with PUT.")

    @OptionGroup var options: SessionOptions
    @Argument(help: "The file.") var file: String
    @Argument(help: "Where it goes.") var url: String
    @Option(help: "Names the upload, over all runs.") var name: String

    func run() async throws {
        let uploader = Uploader(sessionConfiguration: options.session)
        let request = try options.request(.put, url)
        var isOver = false
        while !isOver {
            isOver = true
            let response = try await explainingWaits(
                of: name, pending: { try await uploader.pendingTransfers() },
                while: { await uploader.networkResponse(from: request, uploading: FilePath(file), with: name) })
            switch response {
            case .success(let response): print("uploaded: \(response.status)")
            case .retry(let response):
                isOver = false
                try await wait(response.retryAfterInterval ?? 60)
            case .rejected(let response): throw Refusal("the server refused it: \(response.status)")
            case .failed(let error): throw Refusal("\(error)")
            }
        }
        await uploader.shutdown()
    }
}

struct Download: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Downloads to a file, and prints its path.")

    @OptionGroup var options: SessionOptions
    @Argument(help: "Where it comes from.") var url: String
    @Option(help: "Names the download, over all runs.") var name: String

    func run() async throws {
        let downloader = Downloader(sessionConfiguration: options.session)
        let request = try options.request(.get, url)
        var isOver = false
        while !isOver {
            isOver = true
            let response = try await explainingWaits(
                of: name, pending: { try await downloader.pendingTransfers() },
                while: { await downloader.networkResponse(from: request, with: name) })
            switch response {
            case .success(let file, _): print(file)
            case .retry(let response):
                isOver = false
                try await wait(response.retryAfterInterval ?? 60)
            case .rejected(let response): throw Refusal("the server refused it: \(response.status)")
            case .failed(let error): throw Refusal("\(error)")
            }
        }
        await downloader.shutdown()
    }
}

struct Pending: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Lists what is not finished, or not fetched by its owner.")

    @OptionGroup var options: SessionOptions

    func run() async throws {
        let uploader = Uploader(sessionConfiguration: options.session)
        let downloader = Downloader(sessionConfiguration: options.session)
        for transfer in try await uploader.pendingTransfers() {
            print("upload   \(transfer.identifier): \(transfer.explanation)")
        }
        for transfer in try await downloader.pendingTransfers() {
            print("download \(transfer.identifier): \(transfer.explanation)")
        }
        await uploader.shutdown()
        await downloader.shutdown()
    }
}

extension PendingTransfer {
    /// Where it stands, why, and when it goes on.
    var explanation: String {
        var text = "\(state)"
        if let reason { text += ": \(reason)" }
        if let timeUntilDue {
            text += timeUntilDue > .zero ? "; tried in \(timeUntilDue.components.seconds + 1) s" : ""
        }
        if reason == .suspected { text += ", or at once when it is asked for" }
        return lastError.map { "\(text) (\($0))" } ?? text
    }
}

/// Waits for a transfer and says on standard error why it waits, each time it does.
private func explainingWaits<Response: Sendable>(
    of name: String, pending: @escaping @Sendable () async throws -> [PendingTransfer],
    while wait: @escaping @Sendable () async -> Response
) async throws -> Response {
    // Before it is asked for: what an earlier run has left.
    if let earlier = try await pending().first(where: { $0.identifier == name }), earlier.reason != nil {
        complain("found \(name) \(earlier.explanation)")
    }
    let explaining = Task {
        var last: Duration?
        while true {
            // What was found is not told twice.
            try await Task.sleep(for: .seconds(1))
            let transfer = try? await pending().first { $0.identifier == name }
            let time = transfer?.timeUntilDue.flatMap { $0 > .seconds(1) ? $0 : nil }
            // A wait that is longer than the rest of the one before is a new one.
            if let transfer, let time, time > last ?? .zero { complain("\(name) is \(transfer.explanation)") }
            last = time
        }
    }
    defer { explaining.cancel() }
    return await wait()
}

private func complain(_ text: String) {
    Array((text + "\n").utf8).withUnsafeBytes { _ = write(STDERR_FILENO, $0.baseAddress, $0.count) }
}

/// Ends the program with a sentence.
struct Refusal: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}

private func wait(_ seconds: Double) async throws {
    print("the server asks to wait \(seconds) s")
    try await Task.sleep(for: .seconds(seconds))
}
