import NIOCore
import NIOHTTP1

/// Tells the writes of a connection that has failed why it has failed.
///
/// AsyncHTTPClient 1.37 closes a connection on an error before it passes the error on to the request. The write of the
/// request's end, if it is still under way, then fails first, and the request with it: of what was wrong there would be
/// nothing left but "I/O on closed channel".
final class FirstError: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias InboundOut = HTTPClientResponsePart
    typealias OutboundIn = HTTPClientRequestPart
    typealias OutboundOut = HTTPClientRequestPart

    private var error: (any Error)?

    /// Behind all that may find something wrong, next to the client's own handler.
    static func install(in pipeline: ChannelPipeline.SynchronousOperations) throws {
        try pipeline.addHandler(FirstError(), position: .after(pipeline.handler(type: StatusGuard.self)))
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        self.error = self.error ?? error
        context.fireErrorCaught(error)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard let promise else { return context.write(data, promise: nil) }
        let written = context.eventLoop.makePromise(of: Void.self)
        written.futureResult.assumeIsolated().whenComplete { result in
            promise.completeWith(result.mapError { self.error ?? $0 })
        }
        context.write(data, promise: written)
    }
}
