import NIOCore
import NIOPosix
package import NIOSSL

/// TLS in front of a ``LoopbackServer``: decrypts what comes and hands it on, the answers back.
///
/// It counts every byte that a client has let it read, so that a test can tell that there was none.
package final class TLSFront: Sendable {
    struct State: Sendable {
        var connections = 0
        var byteCount = 0
    }

    /// The port of 127.0.0.1 it listens on.
    package let port: UInt16

    private let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    private let listener: any Channel
    private let state: Monitor<State>

    /// Starts listening.
    ///
    /// - Parameters:
    ///   - identity: its certificate, and the key to it.
    ///   - backend: the server that gets what was decrypted.
    ///   - newest: the newest TLS it speaks. The default is 1.3.
    ///   - clients: the authority of the client certificates that it demands, in PEM; `nil`, the default, for none.
    /// - Throws: why the identity is no use, or there is no socket.
    package init(
        _ identity: TestAuthority.Identity, before backend: LoopbackServer, newest: TLSVersion = .tlsv13,
        clients: String? = nil
    ) async throws {
        let certificates = try NIOSSLCertificate.fromPEMBytes(Array(identity.certificate.utf8))
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: certificates.map { .certificate($0) },
            privateKey: .privateKey(try NIOSSLPrivateKey(bytes: Array(identity.key.utf8), format: .pem)))
        configuration.maximumTLSVersion = newest
        if let clients {
            configuration.certificateVerification = .noHostnameVerification
            configuration.trustRoots = .certificates(try NIOSSLCertificate.fromPEMBytes(Array(clients.utf8)))
        }
        let (context, state, target) = (try NIOSSLContext(configuration: configuration), Monitor(State()), backend.port)
        listener = try await ServerBootstrap(group: group)
            .childChannelInitializer { channel in
                state.withLock { $0.connections += 1 }
                return channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: context))
                    try channel.pipeline.syncOperations.addHandler(Forwarder(port: target, state: state))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        port = UInt16(listener.localAddress?.port ?? 0)
        self.state = state
    }

    /// The address of a path, for instance `https://127.0.0.1:40123/reports`; the path begins with a slash.
    package func url(_ path: String = "/", host: String = "127.0.0.1") -> String { "https://\(host):\(port)\(path)" }

    /// The number of connections accepted so far.
    package var connectionCount: Int { state.value.connections }

    /// How many bytes clients have sent under the encryption, of the request and its head.
    package var byteCount: Int { state.value.byteCount }

    /// Closes every connection. Nothing can be asked afterwards.
    package func stop() async {
        try? await listener.close()
        try? await group.shutdownGracefully()
    }
}

/// Connects to the backend at a connection's first decrypted byte, and passes everything on.
private final class Forwarder: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let port: UInt16
    private let state: Monitor<TLSFront.State>
    private var backend: EventLoopFuture<any Channel>?

    init(port: UInt16, state: Monitor<TLSFront.State>) {
        self.port = port
        self.state = state
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = unwrapInboundIn(data)
        state.withLock { $0.byteCount += bytes.readableBytes }
        let backend = self.backend ?? connect(context)
        self.backend = backend
        // Futures' callbacks run in the order in which they were added.
        backend.whenSuccess { $0.writeAndFlush(bytes, promise: nil) }
    }

    private func connect(_ context: ChannelHandlerContext) -> EventLoopFuture<any Channel> {
        let client = context.channel
        return ClientBootstrap(group: context.eventLoop)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Returner(client: client))
                }
            }
            .connect(host: "127.0.0.1", port: Int(port))
    }

    func channelInactive(context: ChannelHandlerContext) {
        backend?.whenSuccess { $0.close(promise: nil) }
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}

/// Passes the backend's answers back to the client.
private final class Returner: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let client: any Channel

    init(client: any Channel) {
        self.client = client
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        client.writeAndFlush(unwrapInboundIn(data), promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        client.close(promise: nil)
    }
}

/// Runs `body` with TLS in front of a server, and stops both afterwards, whatever happened.
///
/// - Parameters:
///   - identity: the front's certificate, and the key to it.
///   - script: what the server behind it answers.
///   - newest: the newest TLS the front speaks. The default is 1.3.
///   - clients: the authority of the client certificates that it demands, in PEM; `nil`, the default, for none.
///   - isolation: the caller's, so that `body` may use what is its own.
///   - body: what to do with them.
/// - Throws: what `body` throws, or why there is no server.
package func withTLSServer(
    _ identity: TestAuthority.Identity, _ script: ServerScript, newest: TLSVersion = .tlsv13,
    clients: String? = nil,
    isolation: isolated (any Actor)? = #isolation,
    _ body: (TLSFront, LoopbackServer) async throws -> Void
) async throws {
    let server = try LoopbackServer(script)
    defer { server.stop() }
    let front = try await TLSFront(identity, before: server, newest: newest, clients: clients)
    do {
        try await body(front, server)
    } catch {
        await front.stop()
        throw error
    }
    await front.stop()
}
