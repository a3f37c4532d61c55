import AsyncHTTPClient
import Dispatch
import NIOCore
import NIOPosix
import Synchronization

/// The event-loop thread of a run, which all of its connections share, whatever their settings.
///
/// The thread starts when something is first sent: most runs have nothing to send. It ends after 30 s without work, and
/// starts again with the next request, so that a run which only waits has no connection and no thread. It also knows the
/// clients that work on it, because their connections have to end before the thread.
final class LoopThread: Sendable {
    private let state = Mutex(State())
    private let idleTime: TimeAmount

    private struct State {
        var group: MultiThreadedEventLoopGroup?
        var executor: LoopExecutor?
        var clients: [HTTPClient] = []
        var hasShutDown = false
        /// The number of threads so far that have ended because there was no work.
        var restCount = 0
        var useCount = 0
        var idleSince = NIODeadline.now()
        /// Whether the thread will look whether it has been idle for long enough.
        var willLook = false
    }

    /// - Parameter idleTime: how long the thread waits for work before it ends. The default is 30 s.
    init(idleTime: TimeAmount = .seconds(30)) {
        self.idleTime = idleTime
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

    /// Changes when a thread has ended for want of work, and with it the clients that were made for it. It does not
    /// change during ``whileUsed(_:)``.
    var restCount: Int { state.withLock(\.restCount) }

    /// Keeps the thread from ending for want of work while the body runs.
    func whileUsed<Result>(
        isolation: isolated (any Actor)? = #isolation, _ body: () async -> Result
    ) async -> Result {
        state.withLock { $0.useCount += 1 }
        defer { endUse() }
        return await body()
    }

    private func endUse() {
        let loop = state.withLock { state -> (any EventLoop)? in
            state.useCount -= 1
            guard state.useCount == 0 else { return nil }
            state.idleSince = .now()
            guard !state.willLook, let group = state.group else { return nil }
            state.willLook = true
            return group.any()
        }
        if let loop { look(in: idleTime, on: loop) }
    }

    /// One look is ahead at most, however many requests there are.
    private func look(in time: TimeAmount, on loop: any EventLoop) {
        loop.scheduleTask(in: time) { [weak self] in self?.endIfIdle(loop) }
    }

    private func endIfIdle(_ loop: any EventLoop) {
        let (remains, rest) = state.withLock { state -> (Remains?, TimeAmount?) in
            state.willLook = false
            guard state.useCount == 0, !state.hasShutDown, let group = state.group, group.any() === loop else {
                return (nil, nil)
            }
            let rest = state.idleSince + idleTime - .now()
            if rest > .zero {
                state.willLook = true
                return (nil, rest)
            }
            let remains = Remains(group: group, executor: state.executor, clients: state.clients)
            (state.group, state.executor, state.clients) = (nil, nil, [])
            state.restCount += 1
            return (remains, nil)
        }
        if let rest { look(in: rest, on: loop) }
        remains?.end {}
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
            EventLoopFuture.andAllComplete(clients.map { shutdown($0, on: loop) }, on: loop)
                .flatMap { NameLookUps.ended(on: loop) }
                .whenComplete { _ in
                    executor?.close()
                    group.shutdownGracefully(queue: Self.queue) { _ in done() }
                }
        }

        private func shutdown(_ client: HTTPClient, on loop: any EventLoop) -> EventLoopFuture<Void> {
            let promise = loop.makePromise(of: Void.self)
            client.shutdown(queue: Self.queue) { _ in promise.succeed() }
            return promise.futureResult
        }

        /// Not one of Dispatch's global queues: after their first use Dispatch wakes the process once a second.
        private static let queue = DispatchQueue(label: "reports.shutdown")
    }
}
