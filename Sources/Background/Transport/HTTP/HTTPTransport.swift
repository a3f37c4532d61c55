import AsyncHTTPClient
package import DurableIO
import HTTPTypes
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// The real transport: AsyncHTTPClient over HTTP/1.1, with one set of connection settings and one event-loop thread.
package final class HTTPTransport: Transport {
    private let thread: LoopThread
    private let clients: RoutedClients
    let tls: TLSFiles
    private let proxy: ProxySettings
    private let files: any FileSystem
    let timeouts: Timeouts
    private let origins = Mutex<[String: Acquaintance]>([:])

    /// What is known of an origin's way with connections.
    private struct Acquaintance {
        /// Only where one has answered can a broken connection be an old one.
        var hasAnswered = false
        /// How often a kept connection turned out to have been closed, those of one moment counted once.
        private var staleCount = 0
        private var countedAt: ContinuousClock.Instant?

        /// Proxies there are that close after each answer without a word; keeping connections to them costs every other
        /// request. A server that was restarted is not one of them.
        func keepsConnections(at now: ContinuousClock.Instant) -> Bool {
            staleCount < 3 || countedAt.map { now - $0 > .seconds(60) } ?? true
        }

        mutating func noteStale(of request: ContinuousClock.Instant, at now: ContinuousClock.Instant) {
            guard let countedAt else {
                (staleCount, self.countedAt) = (1, now)
                return
            }
            guard request > countedAt else { return }
            staleCount = now - countedAt > .seconds(60) ? 1 : staleCount + 1
            self.countedAt = now
        }
    }

    /// All in seconds.
    package struct Timeouts: Sendable {
        package var connect: Int64
        /// Without a byte of the body taken.
        package var progress: Int64
        /// From the last byte sent to the head of the answer, at a first try.
        package var answer: Int64
        /// For the body of an answer, which nobody needs.
        package var answerBody: Int64 = 2
        /// How long the event-loop thread and its connections stay without work.
        package var rest: Int64 = 30

        package init(_ timeouts: ConnectionTimeouts = ConnectionTimeouts()) {
            connect = timeouts.connect.wholeSeconds
            progress = timeouts.idle.wholeSeconds
            answer = timeouts.answer.wholeSeconds
        }

        /// A slow server gets twice the time at each further try of the same transfer, up to 30 minutes.
        func answer(to request: TransferRequest) -> Int64 {
            request.answerTimeout ?? min(max(answer, 1_800), answer << Int64(request.patience))
        }
    }

    /// Bodies up to this size go as one buffer, which is faster; larger ones as a paced stream.
    static let smallBodyByteCount: UInt64 = 256 << 10
    static let receiptByteCount = 1 << 10

    /// A transport that has read the files its settings name.
    ///
    /// Not an initializer that throws: Swift 6.3.1's optimizer aborts on one in a class that holds a `Mutex`.
    /// - Parameters:
    ///   - files: what bodies and certificates are read with.
    ///   - maximumConnections: to one server. The default is 16.
    ///   - settings: whom to trust, which proxy, and how long to wait.
    ///   - timeouts: instead of those of the settings, for tests.
    /// - Returns: the transport, which has to be shut down.
    /// - Throws: what is wrong with a file.
    package static func open(
        files: any FileSystem, maximumConnections: Int = 16, settings: ConnectionSettings = ConnectionSettings(),
        timeouts: Timeouts? = nil
    ) throws(ConnectionSettingsError) -> HTTPTransport {
        try open(
            files: files, maximumConnections: maximumConnections, settings: settings, timeouts: timeouts,
            thread: LoopThread(idleTime: .seconds(timeouts?.rest ?? 30)))
    }

    /// The same, on a thread that other transports use, too. Its shutdown ends them all.
    static func open(
        files: any FileSystem, maximumConnections: Int, settings: ConnectionSettings, timeouts: Timeouts? = nil,
        thread: LoopThread
    ) throws(ConnectionSettingsError) -> HTTPTransport {
        HTTPTransport(
            files: files, maximumConnections: maximumConnections, tls: try TLSFiles.load(settings.tls, files: files),
            proxy: settings.proxy, timeouts: timeouts ?? Timeouts(settings.timeouts), thread: thread)
    }

    private init(
        files: any FileSystem, maximumConnections: Int, tls: TLSFiles, proxy: ProxySettings, timeouts: Timeouts,
        thread: LoopThread
    ) {
        self.files = files
        self.timeouts = timeouts
        self.tls = tls
        self.proxy = proxy
        self.thread = thread
        clients = RoutedClients(
            timeouts: timeouts, tls: tls, maximumConnections: maximumConnections, thread: thread)
    }

    package func shutdown() async {
        await thread.shutdown()
    }

    /// Makes a connection as a request to this endpoint would, and tells of each step. Sends no request.
    package func probe(_ endpoint: Endpoint) async -> ConnectionFindings {
        let route: Route
        do {
            route = try proxy.route(to: endpoint)
        } catch {
            return ConnectionFindings(.invalidSetting("\(error)"))
        }
        return await thread.whileUsed {
            guard let loop = thread.executor?.loop else { return ConnectionFindings(.interrupted) }
            let probe = ConnectionProbe(
                endpoint: endpoint, route: route, configuration: tls.renewed ?? tls.configuration,
                timeouts: timeouts, loop: loop)
            return await probe.run()
        }
    }

    package func send(_ request: TransferRequest) async -> TransportResult {
        await thread.whileUsed { await sendFollowing(request) }
    }

    private func sendFollowing(_ request: TransferRequest) async -> TransportResult {
        var request = request
        for _ in 0..<5 {
            let result = await sendOverFreshConnection(request)
            guard request.followsRedirects, case .answer(let answer) = result,
                answer.status == 307 || answer.status == 308,
                let location = answer.fields[.location],
                let target = request.endpoint.resolving(location: location),
                target.origin == request.endpoint.origin, await answer.restBeforeFollowing()
            else { return result }
            request.endpoint = target
        }
        return .noAnswer(.failure(TransportFailure("too many redirects", didConnect: true, bytesSent: 0)))
    }

    /// A kept connection may have been closed by the server just as the request went out; that is not a failure of
    /// the server's, so the request goes out once more at once, on a new one. The idempotency key makes that safe.
    private func sendOverFreshConnection(_ request: TransferRequest) async -> TransportResult {
        let name = request.endpoint.origin
        let begun = ContinuousClock.now
        let keepsConnections = origins.withLock { $0[name]?.keepsConnections(at: begun) ?? true }
        let first = await sendOnce(request, isAlone: !keepsConnections || request.isSentOnce)
        guard case .noAnswer(.failure(let failure)) = first, failure.isConnectionLost else {
            if case .answer = first { origins.withLock { $0[name, default: Acquaintance()].hasAnswered = true } }
            return first
        }
        let hasAnswered = origins.withLock { $0[name]?.hasAnswered ?? false }
        // What an old connection has taken of a body is what fits its buffers.
        guard hasAnswered, keepsConnections, request.mayBeRepeated, !request.isSentOnce,
            failure.bytesSent <= Self.smallBodyByteCount, !Task.isCancelled
        else { return first }
        let second = await sendOnce(request, isAlone: true)
        let isStale = if case .answer = second { true } else { false }
        origins.withLock { origins in
            // A new connection that is closed as well is the server's doing: not again before it has answered.
            origins[name]?.hasAnswered = isStale
            if isStale { origins[name]?.noteStale(of: begun, at: .now) }
        }
        return second
    }

    /// Alone means on a connection of its own, which is closed afterwards.
    private func sendOnce(_ request: TransferRequest, isAlone: Bool) async -> TransportResult {
        let progress = BodyProgress(onSent: request.onProgress)
        let route: Route
        do {
            route = try proxy.route(to: request.endpoint)
        } catch {
            return .noAnswer(.localTrouble("\(error)"))
        }
        guard let (client, executor) = clients.client(for: route, isAlone: isAlone) else {
            return .noAnswer(.interrupted)
        }
        do {
            // Of a small body nobody knows without an answer whether it was sent.
            let isSmall =
                request.sink == nil && request.bodyByteCount <= Self.smallBodyByteCount && !request.isWatchedClosely
                && !request.isSentOnce
            var outgoing = clientRequest(request, by: route)
            if isAlone { outgoing.headers.replaceOrAdd(name: "connection", value: "close") }
            return .answer(
                try await isSmall
                    ? sendSmall(request, outgoing, over: client, on: executor, progress: progress)
                    : sendWatched(request, outgoing, over: client, on: executor, progress: progress)
            ).by(route)
        } catch {
            return TransportErrors(endpoint: request.endpoint, route: route, timeouts: timeouts)
                .result(of: error, progress: progress)
        }
    }

    private func sendSmall(
        _ request: TransferRequest, _ outgoing: HTTPClientRequest, over client: HTTPClient, on executor: LoopExecutor,
        progress: BodyProgress
    ) async throws -> TransferAnswer {
        var outgoing = outgoing
        if let body = request.body {
            do {
                outgoing.body = .bytes(try body.read(through: files))
            } catch {
                progress.failed(error)
                throw error
            }
        }
        let seconds = timeouts.connect + timeouts.answer(to: request)
        return try await withTaskExecutorPreference(executor) { [outgoing] in
            let response = try await client.execute(outgoing, deadline: .now() + .seconds(seconds))
            progress.took(Int(request.bodyByteCount))
            progress.answered()
            let text = try await receipt(response, limit: request.answerByteCount, on: executor)
            return answer(response, to: request, text, bytesSent: request.bodyByteCount)
        }
    }

    /// For bodies that may take long, either way: a watchdog ends the request when nothing moves.
    private func sendWatched(
        _ request: TransferRequest, _ outgoing: HTTPClientRequest, over client: HTTPClient, on executor: LoopExecutor,
        progress: BodyProgress
    ) async throws -> TransferAnswer {
        var outgoing = outgoing
        let whole = request.bodyByteCount
        if let body = request.body {
            let stream = BodyStream(
                body: body, files: files, loop: executor.loop, progress: progress,
                isWatchedClosely: request.isWatchedClosely)
            outgoing.body = .stream(stream, length: .known(Int64(whole)))
        }
        return try await withThrowingTaskGroup(of: TransferAnswer.self) { [outgoing] group in
            group.addTask { [self] in
                let response = try await client.execute(outgoing, deadline: .distantFuture)
                progress.answered()
                if let answer = try await receive(response, to: request, progress: progress) { return answer }
                var text = try await receipt(response, limit: request.answerByteCount, on: executor)
                // An early 2xx: the body goes on behind the answer, and only its end makes a delivery.
                if response.status.code / 100 == 2 { text = try await waitForBody(progress, whole: whole, text) }
                // Its end never comes when the body turned out to be damaged, which is no fault of the server's.
                if let failure = progress.failure { throw failure }
                return answer(response, to: request, text, bytesSent: progress.bytesTaken)
            }
            group.addTask { [self] in
                try await watch(progress, whole: whole, answerTimeout: timeouts.answer(to: request))
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
            try await sink.write(Array(part.readableBytesView))
        }
        return head
    }

    /// Returns once nothing has moved for too long: neither a body while it lasts, nor the answer after it.
    private func watch(_ progress: BodyProgress, whole: UInt64, answerTimeout: Int64) async throws {
        var last = progress.bytesMoved
        var idle: Int64 = 0
        while true {
            try await SleepAlarm.sleep(for: .seconds(1))
            let moved = progress.bytesMoved
            let isBounded = progress.isAnswered && !progress.isReceiving
            idle = moved == last && !isBounded ? idle + 1 : 0
            last = moved
            let isSent = progress.bytesTaken >= whole && !progress.isReceiving
            let connecting = moved == 0 ? timeouts.connect : 0
            if idle >= connecting + (isSent ? answerTimeout : timeouts.progress) { return }
        }
    }

    private func waitForBody(_ progress: BodyProgress, whole: UInt64, _ text: [UInt8]) async throws -> [UInt8] {
        var last = progress.bytesTaken
        var idle = 0
        while progress.bytesTaken < whole, idle < 20 {
            try await SleepAlarm.sleep(for: .milliseconds(50))
            idle = progress.bytesTaken == last ? idle + 1 : 0
            last = progress.bytesTaken
        }
        return text
    }
}

/// Nothing moved on a connection for longer than the time-out.
struct StalledError: Error {}

extension TransferAnswer {
    /// The longest that a redirect is waited for before it is followed: 30 s. One that asks for more is not followed.
    private static let longestRest: Int64 = 30_000

    /// Waits for as long as a redirect asks.
    /// - Returns: whether it may be followed now.
    func restBeforeFollowing() async -> Bool {
        // Only a date without the answer's own needs this machine's clock, and such a one is not waited for.
        guard let rest = retryAfter(at: 0), rest > 0 else { return true }
        guard rest <= Self.longestRest else { return false }
        do {
            try await SleepAlarm.sleep(for: .milliseconds(rest))
            return true
        } catch {
            return false
        }
    }
}

extension TransportResult {
    /// An answer that came through a proxy is no word of this machine's own.
    fileprivate func by(_ route: Route) -> TransportResult {
        guard case .answer(var answer) = self, route != .direct else { return self }
        answer.isLoopback = false
        return .answer(answer)
    }
}
