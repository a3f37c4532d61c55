import DurableIO
import NIOCore
import NIOHTTP1

/// The peer does not answer in HTTP.
struct ForeignProtocolError: Error {
    /// The first bytes it sent, never empty.
    let beginning: [UInt8]

    /// What speaks TLS answers what is not with an alert, and what has taken us for a client may begin a handshake.
    var isTLS: Bool {
        beginning.count >= 2 && (beginning[0] == 21 || beginning[0] == 22) && beginning[1] == 3
    }

    /// The first line, or the bytes of what is no text, for people: cut and printable.
    var quotation: String {
        let line = beginning.prefix { $0 != 0x0a && $0 != 0x0d }
        // What is sent to people begins with letters, and has no byte of nothing.
        guard line.count >= 4, line.prefix(4).allSatisfy({ (0x20..<0x7f).contains($0) }), !line.contains(0) else {
            let bytes = beginning.prefix(8).map { [$0].hexDigits }
            return "the bytes \(bytes.joined(separator: " "))"
        }
        return QuotedText(line, limit: 60).description
    }
}

/// Looks at the first bytes of each connection: a peer that does not begin with `HTTP/` speaks something else, and its
/// greeting says what.
///
/// Many such peers speak first. What comes before a request was sent is kept until then, so that it is the answer to
/// that request, and not the end of a connection that nobody has used.
final class ProtocolGuard: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private static let mark = Array("HTTP/".utf8)
    /// So much of a greeting is enough to recognize it by.
    private static let greetingByteCount = 64

    private var early: [ByteBuffer] = []
    private var isHolding = true
    private var hasAsked = false
    private var beginning: [UInt8] = []
    private var isHTTP = false
    private var isForeign = false

    /// Before the decoder, where answers are bytes.
    static func install(in pipeline: ChannelPipeline.SynchronousOperations) throws {
        let encoder = try pipeline.handler(type: HTTPRequestEncoder.self)
        try pipeline.addHandler(ProtocolGuard(), position: .before(encoder))
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        context.write(data, promise: promise)
        guard !hasAsked else { return }
        hasAsked = true
        // Not from within the client's own call.
        guard !early.isEmpty else {
            isHolding = false
            return
        }
        context.eventLoop.assumeIsolated().execute { self.stopHolding(context) }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = Self.unwrapInboundIn(data)
        if isHolding { early.append(bytes) } else { look(at: bytes, context) }
    }

    func channelInactive(context: ChannelHandlerContext) {
        stopHolding(context)
        context.fireChannelInactive()
    }

    /// Passes on what came early, and from now on each byte as it comes.
    private func stopHolding(_ context: ChannelHandlerContext) {
        isHolding = false
        guard !early.isEmpty else { return }
        // Whoever is told of these bytes may close the connection, and come here again.
        let held = early
        early = []
        for bytes in held { look(at: bytes, context) }
        context.fireChannelReadComplete()
    }

    private func look(at bytes: ByteBuffer, _ context: ChannelHandlerContext) {
        if isHTTP { return context.fireChannelRead(Self.wrapInboundOut(bytes)) }
        guard !isForeign else { return }
        beginning += bytes.readableBytesView.prefix(Self.greetingByteCount - beginning.count)
        // Empty lines before an answer are the decoder's business.
        let greeting = beginning.drop { $0 == 0x0d || $0 == 0x0a }
        if zip(Self.mark, greeting).contains(where: { $0 != $1 }) { return refuse(context) }
        isHTTP = greeting.count >= Self.mark.count || beginning.count >= Self.greetingByteCount
        context.fireChannelRead(Self.wrapInboundOut(bytes))
    }

    private func refuse(_ context: ChannelHandlerContext) {
        isForeign = true
        context.fireErrorCaught(ForeignProtocolError(beginning: beginning))
        context.close(promise: nil)
    }
}
