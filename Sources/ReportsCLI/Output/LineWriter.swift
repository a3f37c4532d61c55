import Dispatch
import DurableIO
import Glibc
import Reports
import Synchronization

/// Writes lines to a stream without ever waiting for whoever reads it: the work must go on beside a reader that stands
/// still, and a full disk must not end it.
///
/// A line for which there is room is written at once. Otherwise a thread of its own writes the line and all that follow
/// it, in their order. Lines beyond a bound are left out, and counted.
final class LineWriter: Sendable {
    /// How many bytes may wait.
    private static let byteLimit = 256 << 10

    private struct State {
        var waiting: [[UInt8]] = []
        var byteCount = 0
        /// How many lines had no room since the last one that had.
        var leftOut = 0
        /// Whether a thread writes what could not be written at once.
        var isBehind = false
        /// Whether the last line could not be written.
        var isFailing = false

        mutating func add(_ line: [UInt8]) {
            guard leftOut == 0, byteCount + line.count <= LineWriter.byteLimit else {
                leftOut += 1
                return
            }
            waiting.append(line)
            byteCount += line.count
        }
    }

    private enum Step {
        case write([UInt8])
        case skipped(Int)
        case done
    }

    private let descriptor: Int32
    private let onGap: @Sendable (_ lineCount: Int) -> [UInt8]
    private let onTrouble: @Sendable (_ errno: Int32) -> Void
    private let state = Mutex(State())
    private let catchingUp = DispatchGroup()

    /// - Parameters:
    ///   - descriptor: an open stream.
    ///   - onGap: called where lines are left out, with their number. The line that it returns stands for them; an empty
    ///     one is not written.
    ///   - onTrouble: called when the stream takes no more lines, once until it takes one again.
    init(
        _ descriptor: Int32, onGap: @escaping @Sendable (Int) -> [UInt8],
        onTrouble: @escaping @Sendable (Int32) -> Void = { _ in }
    ) {
        self.descriptor = descriptor
        self.onGap = onGap
        self.onTrouble = onTrouble
    }

    /// Writes a line, which ends in a newline, now or later.
    func write(_ line: [UInt8]) {
        let (mustBegin, trouble) = state.withLock { state in
            if state.isBehind {
                state.add(line)
                return (false, Int32?.none)
            }
            if hasRoom(for: line) { return (false, note(put(line), &state)) }
            state.add(line)
            state.isBehind = true
            catchingUp.enter()
            return (true, nil)
        }
        if let trouble { onTrouble(trouble) }
        if mustBegin { Task(executorPreference: OwnThreads.forPipes) { self.catchUp() } }
    }

    /// Waits until all is written, or so many milliseconds are over.
    func finish(within milliseconds: Int) {
        _ = catchingUp.wait(timeout: .now() + .milliseconds(milliseconds))
    }

    private func catchUp() {
        while true {
            switch state.withLock({ Self.next(&$0) }) {
            case .done:
                catchingUp.leave()
                return
            case .skipped(let count):
                let line = onGap(count)
                if !line.isEmpty { writeAndTell(line) }
            case .write(let line): writeAndTell(line)
            }
        }
    }

    private static func next(_ state: inout State) -> Step {
        guard state.waiting.isEmpty else {
            let line = state.waiting.removeFirst()
            state.byteCount -= line.count
            return .write(line)
        }
        defer { state.leftOut = 0 }
        if state.leftOut > 0 { return .skipped(state.leftOut) }
        state.isBehind = false
        return .done
    }

    private func writeAndTell(_ line: [UInt8]) {
        let error = put(line)
        if let trouble = state.withLock({ note(error, &$0) }) { onTrouble(trouble) }
    }

    /// - Returns: the trouble, if it has to be told of.
    private func note(_ error: Int32, _ state: inout State) -> Int32? {
        defer { state.isFailing = error != 0 }
        return error != 0 && !state.isFailing ? error : nil
    }

    // MARK: - The stream

    /// A pipe or a socket that is ready takes at least this much at once; a terminal or a file takes all.
    private func hasRoom(for line: [UInt8]) -> Bool {
        var stream = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        // A stream in trouble is ready to say so.
        return line.count <= Int(PIPE_BUF) && poll(&stream, 1, 0) == 1
    }

    /// Writes all, however long it takes.
    /// - Returns: what went wrong, an `errno`; 0 for nothing.
    private func put(_ line: [UInt8]) -> Int32 {
        var rest = line[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count >= 0 {
                rest = rest.dropFirst(count)
                continue
            }
            switch errno {
            case EINTR: continue
            case EAGAIN:
                // Somebody who shares the stream wants no writer to wait in the kernel.
                var stream = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                _ = poll(&stream, 1, -1)
            default: return errno
            }
        }
        return 0
    }
}
