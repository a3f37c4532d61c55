import Foundation
import TestSupport

/// A process that runs beside the test; its output goes to files, so that no full pipe stops it.
final class RunningTool: @unchecked Sendable {
    /// - Safety: made in `init`; what is called on it later is documented to be thread-safe.
    private let process = Process()
    private let ended = Gate()
    private let outputPath: String
    private let errorPath: String

    init(_ executable: String, _ arguments: [String], environment: [String: String], home: String) throws {
        let name = home + "/running-" + UUID().uuidString
        outputPath = name + ".out"
        errorPath = name + ".err"
        for path in [outputPath, errorPath] { try Data().write(to: URL(fileURLWithPath: path)) }
        process.executableURL = URL(fileURLWithPath: executable)
        process.arguments = arguments
        process.environment = environment
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle(forWritingAtPath: outputPath)
        process.standardError = FileHandle(forWritingAtPath: errorPath)
        process.terminationHandler = { [ended] _ in ended.open() }
        try TestSupport.start(process)
    }

    deinit {
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
    }

    var processIdentifier: Int32 { process.processIdentifier }
    var isRunning: Bool { !ended.isOpen }

    /// What it has printed so far.
    var output: String { text(outputPath) }
    var errors: String { text(errorPath) }

    func send(_ signal: Int32) {
        kill(process.processIdentifier, signal)
    }

    /// Waits for its end; a test that is given up does not leave it behind.
    @discardableResult
    func end() async -> End {
        await ended.wait()
        if !ended.isOpen { send(SIGKILL) }
        await withCheckedContinuation { continuation in ended.whenOpen { continuation.resume() } }
        return End(
            status: process.terminationStatus, wasSignalled: process.terminationReason == .uncaughtSignal,
            output: output, errors: errors)
    }

    /// How it ended and what it had printed by then.
    struct End: Sendable {
        var status: Int32
        var wasSignalled: Bool
        var output: String
        var errors: String
    }

    /// kill -9, and its end.
    func killAtOnce() async {
        send(SIGKILL)
        await end()
    }

    private func text(_ path: String) -> String {
        String(decoding: FileManager.default.contents(atPath: path) ?? Data(), as: UTF8.self)
    }
}
