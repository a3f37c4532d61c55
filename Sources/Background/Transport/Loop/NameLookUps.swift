import NIOCore
import NIOPosix

/// The names that NIO looks up for the connections of an event loop.
///
/// NIO 2.101 calls `getaddrinfo`, which takes as long as the system's resolver likes and cannot be called off, on a
/// serial queue that belongs to the loop's thread, one name after the other. A connection that has given up waiting
/// does not end its look-up, which afterwards comes back to the loop.
enum NameLookUps {
    /// Succeeds once all names have come back that the loop had asked for: what is asked for last comes back last.
    ///
    /// To be called when nothing will ask for more.
    static func ended(on loop: any EventLoop) -> EventLoopFuture<Void> {
        loop.flatSubmit {
            // NIO's own resolver is not public, but this one asks through it. An address needs no name
            // server.
            let resolver = NIORandomizedDNSResolver(loop: loop)
            let answers = [
                resolver.initiateAAAAQuery(host: "127.0.0.1", port: 0),
                resolver.initiateAQuery(host: "127.0.0.1", port: 0),
            ]
            return EventLoopFuture.andAllComplete(answers, on: loop)
        }
    }
}
