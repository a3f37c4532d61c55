import CLinux
import Glibc

/// Tells when the first of some processes has ended, and costs nothing until then.
///
/// A thread waits for the processes' descriptors (pidfd_open(2)), which tell of processes of all users. They are no
/// children, and so nothing else tells of their ends. Nothing of this outlives the process, and nothing has to.
package final class ProcessEnds: Sendable {
    private let stopper: OwnedDescriptor

    /// Begins to wait. A number may have been given to another process by then: the caller looks at the processes
    /// afterwards.
    ///
    /// `nil` where one of them is gone already, and where the kernel tells of no such ends or has no descriptor or
    /// thread left.
    /// - Parameters:
    ///   - processes: the numbers of the processes.
    ///   - onEnd: called once, on a thread of its own, when one of them has ended.
    package init?(of processes: some Sequence<Int32>, onEnd: @escaping @Sendable () -> Void) {
        var opened: [SharedDescriptor] = []
        for process in processes {
            let raw = clinux_open_process(process)
            guard raw >= 0 else { return nil }
            opened.append(SharedDescriptor(OwnedDescriptor(adopting: raw, path: "process \(process)")))
        }
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { return nil }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        stopper = OwnedDescriptor(adopting: ends[1], path: "pipe")
        let wait = Wait([SharedDescriptor(OwnedDescriptor(adopting: ends[0], path: "pipe"))] + opened, onEnd)
        guard wait.start() else { return nil }
    }

    // Closing the pipe ends the thread.
}

/// The thread of the waiting.
private final class Wait: Sendable {
    /// The first is the pipe that ends it.
    private let opened: [SharedDescriptor]
    private let onEnd: @Sendable () -> Void

    init(_ opened: [SharedDescriptor], _ onEnd: @escaping @Sendable () -> Void) {
        (self.opened, self.onEnd) = (opened, onEnd)
    }

    func start() -> Bool {
        let this = Unmanaged.passRetained(self)
        let error = clinux_start_thread(
            "reports-ends",
            { argument in
                guard let argument else { return }
                Unmanaged<Wait>.fromOpaque(argument).takeRetainedValue().work()
            }, this.toOpaque())
        if error != 0 { this.release() }
        return error == 0
    }

    private func work() {
        var polled = opened.map { pollfd(fd: $0.file.raw, events: Int16(POLLIN), revents: 0) }
        let count = retryingInterrupted { Int(poll(&polled, nfds_t(polled.count), -1)) }
        if count > 0, polled[0].revents == 0 { onEnd() }
    }
}
