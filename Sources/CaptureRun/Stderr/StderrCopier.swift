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
        /// The consumer does not read. What it has not read is kept, and lost for it; others may hold the pipe.
        case stuck(isHeld: Bool)
        /// The consumer is gone, and so is the pipe.
        case consumerGone
    }

    /// - Safety: the lock's; nobody else has the window.
    private struct State: ~Copyable, @unchecked Sendable {
        /// Made when the first bytes come: most programs write none.
        var window: StderrWindow?
        let keptByteCount: Int
        let file: OwnedDescriptor?
        var outcome: Outcome?
        var isTakenOver = false

        mutating func add(_ bytes: UnsafeRawBufferPointer) {
            let window = window ?? StderrWindow(keptByteCount: keptByteCount, file: file)
            window.add(bytes)
            self.window = window
        }
    }

    /// After the program's death the pipe may be empty this long before others are taken to hold it.
    private static let patience: Int64 = 100
    /// After the program's death all ends this late, in milliseconds.
    private static let lastPatience: Int64 = 1_000

    /// Where the program writes; this process closes it once the program has it.
    package let input: Int32
    /// The end that is read. Nobody else has it.
    package let pipe: Int32
    private let output: Int32
    private let death: Int32
    private let done: Int32
    private let state: Mutex<State>

    /// Starts to copy; `nil` where there is no descriptor or no thread left.
    /// - Parameters:
    ///   - output: the consumer.
    ///   - keptByteCount: how many of the last bytes are kept.
    ///   - file: where they are kept.
    package init?(to output: Int32, keptByteCount: Int, file: consuming OwnedDescriptor?) {
        var ends: [Int32] = [-1, -1]
        guard clinux_pipe(&ends) == 0 else { return nil }
        (pipe, input, self.output) = (ends[0], ends[1], output)
        (death, done) = (clinux_event(), clinux_event())
        state = Mutex(State(window: nil, keptByteCount: keptByteCount, file: file))
        // A program that writes many short lines then has to wait less often.
        clinux_widen_pipe(pipe, 1 << 20)
        _ = fcntl(pipe, F_SETFL, O_NONBLOCK)
        guard death >= 0, done >= 0, startThread() else {
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
        let buffer = UnsafeMutableRawBufferPointer.allocate(
            byteCount: StderrLayout.chunkByteCount, alignment: 4 << 10)
        defer { buffer.deallocate() }
        var diedAt: Int64?
        while true {
            if let diedAt, MonotonicTime.now - diedAt >= Self.lastPatience { return finish(.held) }
            switch next(buffer) {
            case .bytes(let count):
                guard StderrOutput.write(UnsafeRawBufferPointer(rebasing: buffer[..<count]), to: output) else {
                    // The program is told as it would be without us: by SIGPIPE.
                    close(pipe)
                    return finish(.consumerGone)
                }
            case .ended: return finish(.ended)
            case .takenOver: return
            case .nothing:
                guard waitForMore(&diedAt) else { return finish(.held) }
            }
        }
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

    private func finish(_ outcome: Outcome) {
        state.withLock { $0.outcome = outcome }
        clinux_raise_event(done)
    }

    // MARK: - The main thread

    /// Waits, once the program is dead, until what it has written is handed on, for about a second at most.
    package func finish() -> (Outcome, StderrExcerpt) {
        clinux_raise_event(death)
        let deadline = MonotonicTime.now + Self.lastPatience + Self.patience
        var entry = pollfd(fd: done, events: Int16(POLLIN), revents: 0)
        while poll(&entry, 1, Int32(clamping: max(0, deadline - MonotonicTime.now))) == -1, errno == EINTR {}
        return state.withLock { state in
            let outcome = state.outcome ?? .stuck(isHeld: !Self.takeOver(pipe, &state))
            return (outcome, state.window?.excerpt ?? StderrExcerpt())
        }
    }

    /// Keeps what is in the pipe while the copier waits for its consumer.
    /// - Returns: whether everybody has closed the pipe.
    private static func takeOver(_ pipe: Int32, _ state: inout State) -> Bool {
        state.isTakenOver = true
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: StderrLayout.chunkByteCount, alignment: 16)
        defer { buffer.deallocate() }
        // Others may go on writing.
        for _ in 0..<64 {
            switch keep(from: pipe, buffer, into: &state) {
            case .bytes: continue
            case .ended: return true
            case .nothing, .takenOver: return false
            }
        }
        return false
    }
}

/// Writes to a consumer of standard error.
enum StderrOutput {
    /// Writes all bytes, however long the consumer takes.
    /// - Returns: whether the consumer is still there. Other errors are no reason to stop the program.
    static func write(_ bytes: UnsafeRawBufferPointer, to output: Int32) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = Glibc.write(output, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if count == -1, errno == EAGAIN {
                // Somebody has set it so for all who share it; nobody here does.
                var entry = pollfd(fd: output, events: Int16(POLLOUT), revents: 0)
                _ = poll(&entry, 1, -1)
            } else if count == 0 || errno != EINTR {
                return errno != EPIPE
            }
        }
        return true
    }
}
