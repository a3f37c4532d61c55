import Glibc

/// A real HTTP/1.1 server on 127.0.0.1 that does exactly what a test tells it, faults included.
///
/// It is made of blocking sockets, with a thread for each connection, so that every byte, reset and silence happens
/// when the script says so. Nothing is decided by a sleep: order is made with ``Gate`` and the `waitFor…` methods,
/// which return when the thing has happened, the server has stopped, or the task is cancelled.
package final class LoopbackServer: Sendable {
    struct State: Sendable {
        var isStopping = false
        var threads = 0
        var sockets: [Int: Int32] = [:]
        var accepted = 0
        var heads = 0
        var requests: [ReceivedRequest] = []
        var protocolErrors: [String] = []
    }

    /// The port it listens on.
    package let port: UInt16

    let state = Monitor(State())
    let script: ServerScript
    let keepsBodies: Bool
    private let listener: Int32

    /// Starts listening.
    ///
    /// - Parameters:
    ///   - script: what it answers. Must not call ``stop()``.
    ///   - port: a port to listen on, so that a server can come back where another was. The default is a free one.
    ///   - keepsBodies: whether requests keep the bytes of their bodies or only count them. The default is `true`.
    ///   - receiveBufferByteCount: the kernel's buffer per connection, small if a peer is to notice soon that nobody
    ///     reads. The default is the system's.
    ///   - isIPv6: whether it listens on ::1 instead of 127.0.0.1. The default is `false`.
    /// - Throws: ``SocketError`` if no socket or thread can be had.
    package init(
        _ script: ServerScript, on port: RefusingPort? = nil, keepsBodies: Bool = true,
        receiveBufferByteCount: Int? = nil, isIPv6: Bool = false
    ) throws {
        let socket =
            isIPv6
            ? try boundIPv6LoopbackSocket()
            : try boundLoopbackSocket(on: port, receiveBufferByteCount: receiveBufferByteCount)
        listener = socket.descriptor
        self.port = socket.port
        self.keepsBodies = keepsBodies
        self.script = script
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

    /// Whether a server can listen on ::1.
    package static let hasIPv6: Bool = {
        guard let socket = try? boundIPv6LoopbackSocket() else { return false }
        close(socket.descriptor)
        return true
    }()

    /// The address of a path, for instance `http://127.0.0.1:40123/reports`; the path begins with a slash.
    package func url(_ path: String = "/") -> String { "http://127.0.0.1:\(port)\(path)" }

    /// Closes every connection, whatever it is doing, and returns when all threads have ended. May be called twice.
    package func stop() {
        state.withLock { state in
            state.isStopping = true
            // Shutting down wakes threads blocked in `recv` and `send`; their sockets stay open until they let go.
            for socket in state.sockets.values { shutdown(socket, Int32(SHUT_RDWR)) }
            if state.threads > 0 { shutdown(listener, Int32(SHUT_RDWR)) }
        }
        state.block { $0.threads == 0 }
    }

    /// Ends a connection by its number, whatever it is doing; does nothing if it has ended already.
    package func hangUp(_ connection: Int) {
        state.withLock { state in
            if let socket = state.sockets[connection] { shutdown(socket, Int32(SHUT_RDWR)) }
        }
    }

    // MARK: What happened

    /// All requests so far, each from the moment it was read completely, answered from its head, or broken off.
    package var requests: [ReceivedRequest] { state.value.requests }

    /// Returns once there are so many requests, with all there are.
    @discardableResult
    package func waitForRequests(count: Int) async -> [ReceivedRequest] {
        await state.wait { $0.requests.count >= count || $0.isStopping }
        return requests
    }

    /// Returns once the requests so far are as a test wants them.
    package func wait(until condition: @escaping @Sendable ([ReceivedRequest]) -> Bool) async {
        await state.wait { condition($0.requests) || $0.isStopping }
    }

    /// The number of connections accepted so far.
    package var connectionCount: Int { state.value.accepted }

    /// The number of connections that are open now.
    package var openConnectionCount: Int { state.value.sockets.count }

    /// Returns once so many connections have been accepted, open or not.
    package func waitForConnections(count: Int) async {
        await state.wait { $0.accepted >= count || $0.isStopping }
    }

    /// Returns once no connection is open. One that waits at a gate does not notice that its peer has gone.
    package func waitForNoConnections() async {
        await state.wait { $0.sockets.isEmpty || $0.isStopping }
    }

    /// What clients sent that is not HTTP/1.1, in words.
    package var protocolErrors: [String] { state.value.protocolErrors }

    // MARK: Threads

    private func acceptAll() {
        while !state.value.isStopping {
            let socket = accept(listener, nil, nil)
            guard socket >= 0 else {
                // Out of descriptors: others in the process will free some.
                if errno == EMFILE || errno == ENFILE { _ = state.block(milliseconds: 10) { $0.isStopping } }
                continue
            }
            serve(socket)
        }
        state.withLock { state in
            Glibc.close(listener)
            state.threads -= 1
        }
    }

    private func serve(_ socket: Int32) {
        // `accept4`, which would do this in one call, is not in the Glibc module.
        _ = fcntl(socket, F_SETFD, FD_CLOEXEC)
        setOption(socket, Int32(IPPROTO_TCP), TCP_NODELAY, 1)
        let number = state.withLock { state -> Int? in
            guard !state.isStopping else { return nil }
            state.sockets[state.accepted] = socket
            state.accepted += 1
            state.threads += 1
            return state.accepted - 1
        }
        guard let number else {
            Glibc.close(socket)
            return
        }
        let serving = startThread { [self] in
            LoopbackConnection(self, socket: socket, number: number).serve()
            finish(number)
        }
        if !serving { finish(number) }
    }

    private func finish(_ connection: Int) {
        state.withLock { state in
            // Closed under the lock, so that `stop` never shuts down a number the kernel has given to someone else.
            if let socket = state.sockets.removeValue(forKey: connection) { Glibc.close(socket) }
            state.threads -= 1
        }
    }
}

/// Runs `body` with a server that follows `script`, and stops the server afterwards, whatever happened.
///
/// - Parameters:
///   - script: what it answers.
///   - keepsBodies: whether requests keep the bytes of their bodies or only count them. The default is `true`.
///   - receiveBufferByteCount: the kernel's buffer per connection. The default is the system's.
///   - isolation: the caller's.
///   - body: what to do with it.
/// - Returns: what `body` returns.
/// - Throws: what `body` throws, or ``SocketError``.
package func withLoopbackServer<Result>(
    _ script: ServerScript,
    keepsBodies: Bool = true,
    receiveBufferByteCount: Int? = nil,
    isolation: isolated (any Actor)? = #isolation,
    _ body: (LoopbackServer) async throws -> Result
) async throws -> Result {
    let server = try LoopbackServer(
        script, keepsBodies: keepsBodies, receiveBufferByteCount: receiveBufferByteCount)
    defer { server.stop() }
    return try await body(server)
}
