import ArgumentParser
import Dispatch
import Foundation
import Hummingbird

/// A small receiving server for diagnostic reports.
///
/// It keeps each report once, under the SHA-256 of its payload. A 201 or 200 is sent only when the report is on disk
/// and synced, so that a reporter may delete its copy on that answer. There is no authentication and no TLS: a server
/// that strangers can reach belongs behind a proxy that has both.
@main
struct CollectorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "Collector",
        abstract: "Receives diagnostic reports over HTTP and keeps each of them once.",
        discussion: """
            Reporters send PUT /reports/{id} or POST /reports. GET /reports lists what arrived, GET /reports/{id} gives \
            one payload, GET /requests counts what reporters sent, PUT /script makes the next answers fail on purpose.
            """)

    @Option(help: ArgumentHelp("The TCP port; 0 takes a free one.", valueName: "n"))
    var port = 0

    @Option(help: ArgumentHelp("The name or address to listen on.", valueName: "host"))
    var hostname = "127.0.0.1"

    @Option(help: ArgumentHelp("The directory that keeps the reports; created when missing.", valueName: "dir"))
    var store: String

    @Option(help: ArgumentHelp("A file that gets the port number once the server listens.", valueName: "file"))
    var portFile: String?

    @Option(help: ArgumentHelp("Answers to give first: a JSON array, or a file with one.", valueName: "json-or-file"))
    var script: String?

    @Option(help: ArgumentHelp("The largest payload to accept, in bytes after decompression.", valueName: "n"))
    var maxBytes = 4 << 30

    func validate() throws {
        guard (0...65_535).contains(port) else { throw ValidationError("--port takes 0 to 65535.") }
        guard maxBytes > 0 else { throw ValidationError("--max-bytes takes a positive number.") }
    }

    func run() async throws {
        let store = try ReportStore(directory: store)
        let script = try AnswerScript(entries: loadScript())
        let routes = Routes(
            receiver: ReportReceiver(store: store, maximumByteCount: maxBytes),
            store: store,
            script: script,
            log: RequestLog())
        var application = Application(
            router: routes.makeRouter(),
            server: .http1(
                configuration: .init(
                    idleTimeout: .seconds(60),
                    // 64 annotations of 1 KiB each, percent-encoded where they are not ASCII, are within the rules.
                    httpDecoderConfiguration: .init(maxHeaderFieldSize: 256 << 10, maxHeaderListSize: 320 << 10))),
            configuration: .init(address: .hostname(hostname, port: port)),
            onServerRunning: { channel in announce(port: channel.localAddress?.port ?? port) })
        application.logger.logLevel = .warning

        let signals = Self.limitShutdown()
        try await application.runService()
        for signal in signals {
            signal.cancel()
        }
    }

    private func loadScript() throws -> [AnswerScript.Entry] {
        guard let script else { return [] }
        let isInline = script.drop(while: \.isWhitespace).hasPrefix("[")
        return try AnswerScript.parse(isInline ? Data(script.utf8) : Data(contentsOf: URL(fileURLWithPath: script)))
    }

    /// Says where the server listens, to the port file first: who reads the line may read the file.
    private func announce(port: Int) {
        do {
            if let portFile {
                try Data("\(port)\n".utf8).write(to: URL(fileURLWithPath: portFile), options: .atomic)
            }
        } catch {
            FileHandle.standardError.write(Data("Collector: cannot write the port file: \(error)\n".utf8))
            Self.exit(withError: ExitCode(EX_CANTCREAT))
        }
        let host = hostname.contains(":") ? "[\(hostname)]" : hostname
        // Not print: its buffer would hold the line back when the output is a pipe.
        FileHandle.standardOutput.write(Data("listening on http://\(host):\(port)\n".utf8))
    }

    /// Bounds the graceful shutdown that `runService` starts at SIGTERM and SIGINT.
    ///
    /// Requests in flight get 5 seconds. What has not been answered by then is sent again by its reporter.
    private static func limitShutdown() -> [any DispatchSourceSignal] {
        [SIGTERM, SIGINT].map { number in
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler {
                DispatchQueue.global().asyncAfter(deadline: .now() + 5) { Foundation.exit(EXIT_SUCCESS) }
            }
            source.resume()
            return source
        }
    }
}
