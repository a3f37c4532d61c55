import AsyncHTTPClient
package import DurableIO
import HTTPTypes
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// The real transport: AsyncHTTPClient over HTTP/1.1, with one event-loop thread.
///
/// HTTP/2 is off because an early 2xx to a streamed body kills the process there (AsyncHTTPClient issue #922); it can
/// come back when that is mended. Retries and redirects of the client are off: the engine alone decides to send again.
package final class HTTPTransport: Transport {
    private let client: HTTPClient
    private let group: MultiThreadedEventLoopGroup
    private let files: any FileSystem
    private let timeouts: Timeouts
    /// Origins that have answered: only there can a broken connection be an old one.
    private let hasShutDown = Mutex(false)
    private let answering = Mutex<Set<String>>([])

    /// All in seconds.
    package struct Timeouts: Sendable {
        package var connect: Int64 = 5
        /// Without a byte of the body taken.
        package var progress: Int64 = 60
        /// For the body of an answer, which nobody needs.
        package var answerBody: Int64 = 2

        package init() {}
    }

    /// Bodies up to this size go as one buffer, which is faster; larger ones as a paced stream.
    static let smallBodyByteCount: UInt64 = 256 << 10
    static let receiptByteCount = 1 << 10

    package init(
        files: any FileSystem, maximumConnections: Int = 16, timeouts: Timeouts = Timeouts(),
        tls: TLSSettings = TLSSettings()
    ) {
        self.files = files
        self.timeouts = timeouts
        group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        var configuration = HTTPClient.Configuration()
        configuration.httpVersion = .http1Only
        configuration.redirectConfiguration = .disallow
        configuration.tlsConfiguration = tls.configuration
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = max(1, maximumConnections)
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.timeout.connect = .seconds(timeouts.connect)
        configuration.http1_1ConnectionDebugInitializer = { channel in StatusGuard.install(on: channel) }
        client = HTTPClient(eventLoopGroupProvider: .shared(group), configuration: configuration)
    }

    deinit {
        // A client that goes without this brings the process down in debug builds.
        guard !hasShutDown.withLock({ $0 }) else { return }
        client.shutdown().whenComplete { [group] _ in group.shutdownGracefully { _ in } }
    }

    package func shutdown() async {
        guard
            hasShutDown.withLock({ hasShutDown in
                defer { hasShutDown = true }
                return !hasShutDown
            })
        else { return }
        // Connections die with the loop whatever these say, and there is nobody to tell.
        try? await client.shutdown()
        try? await group.shutdownGracefully()
    }

    package func send(_ request: TransferRequest) async -> TransportOutcome {
        var request = request
        for _ in 0..<5 {
            let outcome = await sendOverFreshConnection(request)
            guard case .answer(let answer) = outcome, answer.status == 307 || answer.status == 308,
                let location = answer.fields[.location],
                let target = request.endpoint.resolving(location: location),
                target.origin == request.endpoint.origin
            else { return outcome }
            request.endpoint = target
        }
        return .failure(TransportFailure("too many redirects", didConnect: true, bytesSent: 0))
    }

    /// A kept connection may have been closed by the server just as the request went out; that is not a failure of
    /// the server's, so the request goes out once more at once. The idempotency key makes that safe.
    private func sendOverFreshConnection(_ request: TransferRequest) async -> TransportOutcome {
        let origin = request.endpoint.origin
        let mayBeStale = answering.withLock { $0.contains(origin) }
        var outcome = await sendOnce(request)
        if mayBeStale, request.mayBeRepeated, case .failure(let failure) = outcome, failure.isConnectionLost,
            !Task.isCancelled
        {
            answering.withLock { _ = $0.remove(origin) }
            outcome = await sendOnce(request)
        }
        if case .answer = outcome { answering.withLock { _ = $0.insert(origin) } }
        return outcome
    }

    private func sendOnce(_ request: TransferRequest) async -> TransportOutcome {
        let progress = BodyProgress(onSent: request.onProgress)
        do {
            let isSmall = request.sink == nil && request.bodyByteCount <= Self.smallBodyByteCount
            return .answer(
                try await isSmall ? sendSmall(request, progress: progress) : sendWatched(request, progress: progress))
        } catch {
            return TransportErrors.outcome(of: error, progress: progress)
        }
    }

    private func sendSmall(_ request: TransferRequest, progress: BodyProgress) async throws -> TransferAnswer {
        var outgoing = clientRequest(request)
        if let body = request.body {
            do {
                outgoing.body = .bytes(try BodyReader.all(of: body, files: files))
            } catch {
                progress.failed(error)
                throw error
            }
        }
        let seconds = timeouts.connect + request.answerTimeout
        let response = try await client.execute(outgoing, deadline: .now() + .seconds(seconds))
        progress.took(Int(request.bodyByteCount))
        let text = try await receipt(response)
        return answer(response, to: request, text, bytesSent: request.bodyByteCount)
    }

    /// For bodies that may take long, either way: a watchdog ends the request when nothing moves.
    private func sendWatched(_ request: TransferRequest, progress: BodyProgress) async throws -> TransferAnswer {
        var outgoing = clientRequest(request)
        let whole = request.bodyByteCount
        if let body = request.body {
            let stream = FileBodyStream(body: body, files: files, loop: group.any(), progress: progress)
            outgoing.body = .stream(stream, length: .known(Int64(whole)))
        }
        return try await withThrowingTaskGroup(of: TransferAnswer.self) { [outgoing] group in
            group.addTask { [self] in
                let response = try await client.execute(outgoing, deadline: .distantFuture)
                progress.answered()
                if let answer = try await receive(response, to: request, progress: progress) { return answer }
                var text = try await receipt(response)
                // An early 2xx: the body goes on behind the answer, and only its end makes a delivery.
                if response.status.code / 100 == 2 { text = try await waitForBody(progress, whole: whole, text) }
                return answer(response, to: request, text, bytesSent: progress.bytesTaken)
            }
            group.addTask { [self] in
                try await watch(progress, whole: whole, answerTimeout: request.answerTimeout)
                throw StalledError()
            }
            defer { group.cancelAll() }
            guard let answer = try await group.next() else { throw CancellationError() }
            return answer
        }
    }

    /// The body of an answer into its sink, if that wants it.
    private func receive(
        _ response: HTTPClientResponse, to request: TransferRequest, progress: BodyProgress
    ) async throws -> TransferAnswer? {
        guard let sink = request.sink else { return nil }
        let head = answer(response, to: request, [], bytesSent: progress.bytesTaken)
        guard try await sink.wants(head) else { return nil }
        progress.receives()
        for try await part in response.body {
            progress.received(part.readableBytes)
            try await sink.take(Array(part.readableBytesView))
        }
        return head
    }

    /// Returns once nothing has moved for too long: neither a body while it lasts, nor the answer after it.
    private func watch(_ progress: BodyProgress, whole: UInt64, answerTimeout: Int64) async throws {
        var last = progress.bytesMoved
        var idle: Int64 = 0
        while true {
            try await Task.sleep(for: .seconds(1), clock: .continuous)
            let moved = progress.bytesMoved
            let isBounded = progress.isAnswered && !progress.isReceiving
            idle = moved == last && !isBounded ? idle + 1 : 0
            last = moved
            let isSent = progress.bytesTaken >= whole && !progress.isReceiving
            if idle >= (isSent ? answerTimeout : timeouts.connect + timeouts.progress) { return }
        }
    }

    private func waitForBody(_ progress: BodyProgress, whole: UInt64, _ text: [UInt8]) async throws -> [UInt8] {
        var last = progress.bytesTaken
        var idle = 0
        while progress.bytesTaken < whole, idle < 20 {
            try await Task.sleep(for: .milliseconds(50), clock: .continuous)
            idle = progress.bytesTaken == last ? idle + 1 : 0
            last = progress.bytesTaken
        }
        return text
    }
}

