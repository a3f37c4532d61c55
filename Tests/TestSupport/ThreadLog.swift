package import DurableIO
import Glibc
import Synchronization

/// The threads of the program on which the disk or the clock was asked for something: neither the package's own nor the
/// network client's.
package final class ThreadLog: Sendable {
    private struct State {
        var isListening = false
        var calls: [String] = []
        var count = 0
    }
    private let state = Mutex(State())

    package init() {}

    /// The current thread's name.
    package static var current: String {
        let file = open("/proc/thread-self/comm", O_RDONLY | O_CLOEXEC)
        defer { close(file) }
        var line = [UInt8](repeating: 0, count: 32)
        let count = read(file, &line, line.count)
        return String(decoding: line.prefix(max(0, count - 1)), as: UTF8.self)
    }

    /// From now on calls are noted.
    package func listen() { state.withLock { $0.isListening = true } }

    /// Notes a call that is made on the current thread.
    package func note(_ call: String) {
        let thread = Self.current
        state.withLock { state in
            guard state.isListening else { return }
            state.count += 1
            if thread != OwnThreads.name, !thread.hasPrefix("NIO") { state.calls.append("\(call) on \(thread)") }
        }
    }

    /// How many calls were noted.
    package var count: Int { state.withLock(\.count) }
    /// Those on threads of the program.
    package var foreignCalls: [String] { state.withLock(\.calls) }

    /// The machine's disk, watched.
    package var files: any FileSystem { FaultingFileSystem { [self] call in note("\(call.operation)") } }
    /// The machine's clock, watched: the ledger asks it in each transaction.
    package var clock: any SystemClock { WatchedClock(log: self) }
}

private struct WatchedClock: SystemClock {
    let log: ThreadLog
    private let base = LinuxClock()

    init(log: ThreadLog) {
        self.log = log
    }

    var bootID: String { base.bootID }

    var wallMilliseconds: Int64 { base.wallMilliseconds }
    var awakeMilliseconds: Int64 { base.awakeMilliseconds }

    var bootMilliseconds: Int64 {
        log.note("boot clock")
        return base.bootMilliseconds
    }

    func sleep(milliseconds: Int64) async throws { try await base.sleep(milliseconds: milliseconds) }
}
