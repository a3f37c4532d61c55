import Glibc
import NIOCore
import NIOHTTP1
import NIOHTTPTypesHTTP1
import NIOPosix
import NIOResumableUpload

/// A server for resumable uploads made by others: Apple's `NIOResumableUpload`, which speaks interop versions 3, 5 and
/// 6.
///
/// Uploads lie below `/resumable_upload/`. State is in memory, and lost when the server restarts. Behind it stands an
/// application that takes each POST and PUT for a report.
package final class NIOResumableServer: RecordingServer {
    /// How the server and the application behind it behave.
    package struct Rules: Sendable {
        /// How long an upload waits for its next request. The default is an hour.
        package var idleTimeout = Duration.seconds(3_600)
        /// What the application answers to `OPTIONS`. Of 501 the library makes 200; any other status stays.
        package var optionsStatus = 501
        package var keepsBodies = true
        package var application: ReportApplication = { _ in ReportAnswer() }

        package init() {}
    }

    private struct Running: Sendable {
        let group: MultiThreadedEventLoopGroup
        let origin: String
    }

    private let heldPort: RefusingPort
    private let rules: Rules
    private let recorded = Monitor(ServerRecord())
    private let running = Monitor<Running?>(nil)
    private let openConnections = Monitor(0)

    /// Starts listening on a free port.
    ///
    /// - Parameter rules: how it behaves.
    /// - Throws: NIO's error if no socket can be had.
    package init(_ rules: Rules = Rules()) throws {
        heldPort = try RefusingPort()
        self.rules = rules
        try start(origin: heldPort.url(""))
    }

    package var port: UInt16 { heldPort.port }

    package var record: ServerRecord { recorded.value }

    package func wait(until condition: @escaping @Sendable (ServerRecord) -> Bool) async {
        await recorded.wait { condition($0) || $0.isStopped }
    }

    package func waitForNoConnections() async {
        await openConnections.wait { $0 == 0 }
    }

    package func stop() {
        end()
        recorded.withLock { $0.isStopped = true }
    }

    /// Ends every connection, forgets every upload and listens again on the same port; also comes back after
    /// ``stop()``.
    ///
    /// - Parameter origin: what `Location` begins with from now on, for instance a proxy's address. The default is what
    ///   it was, at first the server's own.
    /// - Throws: NIO's error if no socket can be had.
    package func restart(origin: String? = nil) throws {
        // A child about to become its program would keep the old listener alive, and the port with it.
        try whileNothingStarts {
            let last = end()
            recorded.withLock { $0.isStopped = false }
            try start(origin: origin ?? last ?? heldPort.url(""))
        }
    }

    @discardableResult
    private func end() -> String? {
        let ended = running.withLock { running in
            defer { running = nil }
            return running
        }
        // Fails only for a group that has been shut down already.
        try? ended?.group.syncShutdownGracefully()
        return ended?.origin
    }

    private func start(origin: String) throws {
        // One loop: what happens on two connections happens one after the other.
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let idleTimeout = TimeAmount(rules.idleTimeout)
        let uploads = HTTPResumableUploadContext(origin: origin, timeout: idleTimeout)
        let bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { [rules, recorded, openConnections] channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    try pipeline.configureHTTPServerPipeline()
                    try pipeline.addHandler(HTTP1ToHTTPServerCodec(secure: false))
                    try pipeline.addHandler(NIORequestLog(recorded, openConnections))
                    try pipeline.addHandler(
                        HTTPResumableUploadHandler(context: uploads) { upload in
                            // A new one for each upload: an upload may outlive its connection.
                            let application = NIOReportApplication(rules, recorded)
                            try? upload.pipeline.syncOperations.addHandler(application)
                        })
                }
            }
        do {
            try listen(by: bootstrap)
        } catch {
            try? group.syncShutdownGracefully()
            throw error
        }
        running.withLock { $0 = Running(group: group, origin: origin) }
    }

    /// A child that another test has just started may have the last listener until it has become its program.
    private func listen(by bootstrap: ServerBootstrap) throws {
        for _ in 0..<250 {
            do {
                _ = try bootstrap.bind(host: "127.0.0.1", port: Int(heldPort.port)).wait()
                return
            } catch let error as IOError where error.errnoCode == EADDRINUSE {
                usleep(20_000)
            }
        }
        _ = try bootstrap.bind(host: "127.0.0.1", port: Int(heldPort.port)).wait()
    }
}
