import Foundation

/// A system call at which strace(1) kills a process: the n-th call of this name that any of its threads makes.
///
/// strace counts the calls of each name and thread apart (`when=`), so that a number without a name would kill at few of
/// all the calls, and mostly never. That is why points are taken from the trace of a run that nobody killed.
package struct KillPoint: Sendable, CustomStringConvertible {
    package let name: String
    package let number: Int

    /// What strace has to be told, behind `-e`.
    package var rule: String { "inject=\(name):signal=SIGKILL:when=\(number)" }

    package var description: String { "\(name) \(number)" }

    /// The points of a trace, in its order.
    /// - Parameters:
    ///   - trace: what `strace -o`, with or without `-f`, has written.
    ///   - text: the points begin with the first call that has it in its arguments: what the loader and the runtime do
    ///     before touches nothing.
    /// - Returns: one for each call; the same name and number may be several threads'.
    package static func all(in trace: String, from text: String) -> [KillPoint] {
        var points: [KillPoint] = []
        var counts: [String: Int] = [:]
        var hasBegun = false
        for line in trace.split(separator: "\n") {
            let words = line.drop { $0.isNumber || $0 == " " }
            let thread = line.prefix { $0.isNumber }
            let name = words.prefix { $0.isLetter || $0.isNumber || $0 == "_" }
            guard !name.isEmpty, words.dropFirst(name.count).first == "(" else { continue }
            counts["\(thread) \(name)", default: 0] += 1
            if !hasBegun, line.contains(text) { hasBegun = true }
            guard hasBegun else { continue }
            points.append(KillPoint(name: String(name), number: counts["\(thread) \(name)"] ?? 1))
        }
        return points
    }
}

// MARK: - With strace

extension KillPoint {
    /// Runs a program to its end under strace.
    /// - Parameters:
    ///   - command: the program's path, and its arguments.
    ///   - environment: all of its environment. The default is this process's own.
    ///   - text: where the points begin, as in ``all(in:from:)``.
    ///   - isOfAllThreads: whether the calls of its other threads and of its children count. The default is yes.
    /// - Returns: how it ended, and the points of all its calls.
    /// - Throws: ``ToolNotFound`` without strace.
    package static func trace(
        _ command: [String], environment: [String: String]? = nil, from text: String, isOfAllThreads: Bool = true
    ) async throws -> (result: ToolResult, points: [KillPoint]) {
        try await withTemporaryDirectory { folder in
            let trace = folder + "/trace"
            let options = (isOfAllThreads ? ["-f"] : []) + ["-qq", "-o", trace]
            let result = try await runAsynchronously("strace", options + command, environment: environment)
            let calls = try String(contentsOfFile: trace, encoding: .isoLatin1)
            return (result, all(in: calls, from: text))
        }
    }

    /// Runs a program that is killed here, if it comes to it.
    /// - Parameters: as those of ``trace(_:environment:from:isOfAllThreads:)``.
    package func kill(
        _ command: [String], environment: [String: String]? = nil, isOfAllThreads: Bool = true
    ) async throws -> ToolResult {
        let options = (isOfAllThreads ? ["-f"] : []) + ["-qq", "-o", "/dev/null", "-e", rule]
        return try await runAsynchronously("strace", options + command, environment: environment)
    }
}
