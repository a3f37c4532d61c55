import AsyncHTTPClient
import DurableIO
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// The HTTP clients of a transport, one for each way to a server, made when the first request goes that way.
///
/// HTTP/2 is off because an early 2xx to a streamed body kills the process there (AsyncHTTPClient issue #922); it can
/// come back when that is mended. Retries and redirects of the client are off: the engine alone decides to send again.
final class RoutedClients: Sendable {
    private let timeouts: HTTPTransport.Timeouts
    private let tls: TLSFiles
    private let maximumConnections: Int
    private let state = Mutex(State())

    private struct State {
        /// One thread, started with the first client: most runs have nothing to send.
        var group: MultiThreadedEventLoopGroup?
        var executor: LoopExecutor?
        var clients: [Way: HTTPClient] = [:]
        var hasShutDown = false
    }

    private struct Way: Hashable {
        var route: Route
        var isAlone: Bool
    }

    init(timeouts: HTTPTransport.Timeouts, tls: TLSFiles, maximumConnections: Int) {
        self.timeouts = timeouts
        self.tls = tls
        self.maximumConnections = max(1, maximumConnections)
    }

    deinit {
        // A client that goes without this brings the process down in debug builds.
        remains()?.end {}
    }

    /// Ends the connections, and the loop once nothing is left that will come back to it.
    ///
    /// A connection that is being made, or a name that is being looked up, cannot be called off: these are waited for
    /// ``patience``, and then the loop ends by itself, later.
    func shutdown() async {
        guard let remains = remains() else { return }
        await withCheckedContinuation { continuation in
            let waiter = Mutex<CheckedContinuation<Void, Never>?>(continuation)
            let resume: @Sendable () -> Void = {
                let waiter = waiter.withLock { $0.take() }
                waiter?.resume()
            }
            remains.loop.scheduleTask(in: Self.patience, resume)
            remains.end(resume)
        }
    }

    /// How long a shutdown waits for what cannot be called off.
    private static let patience = TimeAmount.milliseconds(250)

    /// - Returns: what is left to be shut down; `nil` the second time, and when there never was anything.
    private func remains() -> Remains? {
        state.withLock { state in
            defer { state.hasShutDown = true }
            guard !state.hasShutDown, let group = state.group else { return nil }
            return Remains(group: group, clients: Array(state.clients.values))
        }
    }

    /// What a transport leaves behind when it shuts down. It needs nobody to wait for it.
    private struct Remains: Sendable {
        let group: MultiThreadedEventLoopGroup
        let clients: [HTTPClient]

        /// The only one of its group.
        var loop: any EventLoop { group.any() }

        /// Connections first, then names, then the loop: a look-up that came back to a loop that has ended would make
        /// NIO print a line on the program's standard error, and in later versions end the program.
        func end(_ done: @escaping @Sendable () -> Void) {
            let loop = loop
            // Whatever these say, there is nobody to tell.
            EventLoopFuture.andAllComplete(clients.map { $0.shutdown() }, on: loop)
                .flatMap { NameLookUps.ended(on: loop) }
                .whenComplete { _ in group.shutdownGracefully { _ in done() } }
        }
    }

    /// - Parameters:
    ///   - route: to the server.
    ///   - isAlone: whether its connections are kept apart from those that are used again.
    /// - Returns: it, and what runs tasks on the loop on which it works; `nil` after the shutdown.
    func client(for route: Route, isAlone: Bool) -> (HTTPClient, LoopExecutor)? {
        let way = Way(route: route, isAlone: isAlone)
        return state.withLock { state in
            guard !state.hasShutDown else { return nil }
            let group = state.group ?? MultiThreadedEventLoopGroup(numberOfThreads: 1)
            let client =
                state.clients[way]
                ?? HTTPClient(eventLoopGroupProvider: .shared(group), configuration: configuration(for: route))
            let executor = state.executor ?? LoopExecutor(group.any())
            (state.group, state.executor, state.clients[way]) = (group, executor, client)
            return (client, executor)
        }
    }

