import Glibc

/// A server on 127.0.0.1 that speaks first, as those of SSH and SMTP do: each connection gets its greeting at once, and
/// whatever comes is read and passed over until the client hangs up.
package final class GreetingServer: Sendable {
    package let port: UInt16
    private let descriptor: Int32

    /// - Throws: ``SocketError`` if there is no port.
    package init(_ greeting: [UInt8]) throws {
        (descriptor, port) = try boundLoopbackSocket()
        guard listen(descriptor, 16) == 0 else { throw SocketError(call: "listen", errno: errno) }
        let descriptor = descriptor
        startThread {
            while true {
                let connection = accept(descriptor, nil, nil)
                guard connection >= 0 else { return }
                startThread { Self.serve(connection, greeting) }
            }
        }
    }

    package func stop() {
        // Closing it alone would not wake the one that accepts.
        shutdown(descriptor, Int32(SHUT_RDWR))
        close(descriptor)
    }

    private static func serve(_ connection: Int32, _ greeting: [UInt8]) {
        defer { close(connection) }
        guard send(connection, greeting, greeting.count, Int32(MSG_NOSIGNAL)) == greeting.count else { return }
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while read(connection, &buffer, buffer.count) > 0 {}
    }
}
