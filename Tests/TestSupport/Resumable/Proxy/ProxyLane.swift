import Glibc

/// One direction of a ``ProxyConnection``.
struct ProxyLane {
    enum Progress {
        /// So many bytes have been passed on, perhaps none.
        case moved(Int)
        /// One of the sockets is gone.
        case broken
        case cut(ProxyCourse.Ending)
    }

    private let course: ProxyCourse.Lane
    private let source: Int32
    private let sink: Int32
    private var passed = 0
    private var buffer = [UInt8](repeating: 0, count: 64 * 1_024)
    /// The part of the buffer that is to be passed on.
    private var unsent = 0..<0
    /// In milliseconds of the monotonic clock, which the connection reads: once for each decision.
    private var notBefore = 0
    private(set) var isFinished = false

    init(_ course: ProxyCourse.Lane, from source: Int32, to sink: Int32) {
        self.course = course
        self.source = source
        self.sink = sink
    }

    /// How the connection is to be cut now.
    var dueCut: ProxyCourse.Ending? {
        guard let cut = course.cut, !cut.waitsForMore, !isHeld, passed >= cut.byteCount else { return nil }
        return cut.ending
    }

    /// For how many milliseconds nothing may be read; `nil` if that is not decided by time.
    func pause(at now: Int) -> Int32? {
        guard unsent.isEmpty, !isFinished, !isHeld, notBefore > now else { return nil }
        return Int32(notBefore - now)
    }

    /// What it waits for on a socket, in terms of `poll`.
    func events(on socket: Int32, at now: Int) -> Int16 {
        if socket == sink, !unsent.isEmpty { return Int16(POLLOUT) }
        return socket == source && mayRead(at: now) ? Int16(POLLIN) : 0
    }

    /// Passes on what can be passed on without waiting.
    mutating func move(at now: Int) -> Progress {
        if mayRead(at: now) {
            switch read() {
            case .moved: break
            case let end: return end
            }
        }
        return write(at: now)
    }

    private var isHeld: Bool {
        guard let hold = course.hold else { return false }
        return passed >= hold.byteCount && !hold.gate.isOpen
    }

    private func mayRead(at now: Int) -> Bool { unsent.isEmpty && !isFinished && !isHeld && notBefore <= now }

    /// How much may be read before something else is to happen.
    private var room: Int {
        var room = min(buffer.count, course.pace?.byteCount ?? .max)
        if let cut = course.cut { room = min(room, cut.byteCount - passed) }
        if let hold = course.hold, passed < hold.byteCount { room = min(room, hold.byteCount - passed) }
        return room
    }

    private mutating func read() -> Progress {
        let room = room
        // At the cut a byte is only looked for, not taken.
        let flags = Int32(MSG_DONTWAIT) | (room > 0 ? 0 : Int32(MSG_PEEK))
        let count = buffer.withUnsafeMutableBytes { recv(source, $0.baseAddress, max(1, room), flags) }
        if count < 0 { return errno == EAGAIN || errno == EINTR ? .moved(0) : .broken }
        if count == 0 {
            isFinished = true
            shutdown(sink, Int32(SHUT_WR))
        } else if room > 0 {
            unsent = 0..<count
        } else if let cut = course.cut {
            return .cut(cut.ending)
        }
        return .moved(0)
    }

    private mutating func write(at now: Int) -> Progress {
        guard !unsent.isEmpty else { return .moved(0) }
        let count = buffer[unsent].withUnsafeBytes {
            send(sink, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
        }
        if count < 0 { return errno == EAGAIN || errno == EINTR ? .moved(0) : .broken }
        unsent = unsent.dropFirst(count)
        passed += count
        if unsent.isEmpty, let pace = course.pace { notBefore = now + pace.milliseconds }
        return .moved(count)
    }
}
