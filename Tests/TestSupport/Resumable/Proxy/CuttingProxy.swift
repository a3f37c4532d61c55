import Glibc

/// A TCP proxy on 127.0.0.1 that passes bytes on as they are, and cuts, holds or slows the connections it is told to.
///
/// Each connection has a ``ProxyCourse``, given by its number: 0 is the first. Bytes count once they have been passed
/// on, HTTP heads and framing included.
package final class CuttingProxy: Sendable {
    /// What has passed on one connection.
    package struct Traffic: Sendable {
        package var bytesToServer = 0
        package var bytesToClient = 0
        package var isOpen = true
        /// How it was cut; `nil` if it was not.
        package var cut: ProxyCourse.Ending?
    }

    struct State: Sendable {
        var isStopping = false
        var threads = 0
        var connections: [Traffic] = []
        /// Those that run, by number.
        var wakes: [Int: WakePipe] = [:]
        var orders: [Int: ProxyCourse.Ending] = [:]
    }

    /// The port it listens on.
    package let port: UInt16

    let state = Monitor(State())
    private let listener: Int32
    private let target: UInt16
    private let courses: [ProxyCourse]
    private let others: ProxyCourse

    /// Starts listening on a free port.
    ///
    /// - Parameters:
    ///   - target: the port of 127.0.0.1 that connections are passed on to.
    ///   - receiveBufferByteCount: the kernel's buffer per connection, small if little is to wait in it uncounted. The
    ///     default is the system's.
    ///   - courses: what happens to the first connections, one after another.
    ///   - others: what happens to all that follow. The default passes everything on.
    /// - Throws: ``SocketError`` if no socket or thread can be had.
    package init(
        to target: UInt16, receiveBufferByteCount: Int? = nil, courses: [ProxyCourse] = [],
        others: ProxyCourse = ProxyCourse()
    ) throws {
        let socket = try boundLoopbackSocket(receiveBufferByteCount: receiveBufferByteCount)
        listener = socket.descriptor
        port = socket.port
        self.target = target
        self.courses = courses
        self.others = others
        guard listen(listener, 128) == 0 else {
            defer { Glibc.close(listener) }
            throw SocketError(call: "listen", errno: errno)
        }
        state.withLock { $0.threads = 1 }
        guard startThread({ [self] in acceptAll() }) else {
            Glibc.close(listener)
            throw SocketError(call: "pthread_create", errno: EAGAIN)
        }
    }

    /// The address of a path; the path is empty or begins with a slash.
    package func url(_ path: String = "/") -> String { "http://127.0.0.1:\(port)\(path)" }

    /// Closes every connection and returns when all threads have ended. May be called twice.
    package func stop() {
        state.withLock { state in
            state.isStopping = true
            for wake in state.wakes.values { wake.wake() }
            if state.threads > 0 { shutdown(listener, Int32(SHUT_RDWR)) }
        }
        state.block { $0.threads == 0 }
    }

    /// Cuts a connection now; does nothing if it is not open.
    package func cut(_ connection: Int, by ending: ProxyCourse.Ending = .reset) {
        state.withLock { state in
            guard let wake = state.wakes[connection] else { return }
            state.orders[connection] = ending
            wake.wake()
        }
    }

    // MARK: What happened

    /// All connections so far, by number.
    package var connections: [Traffic] { state.value.connections }

    /// Bytes passed on to the server, on all connections.
    package var bytesToServer: Int { connections.reduce(0) { $0 + $1.bytesToServer } }

    /// Bytes passed on to clients, on all connections.
    package var bytesToClient: Int { connections.reduce(0) { $0 + $1.bytesToClient } }

    /// Returns once the condition holds for the connections, the proxy stops, or the task is cancelled.
    package func wait(until condition: @escaping @Sendable ([Traffic]) -> Bool) async {
        await state.wait { condition($0.connections) || $0.isStopping }
    }

    /// Returns once so many connections have been cut.
    package func waitForCuts(count: Int) async {
        await wait { connections in connections.count { $0.cut != nil } >= count }
    }

    /// Returns once no connection is open.
    package func waitForNoConnections() async {
        await wait { connections in connections.allSatisfy { !$0.isOpen } }
    }

    // MARK: Threads

    private func acceptAll() {
        while !state.value.isStopping {
            let client = accept(listener, nil, nil)
            guard client >= 0 else {
                // Out of descriptors: others in the process will free some.
                if errno == EMFILE || errno == ENFILE { _ = state.block(milliseconds: 10) { $0.isStopping } }
                continue
            }
            _ = fcntl(client, F_SETFD, FD_CLOEXEC)
            serve(client)
        }
        state.withLock { state in
            Glibc.close(listener)
            state.threads -= 1
        }
    }

    private func serve(_ client: Int32) {
        guard let wake = WakePipe() else {
            closeWithReset(client)
            return
        }
        let number = state.withLock { state in
            state.connections.append(Traffic())
            state.wakes[state.connections.count - 1] = wake
            state.threads += 1
            return state.connections.count - 1
        }
        let serving = startThread { [self] in
            if let server = connectedLoopbackSocket(port: target) {
                let course = number < courses.count ? courses[number] : others
                ProxyConnection(self, number, course, wake, client: client, server: server).run()
            } else {
                closeWithReset(client)
            }
            finish(number)
        }
        if !serving {
            closeWithReset(client)
            finish(number)
        }
    }

    private func finish(_ number: Int) {
        state.withLock { state in
            state.connections[number].isOpen = false
            state.wakes[number] = nil
            state.threads -= 1
        }
    }
}

/// Closes a socket so that its peer sees a reset.
func closeWithReset(_ socket: Int32) {
    // To close a socket that lingers for no time is to reset it.
    var noTime = linger(l_onoff: 1, l_linger: 0)
    setsockopt(socket, SOL_SOCKET, SO_LINGER, &noTime, socklen_t(MemoryLayout<linger>.size))
    Glibc.close(socket)
}
