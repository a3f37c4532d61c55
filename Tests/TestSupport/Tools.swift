package import Foundation

/// How a program that a test ran has ended.
package struct ToolResult: Sendable {
    /// The exit status, or the signal's number if ``wasSignalled``.
    package var status: Int32
    package var wasSignalled: Bool
    package var stdout: [UInt8]
    package var stderr: [UInt8]

    /// Standard output as UTF-8, with replacement characters for what is not.
    package var output: String { String(decoding: stdout, as: UTF8.self) }
    /// Standard error as UTF-8, with replacement characters for what is not.
    package var errors: String { String(decoding: stderr, as: UTF8.self) }
}

/// A program that is not installed.
package struct ToolNotFound: Error, CustomStringConvertible {
    package let name: String
    package var description: String { "\(name) is not installed" }
}

/// The path of an installed program, looked up in `PATH` unless it has a slash; for `.enabled(if:)`.
package func findExecutable(_ name: String) -> String? {
    let isExecutable = FileManager.default.isExecutableFile(atPath:)
    guard !name.contains("/") else { return isExecutable(name) ? name : nil }
    let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin").split(separator: ":")
    return folders.map { "\($0)/\(name)" }.first(where: isExecutable)
}

/// Runs a program to its end and blocks the thread meanwhile.
///
/// Input and both outputs move on threads of their own, so that no full pipe can stop them. It returns when the program
/// has ended and nobody holds its outputs any more, a child of its own included.
///
/// - Parameters:
///   - executable: a path, or a name to look up in `PATH`.
///   - arguments: without the program's name.
///   - environment: all of its environment. The default is this process's own.
///   - input: its standard input, a pipe that is closed after these bytes; it may read none of them. The default is
///     empty.
/// - Returns: how it ended and all it printed.
/// - Throws: ``ToolNotFound``, or Foundation's error if it cannot be started.
package func run(
    _ executable: String,
    _ arguments: [String] = [],
    environment: [String: String]? = nil,
    input: [UInt8] = []
) throws -> ToolResult {
    guard let path = findExecutable(executable) else { throw ToolNotFound(name: executable) }
    let process = Process()
    let (stdin, stdout, stderr) = (Pipe(), Pipe(), Pipe())
    process.executableURL = URL(fileURLWithPath: path)
    process.arguments = arguments
    if let environment { process.environment = environment }
    process.standardInput = stdin
    process.standardOutput = stdout
    process.standardError = stderr

    let ended = Gate()
    process.terminationHandler = { _ in ended.open() }
    try start(process)
    try stdin.fileHandleForReading.close()

    let moved = Monitor(Moved())
    feed(input, to: stdin.fileHandleForWriting, moved)
    drain(stdout.fileHandleForReading) { bytes in moved.withLock { $0.stdout = bytes } }
    drain(stderr.fileHandleForReading) { bytes in moved.withLock { $0.stderr = bytes } }
    ended.whenOpen { moved.withLock { $0.hasEnded = true } }
    moved.block { $0.hasEnded && $0.isFed && $0.stdout != nil && $0.stderr != nil }

    let result = moved.value
    return ToolResult(
        status: process.terminationStatus,
        wasSignalled: process.terminationReason == .uncaughtSignal,
        stdout: result.stdout ?? [],
        stderr: result.stderr ?? [])
}

/// The same on a thread of its own, so that the task's thread is free for others.
///
/// - Parameters:
///   - executable: a path, or a name to look up in `PATH`.
///   - arguments: without the program's name.
///   - environment: all of its environment. The default is this process's own.
///   - input: its standard input. The default is empty.
/// - Returns: how it ended and all it printed.
/// - Throws: ``ToolNotFound``, or Foundation's error if it cannot be started.
package func runAsynchronously(
    _ executable: String,
    _ arguments: [String] = [],
    environment: [String: String]? = nil,
    input: [UInt8] = []
) async throws -> ToolResult {
    try await withCheckedThrowingContinuation { continuation in
        let started = startThread {
            continuation.resume(
                with: Result { try run(executable, arguments, environment: environment, input: input) })
        }
        if !started { continuation.resume(throwing: SocketError(call: "pthread_create", errno: EAGAIN)) }
    }
}

/// Starts a process, one at a time: Foundation's `run()` has been seen to crash when several threads are in it.
///
/// It gets no signal blocked. The threads that tasks run on block most, and a child inherits that: a shell then waits
/// for its own children for ever, and nobody dies by the SIGABRT that he sends to himself.
package func start(_ process: Process) throws {
    starting.lock()
    defer { starting.unlock() }
    var (none, before) = (sigset_t(), sigset_t())
    sigemptyset(&none)
    pthread_sigmask(SIG_SETMASK, &none, &before)
    defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
    try process.run()
}

/// Writes files while no process is being started: a child holds whatever is open here until it has become its program,
/// and a file that somebody holds open for writing is one that is still being written.
package func whileNothingStarts<Result>(_ body: () throws -> Result) rethrows -> Result {
    starting.lock()
    defer { starting.unlock() }
    return try body()
}

private let starting = NSLock()

private struct Moved: Sendable {
    var hasEnded = false
    var isFed = false
    var stdout: [UInt8]?
    var stderr: [UInt8]?
}

/// Writes the bytes and closes the pipe, on a thread that a closed pipe does not kill.
private func feed(_ input: [UInt8], to handle: FileHandle, _ moved: Monitor<Moved>) {
    startThread {
        // The signal of a write that nobody reads goes to the writing thread; blocked, it ends with it.
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGPIPE)
        pthread_sigmask(SIG_BLOCK, &signals, nil)
        var rest = input[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(handle.fileDescriptor, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { break }
            rest = rest.dropFirst(count)
        }
        try? handle.close()
        moved.withLock { $0.isFed = true }
    }
}

/// Reads to the end, on a thread, and closes the pipe: Foundation keeps it open after the process has ended, and its
/// `run()` reads beyond a buffer of its own once some 1,350 descriptors are open.
private func drain(_ handle: FileHandle, _ done: @escaping @Sendable ([UInt8]) -> Void) {
    startThread {
        let data = try? handle.readToEnd()
        try? handle.close()
        done(data.map(Array.init) ?? [])
    }
}
