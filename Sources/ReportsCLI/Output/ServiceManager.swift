import Glibc
import Synchronization

/// The service manager that has started this process, as sd_notify(3) speaks to it: readiness, state, and the watchdog.
///
/// Best effort: nothing of the work depends on it, and where there is no manager each call does nothing.
final class ServiceManager: Sendable {
    private struct State {
        var lastPulse: Int64?
        var lastStatus = ""
    }

    /// `/path`, or `@name` for a name without a file; `nil` without a manager.
    private let socket: String?
    /// How often the watchdog wants a sign of life, in milliseconds: half of the time after which it ends the process.
    let pulseInterval: Int64?
    private let state = Mutex(State())

    /// - Parameter variable: gives the variables of the environment.
    init(variable: (String) -> String?) {
        socket = variable("NOTIFY_SOCKET").flatMap { $0.hasPrefix("/") || $0.hasPrefix("@") ? $0 : nil }
        let isMeant = variable("WATCHDOG_PID").map { Int32($0) == getpid() } ?? true
        let time = variable("WATCHDOG_USEC").flatMap { Int64($0) } ?? 0
        pulseInterval = isMeant && socket != nil && time > 0 ? max(1, time / 2_000) : nil
    }

    func ready() { notify("READY=1") }

    /// The process ends now.
    func stopping() { notify("STOPPING=1\nSTATUS=giving back what is under way") }

    /// The settings are being read again. ``ready()`` has to follow.
    func reloading() { notify("RELOADING=1\nMONOTONIC_USEC=\(Self.monotonic / 1_000)") }

    /// What the process is at, in one line.
    func tell(status: String) {
        let isNew = state.withLock { state in
            defer { state.lastStatus = status }
            return state.lastStatus != status
        }
        if isNew { notify("STATUS=\(status)") }
    }

    /// A sign of life, sent when it is time for one.
    func pulse() {
        guard let pulseInterval else { return }
        let now = Self.monotonic / 1_000_000
        let isTime = state.withLock { state in
            // A wait that ended a moment early must not double the time to the next sign.
            if let last = state.lastPulse, now - last < pulseInterval - pulseInterval / 10 { return false }
            state.lastPulse = now
            return true
        }
        if isTime { notify("WATCHDOG=1") }
    }

    /// In nanoseconds.
    private static var monotonic: Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    private func notify(_ text: String) {
        guard let socket else { return }
        let descriptor = Glibc.socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(O_CLOEXEC), 0)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        var name = Array(socket.utf8)
        if name.first == UInt8(ascii: "@") { name[0] = 0 }
        guard name.count < MemoryLayout.size(ofValue: address.sun_path) else { return }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: name) }
        // An abstract name has no terminator, and all of the length counts.
        let length = MemoryLayout.offset(of: \sockaddr_un.sun_path).map { $0 + name.count } ?? 0
        let bytes = Array((text + "\n").utf8)
        withUnsafePointer(to: &address) { address in
            address.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                _ = sendto(
                    descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL | MSG_DONTWAIT), address, socklen_t(length))
            }
        }
    }
}
