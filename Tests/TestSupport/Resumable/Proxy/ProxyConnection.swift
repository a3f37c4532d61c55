import Glibc

/// One connection of a ``CuttingProxy``, on its own thread: it waits for either side, a gate, a pause or an order.
final class ProxyConnection {
    /// Why the connection ends.
    private enum End: Error {
        /// Both sides have said all they had to say, or the proxy stops.
        case over
        /// One side is gone; the other is to see that.
        case broken
        case cut(ProxyCourse.Ending)
    }

    private let proxy: CuttingProxy
    private let number: Int
    private let wake: WakePipe
    private let client: Int32
    private let server: Int32
    private var toServer: ProxyLane
    private var toClient: ProxyLane

    init(
        _ proxy: CuttingProxy, _ number: Int, _ course: ProxyCourse, _ wake: WakePipe, client: Int32, server: Int32
    ) {
        self.proxy = proxy
        self.number = number
        self.wake = wake
        self.client = client
        self.server = server
        toServer = ProxyLane(course.toServer, from: client, to: server)
        toClient = ProxyLane(course.toClient, from: server, to: client)
        for socket in [client, server] {
            _ = fcntl(socket, F_SETFL, fcntl(socket, F_GETFL) | O_NONBLOCK)
            setOption(socket, Int32(IPPROTO_TCP), TCP_NODELAY, 1)
        }
        // A gate outlives connections; the pipe lives as long as anyone may write to it.
        for hold in [course.toServer.hold, course.toClient.hold] { hold?.gate.whenOpen { wake.wake() } }
    }

    /// Passes bytes on until the connection ends, and closes both sockets.
    func run() {
        do throws(End) {
            while true { try step() }
        } catch {
            end(error)
        }
    }

    private func step() throws(End) {
        let (isStopping, order) = proxy.state.withLock { state in
            (state.isStopping, state.orders.removeValue(forKey: number))
        }
        if isStopping { throw .over }
        if let order { throw .cut(order) }
        if let ending = toServer.dueCut ?? toClient.dueCut { throw .cut(ending) }
        if toServer.isFinished && toClient.isFinished { throw .over }
        waitForEvents(at: now())
        let now = now()
        try move(&toServer, \.bytesToServer, at: now)
        try move(&toClient, \.bytesToClient, at: now)
    }

    private func move(
        _ lane: inout ProxyLane, _ count: WritableKeyPath<CuttingProxy.Traffic, Int>, at now: Int
    ) throws(End) {
        // Under the lock, so that nobody can have received a byte that is not counted.
        let progress = proxy.state.withLock { state in
            let progress = lane.move(at: now)
            if case .moved(let byteCount) = progress { state.connections[number][keyPath: count] += byteCount }
            return progress
        }
        switch progress {
        case .moved: break
        case .broken: throw .broken
        case .cut(let ending): throw .cut(ending)
        }
    }

    private func now() -> Int {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return time.tv_sec * 1_000 + time.tv_nsec / 1_000_000
    }

    private func waitForEvents(at now: Int) {
        // A socket of which nothing is wanted is left out: its errors would be reported over and over.
        var polled = [pollfd(fd: wake.readEnd, events: Int16(POLLIN), revents: 0)]
        for socket in [client, server] {
            let events = toServer.events(on: socket, at: now) | toClient.events(on: socket, at: now)
            if events != 0 { polled.append(pollfd(fd: socket, events: events, revents: 0)) }
        }
        let pauses = [toServer.pause(at: now), toClient.pause(at: now)].compactMap(\.self)
        _ = poll(&polled, nfds_t(polled.count), pauses.min() ?? -1)
        wake.drain()
    }

    private func end(_ end: End) {
        if case .cut(let ending) = end {
            proxy.state.withLock { $0.connections[number].cut = ending }
        }
        switch end {
        case .over, .cut(.finish):
            Glibc.close(client)
            Glibc.close(server)
        case .broken, .cut(.reset):
            closeWithReset(client)
            closeWithReset(server)
        case .cut(.vanish):
            closeWithReset(client)
            outlast()
            Glibc.close(server)
        }
    }

    /// Keeps the server's side open and silent until the server ends it or the proxy stops.
    private func outlast() {
        var buffer = [UInt8](repeating: 0, count: 4_096)
        while !proxy.state.value.isStopping {
            var polled = [
                pollfd(fd: wake.readEnd, events: Int16(POLLIN), revents: 0),
                pollfd(fd: server, events: Int16(POLLIN), revents: 0),
            ]
            _ = poll(&polled, nfds_t(polled.count), -1)
            wake.drain()
            let count = recv(server, &buffer, buffer.count, Int32(MSG_DONTWAIT))
            if count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR) { return }
        }
    }
}
