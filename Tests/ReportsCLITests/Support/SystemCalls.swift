import Foundation
import TestSupport

/// A system call that a traced process has made, as strace(1) writes it with `-f -ttt`.
struct SystemCall: Sendable {
    /// When it began, in seconds since the epoch.
    let time: Double
    /// The call with its arguments and its result; without the result while it lasts.
    let text: String

    /// All calls in a trace, in the order in which they began. A call that another thread's interrupts is put together.
    static func all(in trace: String) -> [SystemCall] {
        let end = " <unfinished ...>"
        var calls: [SystemCall] = []
        var unfinished: [Substring: Int] = [:]
        for line in trace.split(separator: "\n") {
            let parts = line.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: true)
            guard parts.count == 3, let time = Double(parts[1]), !parts[2].hasPrefix("+++"), !parts[2].hasPrefix("---")
            else { continue }
            if parts[2].hasPrefix("<..."), let index = unfinished.removeValue(forKey: parts[0]) {
                let rest = parts[2].split(separator: "resumed>", maxSplits: 1).last ?? ""
                calls[index] = SystemCall(time: calls[index].time, text: calls[index].text + rest)
                continue
            }
            if parts[2].hasSuffix(end) { unfinished[parts[0]] = calls.count }
            let text = parts[2].hasSuffix(end) ? String(parts[2].dropLast(end.count)) : String(parts[2])
            calls.append(SystemCall(time: time, text: text))
        }
        return calls
    }

    /// How long a call asks to sleep, in seconds; `nil` for one that is no sleep. A sleep until a time counts as
    /// endless.
    var sleep: Double? {
        guard text.hasPrefix("nanosleep(") || text.hasPrefix("clock_nanosleep(") else { return nil }
        guard !text.contains("TIMER_ABSTIME") else { return .infinity }
        func member(_ name: String) -> Double? {
            guard let range = text.range(of: name + "=") else { return nil }
            return Double(text[range.upperBound...].prefix { $0.isNumber })
        }
        return member("tv_sec").flatMap { seconds in member("tv_nsec").map { seconds + $0 / 1e9 } } ?? .infinity
    }

    /// Whether it waits for as long as somebody else holds a lock on a file.
    var isWaitingLock: Bool {
        text.contains("F_SETLKW") || text.contains("F_OFD_SETLKW")
            || text.hasPrefix("flock(") && !text.contains("LOCK_NB") && !text.contains("LOCK_UN")
    }
}

extension ReportsTool {
    /// A look at the spool, and for how long it waited for somebody else.
    struct Look: Sendable {
        let result: ToolResult
        /// In seconds.
        let wait: Double
    }

    /// Runs a command that only looks.
    ///
    /// How long it takes says how busy the machine is. What it waits for others is what it asks to sleep: SQLite's busy
    /// handler does so between its tries for a lock (`sqliteDefaultBusyCallback`), a looker does nowhere else, and it
    /// takes no lock that waits. Without strace(1) it is the time on the clock.
    func look(_ arguments: [String]) async throws -> Look {
        guard let strace = findExecutable("strace") else {
            let start = ContinuousClock.now
            let result = try await run(arguments)
            return Look(result: result, wait: (ContinuousClock.now - start) / .seconds(1))
        }
        let trace = traceFile()
        let result = try await runAsynchronously(
            strace, Self.tracing("nanosleep,clock_nanosleep,flock,fcntl", to: trace) + arguments,
            environment: environment)
        let calls = SystemCall.all(in: text(of: trace))
        let wait = calls.contains(where: \.isWaitingLock) ? .infinity : calls.compactMap(\.sleep).reduce(0, +)
        return Look(result: result, wait: wait)
    }

    /// Starts a command whose calls are traced into a file; needs strace(1).
    func start(tracing calls: String, to file: String, _ arguments: String...) throws -> RunningTool {
        try RunningTool(
            findExecutable("strace") ?? "strace", Self.tracing(calls, to: file) + arguments, environment: environment,
            home: home)
    }

    private static func tracing(_ calls: String, to file: String) -> [String] {
        ["-f", "-qq", "-ttt", "-o", file, "-e", "trace=" + calls, path]
    }

    /// A path for a trace.
    func traceFile() -> String { home + "/trace-" + UUID().uuidString }

    /// What is in a file, as UTF-8; nothing if it is not there.
    func text(of file: String) -> String {
        String(decoding: FileManager.default.contents(atPath: file) ?? Data(), as: UTF8.self)
    }
}
