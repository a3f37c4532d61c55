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
