import AsyncHTTPClient
import DurableIO
import NIOCore
import NIOHTTP1
import Synchronization

/// The HTTP clients of a transport, one for each way to a server, made when the first request goes that way.
///
/// Nobody else uses these clients, so no connection of theirs is made with the settings of another transport.
///
/// HTTP/2 is off because an early 2xx to a streamed body kills the process there (AsyncHTTPClient issue #922); it can
/// come back when that is mended. Retries and redirects of the client are off: the engine alone decides to send again.
final class RoutedClients: Sendable {
    private let timeouts: HTTPTransport.Timeouts
    private let tls: TLSFiles
    private let maximumConnections: Int
    private let thread: LoopThread
    private let clients = Mutex<(restCount: Int, byWay: [Way: HTTPClient])>((0, [:]))

    private struct Way: Hashable {
        var route: Route
        var isAlone: Bool
    }

    init(timeouts: HTTPTransport.Timeouts, tls: TLSFiles, maximumConnections: Int, thread: LoopThread) {
        self.timeouts = timeouts
        self.tls = tls
        self.maximumConnections = max(1, maximumConnections)
        self.thread = thread
    }

    /// To be called during ``LoopThread/whileUsed(_:)``.
    /// - Parameters:
    ///   - route: to the server.
    ///   - isAlone: whether its connections are kept apart from those that are used again.
    /// - Returns: it, and what runs tasks on the loop on which it works; `nil` after the thread's shutdown.
    func client(for route: Route, isAlone: Bool) -> (HTTPClient, LoopExecutor)? {
        guard let executor = thread.executor else { return nil }
        let way = Way(route: route, isAlone: isAlone)
        let restCount = thread.restCount
        return clients.withLock { clients in
            // The clients of a thread that has ended have ended with it.
            if clients.restCount != restCount { clients = (restCount, [:]) }
            if let client = clients.byWay[way] { return (client, executor) }
            guard let client = thread.makeClient(configuration(for: route)) else { return nil }
            clients.byWay[way] = client
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
    var basicCredentials: String? { credentials.map { Base64.encode(Array($0.utf8)) } }
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
