import Foundation
import Glibc

/// A server that is not ours, on a free port of this machine, in a directory of its own.
package final class PeerProcess: Sendable {
    /// How a peer is started, and ended.
    private struct Launch: Sendable {
        let path: String
        let arguments: [String]
        /// What ends it.
        let signal: Int32
    }

    /// A process that was started, and whether it has ended.
    private struct Life: Sendable {
        let process: Process
        let ended: Gate
    }

    /// Where it listens, on 127.0.0.1.
    package let port: UInt16
    /// Where its files are.
    package let directory: String
    private let launch: Launch
    private let life: Monitor<Life>

    /// A peer did not come up.
    package struct NotStarted: Error, CustomStringConvertible {
        package let description: String
    }

    private init(port: UInt16, directory: String, _ launch: Launch) throws {
        self.port = port
        self.directory = directory
        self.launch = launch
        life = Monitor(try Self.begin(launch, in: directory))
    }

    /// An installed program's path, administrators' folders included.
    package static func find(_ name: String) -> String? {
        findExecutable(name) ?? findExecutable("/usr/sbin/\(name)") ?? findExecutable("/usr/local/sbin/\(name)")
    }

    /// Runs `body` with a program that listens, and ends it afterwards.
    ///
    /// - Parameters:
    ///   - name: the program's.
    ///   - signal: what ends it at once, its children with it.
    ///   - setUp: is given a directory and a port, writes what is needed and gives the arguments.
    ///   - isolation: the caller's.
    ///   - body: what to do with it.
    /// - Returns: what `body` returns.
    /// - Throws: what `body` throws, or ``NotStarted``.
    package static func with<Result>(
        _ name: String, endedBy signal: Int32, setUp: (_ directory: String, _ port: UInt16) throws -> [String],
        isolation: isolated (any Actor)? = #isolation, _ body: (PeerProcess) async throws -> Result
    ) async throws -> Result {
        guard let path = find(name) else { throw ToolNotFound(name: name) }
        return try await withTemporaryDirectory { directory in
            let peer = try await start(path, in: directory, endedBy: signal, setUp: setUp)
            do {
                let result = try await body(peer)
                await peer.end()
                return result
            } catch {
                await peer.end()
                throw error
            }
        }
    }

    private static func start(
        _ path: String, in directory: String, endedBy signal: Int32,
        setUp: (_ directory: String, _ port: UInt16) throws -> [String],
        isolation: isolated (any Actor)? = #isolation
    ) async throws -> PeerProcess {
        var output = ""
        // Somebody else may take the port in between.
        for _ in 0..<5 {
            let port = try freePort()
            let launch = Launch(path: path, arguments: try setUp(directory, port), signal: signal)
            let peer = try PeerProcess(port: port, directory: directory, launch)
            if await peer.isListening() { return peer }
            await peer.end()
            output = peer.output
        }
        throw NotStarted(description: "\(path) does not listen: \(output)")
    }

    private static func begin(_ launch: Launch, in directory: String) throws -> Life {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: launch.path)
        process.arguments = launch.arguments
        process.currentDirectoryURL = URL(fileURLWithPath: directory)
        let log = directory + "/output"
        _ = FileManager.default.createFile(atPath: log, contents: nil)
        let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: log))
        process.standardInput = FileHandle.nullDevice
        (process.standardOutput, process.standardError) = (handle, handle)
        let ended = Gate()
        process.terminationHandler = { _ in ended.open() }
        try TestSupport.start(process)
        try handle.close()
        return Life(process: process, ended: ended)
    }

    /// What it has printed since it was started.
    package var output: String { (try? String(contentsOfFile: directory + "/output", encoding: .utf8)) ?? "" }

    private static func freePort() throws -> UInt16 {
        let socket = try boundLoopbackSocket()
        close(socket.descriptor)
        return socket.port
    }

    /// There is no other way to learn it than to try.
    private func isListening() async -> Bool {
        for _ in 0..<3_000 where !life.value.ended.isOpen {
            if let socket = connectedLoopbackSocket(port: port) {
                close(socket)
                return true
            }
            try? await Task.sleep(for: .milliseconds(10))
        }
        return false
    }

    /// Asks it to end, and waits; does nothing if it has ended.
    package func end() async {
        let life = life.value
        guard !life.ended.isOpen else { return }
        kill(life.process.processIdentifier, launch.signal)
        // Foundation's own wait spins on a thread that is not its own.
        await withCheckedContinuation { continuation in life.ended.whenOpen { continuation.resume() } }
    }

    /// Starts it again after its end, on the same port and with the same files.
    ///
    /// - Throws: ``NotStarted`` if it does not listen, for instance because somebody else has the port by now.
    package func startAgain() async throws {
        let next = try Self.begin(launch, in: directory)
        life.withLock { $0 = next }
        guard await isListening() else { throw NotStarted(description: "\(launch.path) does not come back: \(output)") }
    }
}
