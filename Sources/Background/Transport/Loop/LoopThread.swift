import AsyncHTTPClient
import NIOCore
import NIOPosix
import Synchronization

/// The event-loop thread of a run, which all of its connections share, whatever their settings.
///
/// The thread starts when something is first sent: most runs have nothing to send. It also knows the clients that work
/// on it, because a shutdown has to end their connections before the thread.
final class LoopThread: Sendable {
    private let state = Mutex(State())

    private struct State {
        var group: MultiThreadedEventLoopGroup?
        var executor: LoopExecutor?
        var clients: [HTTPClient] = []
        var hasShutDown = false
    }

    deinit {
        // A client that goes without this brings the process down in debug builds.
        remains()?.end {}
    }

    /// Runs tasks on the thread, which starts if it has not yet; `nil` after the shutdown.
    var executor: LoopExecutor? {
        state.withLock { state in
            guard !state.hasShutDown else { return nil }
            if let executor = state.executor { return executor }
            let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
            let executor = LoopExecutor(group.any())
            (state.group, state.executor) = (group, executor)
            return executor
        }
    }

    /// Makes a client that works on the thread until the shutdown; `nil` after it.
    func makeClient(_ configuration: HTTPClient.Configuration) -> HTTPClient? {
        state.withLock { state in
            guard !state.hasShutDown, let group = state.group else { return nil }
            let client = HTTPClient(eventLoopGroupProvider: .shared(group), configuration: configuration)
            state.clients.append(client)
            return client
        }
    }

    /// Ends the connections, and the thread once nothing is left that will come back to it.
    ///
    /// A connection that is being made, or a name that is being looked up, cannot be called off: these are waited for
    /// ``patience``, and then the thread ends by itself, later.
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
            return Remains(group: group, executor: state.executor, clients: state.clients)
        }
    }

    /// What a run leaves behind when it shuts down. It needs nobody to wait for it.
    private struct Remains: Sendable {
        let group: MultiThreadedEventLoopGroup
        let executor: LoopExecutor?
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
                .whenComplete { _ in
                    executor?.close()
                    group.shutdownGracefully { _ in done() }
                }
        }
    }
}
