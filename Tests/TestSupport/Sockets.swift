import Glibc

/// A system call on a socket that failed while a test was being set up.
package struct SocketError: Error, CustomStringConvertible {
    package let call: String
    package let errno: Int32

    package var description: String { "\(call): \(String(cString: strerror(errno)))" }
}

/// A port of 127.0.0.1 that refuses connections, and that nobody else gets, for as long as this value lives.
///
/// A server that is told to can listen on it; while it does, connections are its own.
package final class RefusingPort: Sendable {
    package let port: UInt16
    private let descriptor: Int32

    /// Binds a port without listening on it.
    ///
    /// - Throws: ``SocketError`` if there is none.
    package init() throws {
        (descriptor, port) = try boundLoopbackSocket()
        // From now on, not before: a port that is given out as free must not be shared.
        setOption(descriptor, SOL_SOCKET, SO_REUSEADDR, 1)
    }

    deinit { close(descriptor) }

    /// The address of a path on it.
    package func url(_ path: String = "/") -> String { "http://127.0.0.1:\(port)\(path)" }
}

/// A TCP socket bound to a free port of 127.0.0.1, or to one that is held; the caller closes it.
func boundLoopbackSocket(
    on port: RefusingPort? = nil, receiveBufferByteCount: Int? = nil
) throws -> (descriptor: Int32, port: UInt16) {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { throw SocketError(call: "socket", errno: errno) }
    // Accepted sockets inherit the buffer; set after the handshake it would not limit the window.
    if let receiveBufferByteCount { setOption(descriptor, SOL_SOCKET, SO_RCVBUF, Int32(receiveBufferByteCount)) }

    if port != nil { setOption(descriptor, SOL_SOCKET, SO_REUSEADDR, 1) }
    var address = loopbackAddress(port: port?.port ?? 0)
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let status = withUnsafeMutablePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            bind(descriptor, $0, size) == 0 ? getsockname(descriptor, $0, &size) : -1
        }
    }
    guard status == 0 else {
        let error = SocketError(call: "bind", errno: errno)
        close(descriptor)
        throw error
    }
    return (descriptor, UInt16(bigEndian: address.sin_port))
}

/// The same on ::1, and there alone.
func boundIPv6LoopbackSocket() throws -> (descriptor: Int32, port: UInt16) {
    let descriptor = socket(AF_INET6, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { throw SocketError(call: "socket", errno: errno) }
    setOption(descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY, 1)
    var address = sockaddr_in6()
    address.sin6_family = sa_family_t(AF_INET6)
    address.sin6_addr = in6addr_loopback
    var size = socklen_t(MemoryLayout<sockaddr_in6>.size)
    let status = withUnsafeMutablePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            bind(descriptor, $0, size) == 0 ? getsockname(descriptor, $0, &size) : -1
        }
    }
    guard status == 0 else {
        let error = SocketError(call: "bind", errno: errno)
        close(descriptor)
        throw error
    }
    return (descriptor, UInt16(bigEndian: address.sin6_port))
}

/// A TCP socket connected to a port of 127.0.0.1; the caller closes it. `nil` if nobody listens there.
func connectedLoopbackSocket(port: UInt16) -> Int32? {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { return nil }
    var address = loopbackAddress(port: port)
    let status = withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
    }
    guard status == 0 else {
        close(descriptor)
        return nil
    }
    return descriptor
}

func setOption(_ descriptor: Int32, _ level: Int32, _ name: Int32, _ value: Int32) {
    var value = value
    setsockopt(descriptor, level, name, &value, socklen_t(MemoryLayout<Int32>.size))
}

func loopbackAddress(port: UInt16) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr = in_addr(s_addr: INADDR_LOOPBACK.bigEndian)
    return address
}
