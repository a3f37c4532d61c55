import DurableIO
import Glibc
import Synchronization

/// The service manager that has started this process, as sd_notify(3) speaks to it: readiness, state, and the watchdog.
///
/// Best effort: nothing of the work depends on it, and where there is no manager each call does nothing.
final class ServiceManager: Sendable {
    private struct State {
        var lastPulse: Int64?
        var lastStatus = ""
        /// What could not be sent yet, in its order.
        var unsent: [String] = []
        /// Whether a thread is sending what could not be sent at once.
        var isCatchingUp = false

        /// Adds a message to be sent later. A newer status replaces an older one, and one sign of life is enough, so
        /// that a manager which reads nothing for hours costs nothing.
        mutating func add(_ text: String) {
            if text.hasPrefix("STATUS=") { unsent.removeAll { $0.hasPrefix("STATUS=") } }
            if text == ServiceManager.signOfLife { unsent.removeAll { $0 == text } }
            unsent.append(text)
        }

        mutating func takeUnsent() -> String? {
            isCatchingUp = !unsent.isEmpty
            return isCatchingUp ? unsent.removeFirst() : nil
        }
    }

    /// `/path`, or `@name` for a name without a file; `nil` without a manager.
    private let socket: String?
    /// How often the watchdog wants a sign of life, in milliseconds: half of the time after which it ends the process.
    let pulseInterval: Int64?
    private let state = Mutex(State())

    private static let signOfLife = "WATCHDOG=1"

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
        if isTime { notify(Self.signOfLife) }
    }

    /// In nanoseconds.
    private static var monotonic: Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    // MARK: - Sending

    /// Sends a message without waiting. If the manager's socket is full, a thread of its own sends the message, and all
    /// that follow it, as soon as there is room: what is said only once must not be lost, and the work must not wait.
    private func notify(_ text: String) {
        let mustBegin = state.withLock { state in
            if state.isCatchingUp {
                state.add(text)
                return false
            }
            guard !write(text, flags: Int32(MSG_DONTWAIT)) else { return false }
            state.add(text)
            state.isCatchingUp = true
            return true
        }
        if mustBegin { Task(executorPreference: OwnThreads.forPipes) { self.catchUp() } }
    }

    private func catchUp() {
        while let text = state.withLock({ $0.takeUnsent() }) { _ = write(text, flags: 0) }
    }

    /// - Returns: `false` if the socket is full. Any other trouble is no better later.
    private func write(_ text: String, flags: Int32) -> Bool {
        guard let socket else { return true }
        let descriptor = Glibc.socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(O_CLOEXEC), 0)
        guard descriptor >= 0 else { return true }
        defer { close(descriptor) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        var name = Array(socket.utf8)
        if name.first == UInt8(ascii: "@") { name[0] = 0 }
        guard name.count < MemoryLayout.size(ofValue: address.sun_path) else { return true }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: name) }
        // An abstract name has no terminator, and all of the length counts.
        let length = MemoryLayout.offset(of: \sockaddr_un.sun_path).map { $0 + name.count } ?? 0
        let bytes = Array((text + "\n").utf8)
        return withUnsafePointer(to: &address) { address in
            address.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                while sendto(
                    descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL) | flags, address, socklen_t(length)) < 0
                {
                    if errno != EINTR { return errno != EAGAIN }
                }
                return true
            }
        }
    }
}