    private func configuration(for route: Route) -> HTTPClient.Configuration {
        var configuration = HTTPClient.Configuration()
        configuration.httpVersion = .http1Only
        configuration.redirectConfiguration = .disallow
        configuration.tlsConfiguration = tls.configuration
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = maximumConnections
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.timeout.connect = .seconds(timeouts.connect)
        // Spans would carry whole URLs, which may have a secret in them, and cost time when nobody collects them, too.
        configuration.tracing.tracer = nil
        configuration.http1_1ConnectionDebugInitializer = Self.initializer()
        switch route {
        case .direct: break
        case .socks(let proxy): configuration.proxy = .socksServer(host: proxy.host, port: proxy.port)
        case .tunnel(let proxy):
            configuration.proxy = .server(
                host: proxy.host, port: proxy.port,
                authorization: proxy.basicCredentials.map { .basic(credentials: $0) })
        case .forward(let proxy):
            // The client's own proxies tunnel always, and many a proxy opens tunnels to port 443 only.
            let credentials = proxy.basicCredentials
            configuration.http1_1ConnectionDebugInitializer = Self.initializer {
                try ProxyForm.install(in: $0, credentials: credentials)
            }
        }
        return configuration
    }

    /// Gives each connection its handlers, at once: a peer that speaks first may be heard in the loop's next turn.
    private static func initializer(
        adding more: @escaping @Sendable (ChannelPipeline.SynchronousOperations) throws -> Void = { _ in }
    ) -> @Sendable (any Channel) -> EventLoopFuture<Void> {
        { channel in
            let install = { @Sendable in
                UnsentLimit.set(on: channel)
                let pipeline = channel.pipeline.syncOperations
                try StatusGuard.install(in: pipeline)
                try FirstError.install(in: pipeline)
                try HeadHold.install(in: pipeline)
                try ProtocolGuard.install(in: pipeline)
                try more(pipeline)
            }
            let loop = channel.eventLoop
            return loop.inEventLoop ? loop.makeCompletedFuture(withResultOf: install) : loop.submit(install)
        }
    }
}

extension ProxyServer {
    /// As they stand in a header field (RFC 7617).
    fileprivate var basicCredentials: String? { credentials.map { Base64.encode(Array($0.utf8)) } }
}

/// How much of a body the kernel takes before it has sent what it took before.
///
/// Without such a limit the kernel takes megabytes at once, and on a slow way nobody could say how much of a body has
/// gone out, or that nothing moves any more.
enum UnsentLimit {
    private static let byteCount = 128 << 10
    /// TCP_NOTSENT_LOWAT of Linux (tcp(7)); libc is not imported here.
    private static let option = ChannelOptions.Types.SocketOption(
        level: .tcp, name: NIOBSDSocket.Option(rawValue: 25))

    static func set(on channel: any Channel) {
        // Best effort: what is lost without it is a number.
        try? channel.syncOptions?.setOption(option, value: byteCount)
    }
}

/// Turns requests into the form that a proxy wants: the whole URL instead of its path (RFC 9112, section 3.2.2), and
/// the proxy's credentials.
///
/// The server is named by a field that goes no further.
final class ProxyForm: ChannelOutboundHandler, Sendable {
    typealias OutboundIn = HTTPClientRequestPart
    typealias OutboundOut = HTTPClientRequestPart

    static let authorityField = "x-proxied-authority"

    private let credentials: String?

    static func install(in pipeline: ChannelPipeline.SynchronousOperations, credentials: String?) throws {
        let encoder = try pipeline.handler(type: HTTPRequestEncoder.self)
        try pipeline.addHandler(ProxyForm(credentials: credentials), position: .after(encoder))
    }

    private init(credentials: String?) {
        self.credentials = credentials
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        var part = unwrapOutboundIn(data)
        if case .head(var head) = part {
            head.uri = "http://" + (head.headers.first(name: Self.authorityField) ?? "") + head.uri
            head.headers.remove(name: Self.authorityField)
            if let credentials {
                head.headers.replaceOrAdd(name: "proxy-authorization", value: "Basic \(credentials)")
            }
            part = .head(head)
        }
        context.write(wrapOutboundOut(part), promise: promise)
    }
}
