import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import NIOSOCKS
import NIOSSL
import NIOTLS

/// Fulfils a promise when a stage of a connection's making ends: with an event, an error, or the connection's end.
final class StageEnd: ChannelInboundHandler {
    typealias InboundIn = Any

    private let promise: EventLoopPromise<Void>
    private let isEnd: (Any) -> Bool

    init(_ promise: EventLoopPromise<Void>, isEnd: @escaping (Any) -> Bool) {
        self.promise = promise
        self.isEnd = isEnd
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if isEnd(event) {
            // What comes next is for the handlers of the next stage.
            try? context.channel.syncOptions?.setOption(.autoRead, value: false)
            promise.succeed()
        }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        promise.fail(error)
        context.fireErrorCaught(error)
    }

    func channelInactive(context: ChannelHandlerContext) {
        promise.fail(HTTPClientError.remoteConnectionClosed)
        context.fireChannelInactive()
    }
}

/// The proxy has made a tunnel to the server.
struct TunnelEstablished {}

/// Asks an HTTP proxy for a tunnel (RFC 9110, section 9.3.6), and passes everything on once there is one.
final class TunnelRequest: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private static let maximumByteCount = 64 << 10

    private let authority: String
    private let credentials: String?
    private var answer: [UInt8] = []
    private var isOpen = false

    init(to endpoint: Endpoint, credentials: String?) {
        authority = "\(endpoint.host):\(endpoint.port)"
        self.credentials = credentials
    }

    func handlerAdded(context: ChannelHandlerContext) {
        let field = credentials.map { "proxy-authorization: Basic \($0)\r\n" } ?? ""
        let text = "CONNECT \(authority) HTTP/1.1\r\nhost: \(authority)\r\n\(field)\r\n"
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: text)), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isOpen else { return context.fireChannelRead(data) }
        answer += unwrapInboundIn(data).readableBytesView
        guard let end = answer.firstRange(of: Array("\r\n\r\n".utf8)) else {
            if answer.count > Self.maximumByteCount { context.fireErrorCaught(HTTPClientError.invalidProxyResponse) }
            return
        }
        // The status line: HTTP/1.1 200 Connection established
        let words = String(decoding: answer[..<end.lowerBound], as: UTF8.self).split(separator: " ", maxSplits: 2)
        let status = words.count >= 2 && words[0].hasPrefix("HTTP/1.") ? Int(words[1].prefix(3)) : nil
        switch status ?? 0 {
        case 200..<300:
            isOpen = true
            context.fireUserInboundEventTriggered(TunnelEstablished())
        case 407: context.fireErrorCaught(HTTPClientError.proxyAuthenticationRequired)
        default: context.fireErrorCaught(HTTPClientError.invalidProxyResponse)
        }
    }
}

/// What became of a handshake. The certificate is the one that the server has shown, accepted or not.
struct HandshakeEnd: Sendable {
    var error: (any Error)?
    var version: String?
    var certificate: ServerCertificate?
    /// When it ended.
    var moment = ContinuousClock.now
}

/// Watches a handshake, and for a moment what comes after it: over TLS 1.3, a server that does not accept the client's
/// certificate says so when the handshake is over for the client.
final class HandshakeWatch: ChannelInboundHandler {
    typealias InboundIn = Any

    private let handler: NIOSSLClientHandler
    private let promise: EventLoopPromise<HandshakeEnd>
    private let patience: TimeAmount
    private var end: HandshakeEnd?

    init(_ handler: NIOSSLClientHandler, _ promise: EventLoopPromise<HandshakeEnd>, patience: TimeAmount) {
        self.handler = handler
        self.promise = promise
        self.patience = patience
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .some(.handshakeCompleted) = event as? TLSUserEvent, end == nil {
            let isNewest = handler.tlsVersion == .tlsv13
            let end = HandshakeEnd(version: isNewest ? "1.3" : "1.2", certificate: certificate)
            self.end = end
            if isNewest {
                context.eventLoop.scheduleTask(in: patience) { [promise] in promise.succeed(end) }
            } else {
                promise.succeed(end)
            }
        }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        promise.succeed(HandshakeEnd(error: error, certificate: certificate))
        context.fireErrorCaught(error)
    }

    func channelInactive(context: ChannelHandlerContext) {
        // A server may close a connection that it has no request on.
        promise.succeed(end ?? HandshakeEnd(error: HTTPClientError.remoteConnectionClosed, certificate: certificate))
        context.fireChannelInactive()
    }

    private var certificate: ServerCertificate? { handler.peerCertificate.map(ServerCertificate.init) }
}
