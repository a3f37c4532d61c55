import Glibc

/// The plainest client: a blocking TCP connection to a port of 127.0.0.1 that sends and receives bytes as they are.
package final class LoopbackClient {
    private var descriptor: Int32

    /// Connects.
    ///
    /// - Parameter port: a port of 127.0.0.1.
    /// - Throws: ``SocketError``, with `ECONNREFUSED` if nobody listens.
    package init(port: UInt16) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw SocketError(call: "socket", errno: errno) }
        var address = loopbackAddress(port: port)
        let status = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard status == 0 else { throw SocketError(call: "connect", errno: errno) }
        // A test that waits for bytes that never come is to fail, not to hang.
        var patience = timeval(tv_sec: 30, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit { close() }

    /// Closes the connection; `deinit` does so too.
    package func close() {
        if descriptor >= 0 { Glibc.close(descriptor) }
        descriptor = -1
    }

    /// Sends all of it.
    ///
    /// - Throws: ``SocketError``, with `EPIPE` or `ECONNRESET` if the peer has gone.
    package func send(_ bytes: [UInt8]) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard count > 0 else { throw SocketError(call: "send", errno: errno) }
            rest = rest.dropFirst(count)
        }
    }

    /// Sends a text; line ends are the caller's.
    ///
    /// - Throws: ``SocketError``, with `EPIPE` or `ECONNRESET` if the peer has gone.
    package func send(_ text: String) throws {
        try send(Array(text.utf8))
    }

    /// Sends what the kernel takes without waiting.
    ///
    /// - Returns: the number of bytes taken; `nil` if it takes none now.
    /// - Throws: ``SocketError``.
    package func sendWithoutWaiting(_ bytes: [UInt8]) throws -> Int? {
        let flags = Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT)
        let count = bytes.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, flags) }
        if count < 0 && errno == EAGAIN { return nil }
        guard count >= 0 else { throw SocketError(call: "send", errno: errno) }
        return count
    }

    /// Says that nothing more will be sent (FIN).
    package func finishSending() {
        shutdown(descriptor, Int32(SHUT_WR))
    }

    /// Whether there is something to receive now, an end or an error included.
    package var isReadable: Bool {
        var polled = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&polled, 1, 0) > 0
    }

    /// Receives exactly so many bytes, or fewer if the connection ends.
    ///
    /// - Returns: what has come.
    /// - Throws: ``SocketError``, with `ECONNRESET` after a reset, with `EAGAIN` if nothing comes for 30 s.
    package func receive(_ byteCount: Int = .max) throws -> String {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 * 1_024)
        while bytes.count < byteCount {
            let wanted = min(buffer.count, byteCount - bytes.count)
            let count = buffer.withUnsafeMutableBytes { recv(descriptor, $0.baseAddress, wanted, 0) }
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw SocketError(call: "recv", errno: errno) }
            guard count > 0 else { break }
            bytes += buffer.prefix(count)
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
