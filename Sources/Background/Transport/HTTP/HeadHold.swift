import NIOCore
import NIOHTTP1

/// Lets the head of a request go out together with the first bytes of its body: one packet, and one call of the kernel
/// on either side, instead of two.
final class HeadHold: ChannelOutboundHandler, RemovableChannelHandler {
    typealias OutboundIn = HTTPClientRequestPart
    typealias OutboundOut = HTTPClientRequestPart

    private var isHeld = false

    /// Behind the encoder, where requests still have parts.
    static func install(in pipeline: ChannelPipeline.SynchronousOperations) throws {
        let encoder = try pipeline.handler(type: HTTPRequestEncoder.self)
        try pipeline.addHandler(HeadHold(), position: .after(encoder))
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if case .head = unwrapOutboundIn(data) { isHeld = true } else { isHeld = false }
        context.write(data, promise: promise)
    }

    func flush(context: ChannelHandlerContext) {
        // A body or its end follows every head.
        if !isHeld { context.flush() }
    }
}
