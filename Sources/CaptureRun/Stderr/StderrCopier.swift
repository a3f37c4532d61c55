import CLinux
package import DurableIO
import Glibc
import Synchronization

/// Copies a program's standard error on its way, on a thread of its own: a reader that does not read must not keep this
/// process from sending signals on.
///
/// What comes is kept first and handed on then, so that a consumer that is stuck costs the report nothing.
package final class StderrCopier: Sendable {
    /// How the copying went on after the program's death.
    package enum Outcome: Sendable, Equatable {
        /// Everybody has closed the pipe, and all is handed on.
        case ended
        /// Others still hold the pipe.
        case held
        /// The consumer has not taken all in time; others may hold the pipe.
        case stuck(isHeld: Bool)
        /// The consumer is gone, and so is the pipe.
        case consumerGone
    }

    /// How the copying has ended.
    package struct Ending: Sendable {
        package var outcome: Outcome
        package var excerpt: StderrExcerpt
        /// What was read from the pipe, and is not handed on yet. It comes before what is still in there.
        package var rest: [UInt8] = []
    }

    /// - Safety: the lock's; nobody else has the window.
    private struct State: ~Copyable, @unchecked Sendable {
        /// Made when the first bytes come: most programs write none.
        var window: StderrWindow?
        let keptByteCount: Int
        let makingFile: @Sendable () -> OwnedDescriptor?
        /// The number of the thread that copies, once it runs.
        var thread: pid_t?
        var outcome: Outcome?
        /// Set by whoever takes over; the thread then stops as soon as it can.
        var isTakenOver = false
        /// What the thread had not handed on when it stopped.
        var rest: [UInt8] = []

        mutating func add(_ bytes: UnsafeRawBufferPointer) {
            if window == nil { window = StderrWindow(keptByteCount: keptByteCount, file: makingFile()) }
            window?.add(bytes)
        }
    }

    /// After the program's death the pipe may be empty this long before others are taken to hold it.
    private static let patience: Int64 = 100
    /// So long a thread may take to stop, in milliseconds. One that waits for a disk does not stop before.
    private static let stopPatience: Int64 = 1_000

    /// Where the program writes; this process closes it once the program has it.
    package let input: Int32
    /// The end that is read. Nobody else has it.
    package let pipe: Int32
    private let output: Int32
    private let death: Int32
    private let done: Int32
    private let state: Mutex<State>
    /// There before the thread, which may find no memory left: then nobody copies, and the program writes as without us.
    /// - Safety: the thread's alone, which frees it.
    nonisolated(unsafe) private let buffer: UnsafeMutableRawBufferPointer

    /// Starts to copy; `nil` where there is no descriptor, thread or memory left.
    /// - Parameters:
    ///   - output: the consumer.
    ///   - keptByteCount: how many of the last bytes are kept.
    ///   - makingFile: makes the file in which they are kept, when the first of them come.
    package init?(
        to output: Int32, keptByteCount: Int, makingFile: @escaping @Sendable () -> OwnedDescriptor?
    ) {
        var ends: [Int32] = [-1, -1]
        guard clinux_pipe(&ends) == 0 else { return nil }
        (pipe, input, self.output) = (ends[0], ends[1], output)
        (death, done) = (clinux_event(), clinux_event())
        state = Mutex(State(window: nil, keptByteCount: keptByteCount, makingFile: makingFile))
        let memory = aligned_alloc(4 << 10, StderrLayout.chunkByteCount)
        buffer = UnsafeMutableRawBufferPointer(start: memory, count: memory == nil ? 0 : StderrLayout.chunkByteCount)
        // It holds as much as any other pipe. A wider one is hardly faster, and the kernel bounds what all pipes of a user
        // hold together.
        _ = fcntl(pipe, F_SETFL, O_NONBLOCK)
        guard death >= 0, done >= 0, !buffer.isEmpty, startThread() else {
            free(memory)
            for descriptor in [pipe, input, death, done] where descriptor >= 0 { close(descriptor) }
            return nil
        }
    }

    private func startThread() -> Bool {
        let copier = Unmanaged.passRetained(self)
        let error = clinux_start_thread(
            "stderr",
            { argument in
                guard let argument else { return }
                Unmanaged<StderrCopier>.fromOpaque(argument).takeRetainedValue().copyAll()
            }, copier.toOpaque())
        if error != 0 { copier.release() }
        return error == 0
    }

    // MARK: - The copier's thread

    private enum Step {
        case bytes(Int)
        case nothing
        case ended
        case takenOver
    }

    private func copyAll() {
        // Sent by a process, these are for the program; the kernel would give them to a thread that takes them.
        var signals = sigset_t()
        sigemptyset(&signals)
        for signal in [SIGABRT, SIGPROF] { sigaddset(&signals, signal) }
        pthread_sigmask(SIG_BLOCK, &signals, nil)
        defer { free(buffer.baseAddress) }
        state.withLock { $0.thread = clinux_thread() }
        var diedAt: Int64?
        while true {
            switch next(buffer) {
            case .bytes(let count):
                guard handOn(UnsafeRawBufferPointer(rebasing: buffer[..<count])) else { return }
            case .ended: return finish(.ended)
            case .takenOver: return finish(nil)
            case .nothing:
                guard waitForMore(&diedAt) else { return finish(.held) }
            }
        }
    }

    /// - Returns: whether to go on.
    private func handOn(_ bytes: UnsafeRawBufferPointer) -> Bool {
        switch StderrOutput.write(bytes, to: output, isStopped: { state.withLock { $0.isTakenOver } }) {
        case .done: return true
        case .consumerGone:
            // The program is told as it would be without us: by SIGPIPE.
            close(pipe)
            finish(.consumerGone)
        case .stopped(let place):
            finish(nil, rest: Array(bytes[place...]))
        }
        return false
    }

    /// Reads and keeps; the two are one step for whoever takes over.
    private func next(_ buffer: UnsafeMutableRawBufferPointer) -> Step {
        state.withLock { state in
            if state.isTakenOver { return .takenOver }
            return Self.keep(from: pipe, buffer, into: &state)
        }
    }

    private static func keep(
        from pipe: Int32, _ buffer: UnsafeMutableRawBufferPointer, into state: inout State
    ) -> Step {
        while true {
            let count = read(pipe, buffer.baseAddress, buffer.count)
            if count == -1, errno == EINTR { continue }
            if count == -1 { return errno == EAGAIN ? .nothing : .ended }
            guard count > 0 else { return .ended }
            state.add(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            return .bytes(count)
        }
    }

    /// - Returns: `false` when the program is dead, and nothing came any more.
    private func waitForMore(_ diedAt: inout Int64?) -> Bool {
        var entries = [
            pollfd(fd: pipe, events: Int16(POLLIN), revents: 0),
            pollfd(fd: diedAt == nil ? death : -1, events: Int16(POLLIN), revents: 0),
        ]
        let rest = diedAt.map { max(0, $0 + Self.patience - MonotonicTime.now) }
        let count = poll(&entries, 2, rest.map { Int32(clamping: $0) } ?? -1)
        if entries[1].revents != 0 { diedAt = MonotonicTime.now }
        return count != 0
    }

    /// Says that the thread has come to its end: of what there was to copy, or because somebody has taken over.
    private func finish(_ outcome: Outcome?, rest: [UInt8] = []) {
        state.withLock { state in
            state.outcome = outcome
            state.rest = rest
        }
        clinux_raise_event(done)
    }

    // MARK: - The main thread

    /// Waits, once the program is dead, until what it has written is handed on.
    /// - Parameter milliseconds: the longest wait. After it the copying stops.
    /// - Returns: how it has ended, with what is still to be handed on.
    package func finish(within milliseconds: Int64) -> Ending {
        clinux_raise_event(death)
        if !isDone(within: milliseconds) { stop() }
        return state.withLock { state in
            var rest = state.rest
            let outcome = state.outcome ?? .stuck(isHeld: !Self.takeOver(pipe, &state, &rest))
            return Ending(outcome: outcome, excerpt: state.window?.excerpt ?? StderrExcerpt(), rest: rest)
        }
    }

    private func isDone(within milliseconds: Int64) -> Bool {
        let deadline = MonotonicTime.now + milliseconds
        var entry = pollfd(fd: done, events: Int16(POLLIN), revents: 0)
        while true {
            let count = poll(&entry, 1, Int32(clamping: max(0, deadline - MonotonicTime.now)))
            if count != -1 || errno != EINTR { return count == 1 }
        }
    }

    /// Stops the thread, which says then what it has not handed on.
    private func stop() {
        let thread = state.withLock { state in
            state.isTakenOver = true
            return state.thread
        }
        // It looks before each call whether it is to stop. In between the interrupt comes too early, so it comes again.
        let deadline = MonotonicTime.now + Self.stopPatience
        repeat {
            if let thread { clinux_interrupt(thread) }
        } while !isDone(within: 2) && MonotonicTime.now < deadline
    }

    /// Keeps what is in the pipe, and adds it to what is to be handed on.
    /// - Returns: whether everybody has closed the pipe.
    private static func takeOver(_ pipe: Int32, _ state: inout State, _ rest: inout [UInt8]) -> Bool {
        state.isTakenOver = true
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: StderrLayout.chunkByteCount, alignment: 16)
        defer { buffer.deallocate() }
        // Others may go on writing.
        for _ in 0..<64 {
            switch keep(from: pipe, buffer, into: &state) {
            case .bytes(let count): rest += UnsafeRawBufferPointer(rebasing: buffer[..<count])
            case .ended: return true
            case .nothing, .takenOver: return false
            }
        }
        return false
    }
}