/// Nothing moved on a connection for longer than the time-out.
struct StalledError: Error {}

extension HTTPTransport {
    private func clientRequest(_ request: TransferRequest) -> HTTPClientRequest {
        var outgoing = HTTPClientRequest(url: request.endpoint.description)
        outgoing.method = HTTPMethod(rawValue: request.method.rawValue)
        for field in request.fields { outgoing.headers.add(name: field.name.rawName, value: field.value) }
        return outgoing
    }

    private func answer(
        _ response: HTTPClientResponse, to request: TransferRequest, _ text: [UInt8], bytesSent: UInt64
    ) -> TransferAnswer {
        var fields = HTTPFields()
        for header in response.headers {
            guard let name = HTTPField.Name(header.name) else { continue }
            fields.append(HTTPField(name: name, value: header.value))
        }
        return TransferAnswer(
            status: Int(response.status.code), fields: fields, body: text, bytesSent: bytesSent,
            isWholeBodySent: bytesSent >= request.bodyByteCount, isLoopback: request.endpoint.isLoopback)
    }

    /// The beginning of the answer's body. A short rest is read away, so that the connection can be used again; an
    /// endless one is left, and costs the connection.
    private func receipt(_ response: HTTPClientResponse) async throws -> [UInt8] {
        if response.headers.first(name: "content-length") == "0" { return [] }
        let seconds = timeouts.answerBody
        return await withTaskGroup(of: [UInt8]?.self) { group in
            group.addTask {
                var bytes: [UInt8] = []
                var count = 0
                do {
                    for try await var part in response.body {
                        count += part.readableBytes
                        let wanted = min(Self.receiptByteCount - bytes.count, part.readableBytes)
                        bytes += part.readBytes(length: wanted) ?? []
                        if count > 64 << 10 { break }
                    }
                } catch {
                    // The head is the answer; what is missing of its text is no reason to send again.
                }
                return bytes
            }
            group.addTask {
                try? await Task.sleep(for: .seconds(seconds), clock: .continuous)
                return nil
            }
            let first = await group.next() ?? nil
            group.cancelAll()
            return first ?? []
        }
    }
}
