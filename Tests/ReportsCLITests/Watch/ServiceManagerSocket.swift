import Foundation
import Glibc
import TestSupport

/// The socket of a service manager, and all that was sent to it.
final class ServiceManagerSocket: @unchecked Sendable {
    /// What `NOTIFY_SOCKET` says.
    let name: String
    let messages = Monitor<[String]>([])
    private let descriptor: Int32

    /// - Parameters:
    ///   - name: a path, or `@` and a name without a file.
    ///   - isFull: whether it takes no message before ``listen()`` is called. The default is `false`.
    /// - Throws: ``ManagerSocketError`` if it cannot be made.
    init(_ name: String, isFull: Bool = false) throws {
        self.name = name
        descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw ManagerSocketError(call: "socket", errno: errno) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        var bytes = Array(name.utf8)
        if name.hasPrefix("@") { bytes[0] = 0 }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + bytes.count)
        let status = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, length) }
        }
        guard status == 0 else { throw ManagerSocketError(call: "bind", errno: errno) }
        if isFull {
            let other = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
            defer { close(other) }
            var isTaken = true
            while isTaken {
                isTaken = withUnsafePointer(to: &address) { pointer in
                    pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                        sendto(other, "FILLER=1", 8, Int32(MSG_DONTWAIT), $0, length) >= 0
                    }
                }
            }
        } else {
            listen()
        }
    }

    /// Begins to read.
    func listen() {
        startThread { [descriptor, messages] in
            var buffer = [UInt8](repeating: 0, count: 4_096)
            while true {
                let count = recv(descriptor, &buffer, buffer.count, 0)
                guard count > 0 else { return }
                let text = String(decoding: buffer.prefix(count), as: UTF8.self)
                messages.withLock { $0.append(text) }
            }
        }
    }

    /// Waits until a message of this beginning has come so many times.
    func wait(for beginning: String, count: Int = 1) async {
        await messages.wait { $0.count { $0.hasPrefix(beginning) } >= count }
    }

    func stop() {
        shutdown(descriptor, Int32(SHUT_RDWR))
        close(descriptor)
    }
}

/// A socket that cannot be made.
struct ManagerSocketError: Error {
    let call: String
    let errno: Int32
}

extension ReportsTool {
    /// The tool under this service manager.
    func under(_ manager: ServiceManagerSocket, watchdog microseconds: Int? = nil) -> ReportsTool {
        var tool = self
        tool.environment["NOTIFY_SOCKET"] = manager.name
        tool.environment["WATCHDOG_USEC"] = microseconds.map(String.init)
        return tool
    }

    /// Runs `watch` beside `body`, which begins when it is ready, and ends it by SIGTERM.
    /// - Returns: how it ended.
    @discardableResult
    func watching(
        _ options: String..., watchdog: Int? = nil,
        _ body: (RunningTool, ServiceManagerSocket) async throws -> Void
    ) async throws -> RunningTool.End {
        let manager = try ServiceManagerSocket(home + "/notify-" + UUID().uuidString)
        defer { manager.stop() }
        let tool = under(manager, watchdog: watchdog)
        let process = try RunningTool(
            Self.path, ["watch"] + options, environment: tool.environment, home: home)
        await manager.wait(for: "READY=1")
        try await body(process, manager)
        process.send(SIGTERM)
        return await process.end()
    }
}
