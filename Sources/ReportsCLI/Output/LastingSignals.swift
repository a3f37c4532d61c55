import Dispatch
import Glibc

/// The signals of a program that goes on until it is told to end: SIGTERM and SIGINT end it, SIGHUP has it read its
/// settings again.
///
/// As process 1 of a container it has handlers like any other program, since there the kernel drops signals without
/// one, and it reaps the processes that have lost their parents.
enum LastingSignals {
    /// How long the work may take to end after the first signal, in milliseconds. Then the process ends all the same;
    /// the next owner of the spool finds what is left to do.
    private static let endTime = 4_500
    /// A signal so soon after the first, in milliseconds, is the same wish: timeout(1) and service managers signal a
    /// process and then its group.
    private static let echoTime: Int64 = 200

    /// The writing end of a pipe. A handler may do no more than write to it.
    private nonisolated(unsafe) static var end: Int32 = -1

    /// Handles the signals from now on, until the process ends.
    /// - Parameters:
    ///   - onEnd: called once.
    ///   - onReload: called at each SIGHUP, one call after another.
    static func handle(onEnd: @escaping @Sendable () -> Void, onReload: @escaping @Sendable () -> Void) {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { return }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        // A handler must not wait, whatever comes.
        for end in ends { _ = fcntl(end, F_SETFL, O_NONBLOCK) }
        end = ends[1]
        let isFirst = getpid() == 1
        for number in [SIGTERM, SIGINT, SIGHUP] + (isFirst ? [SIGCHLD] : []) { install(number) }
        if isFirst { reap() }
        let reader = ends[0]
        // Of its own: the threads of the shared queues are those that the work may keep busy, all of them.
        let queue = DispatchQueue(label: "signals")
        let source = DispatchSource.makeReadSource(fileDescriptor: reader, queue: queue)
        let words = Words(onEnd: onEnd, onReload: onReload)
        source.setEventHandler {
            // It has to live as long as the process.
            _ = source
            var bytes = [UInt8](repeating: 0, count: 64)
            let count = read(reader, &bytes, bytes.count)
            for number in bytes.prefix(max(0, count)) { words.come(Int32(number)) }
        }
        source.resume()
    }

    private static func install(_ number: Int32) {
        var action = sigaction()
        action.__sigaction_handler.sa_handler = { number in
            let before = errno
            var byte = UInt8(truncatingIfNeeded: number)
            _ = write(LastingSignals.end, &byte, 1)
            errno = before
        }
        action.sa_flags = SA_RESTART
        sigaction(number, &action, nil)
    }

    /// Takes note of the ends of processes whose parents have ended.
    private static func reap() {
        while waitpid(-1, nil, WNOHANG) > 0 {}
    }

    /// What the signals so far have come to. What they ask for is done on queues of their own, so that none of it keeps
    /// a later signal, or the end, from its turn.
    private final class Words: @unchecked Sendable {
        private let ends = DispatchQueue(label: "end")
        private let reloads = DispatchQueue(label: "reload")
        private let lastResort = DispatchQueue(label: "last resort")
        private let onEnd: @Sendable () -> Void
        private let onReload: @Sendable () -> Void
        /// - Safety: used on the queue of the signals alone.
        private var ended: ContinuousClock.Instant?

        init(onEnd: @escaping @Sendable () -> Void, onReload: @escaping @Sendable () -> Void) {
            self.onEnd = onEnd
            self.onReload = onReload
        }

        func come(_ number: Int32) {
            switch number {
            case SIGCHLD: reap()
            case SIGHUP: if ended == nil { reloads.async(execute: onReload) }
            default:
                if let ended {
                    if ContinuousClock.now - ended >= .milliseconds(echoTime) { _exit(128 + number) }
                    return
                }
                ended = .now
                lastResort.asyncAfter(deadline: .now() + .milliseconds(endTime)) {
                    Console.leave(ExitStatus.done)
                }
                ends.async(execute: onEnd)
            }
        }
    }
}
