import Foundation
import Glibc

/// A server that is not ours, on a free port of this machine, in a directory of its own.
package final class PeerProcess: Sendable {
    /// Where it listens, on 127.0.0.1.
    package let port: UInt16
    /// Where its files are.
    package let directory: String
    private let process: Process
    private let ended: Gate
    /// What ends it.
    private let signal: Int32

    /// A peer did not come up.
    package struct NotStarted: Error, CustomStringConvertible {
        package let description: String
    }

    private init(port: UInt16, directory: String, process: Process, ended: Gate, signal: Int32) {
        self.port = port
        self.directory = directory
        self.process = process
        self.ended = ended
        self.signal = signal
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
            let process = Process()
            process.executableURL = URL(fileURLWithPath: path)
            process.arguments = try setUp(directory, port)
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
            let peer = PeerProcess(port: port, directory: directory, process: process, ended: ended, signal: signal)
            if await peer.isListening() { return peer }
            await peer.end()
            output = (try? String(contentsOfFile: log, encoding: .utf8)) ?? ""
        }
        throw NotStarted(description: "\(path) does not listen: \(output)")
    }

    private static func freePort() throws -> UInt16 {
        let socket = try boundLoopbackSocket()
        close(socket.descriptor)
        return socket.port
    }

    /// There is no other way to learn it than to try.
    private func isListening() async -> Bool {
        for _ in 0..<1_000 where !ended.isOpen {
            if let socket = connectedLoopbackSocket(port: port) {
                close(socket)
                return true
            }
            try? await Task.sleep(for: .milliseconds(10))
        }
        return false
    }

    /// Asks it to end, and waits.
    private func end() async {
        guard !ended.isOpen else { return }
        kill(process.processIdentifier, signal)
        // Foundation's own wait spins on a thread that is not its own.
        await withCheckedContinuation { continuation in ended.whenOpen { continuation.resume() } }
    }
}
