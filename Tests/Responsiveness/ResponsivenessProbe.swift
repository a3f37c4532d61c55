import Reports
import SystemPackage

/// A program whose tasks wake each 5 ms while it collects, or submits. Prints how late they were.
///
/// `ResponsivenessProbe SPOOL collect FILE…` collects the files all at once; `ResponsivenessProbe SPOOL submit URL`
/// submits what is due. `ResponsivenessTests` runs it.
@main
enum ResponsivenessProbe {
    static func main() async throws {
        let arguments = CommandLine.arguments
        guard arguments.count > 3 else { throw ReportsError(.badArgument, "give a spool, a verb and what it is about") }
        let spool = FilePath(arguments[1])
        let heartbeats = Heartbeats()
        // Not in the main task, which has a thread of its own.
        try await Task.detached {
            let outcome = try await heartbeats.beat(tasks: 8) {
                switch arguments[2] {
                case "collect": return try await collect(arguments[3...], into: spool)
                default:
                    let reporter = try Reporter(spool: spool, destination: .http(arguments[3]))
                    return "delivered=\(try await reporter.submitPending().delivered)"
                }
            }
            print("\(heartbeats.summary) \(outcome)")
        }.value
    }

    private static func collect(_ files: ArraySlice<String>, into spool: FilePath) async throws -> String {
        let reporter = try Reporter(spool: spool)
        return try await withThrowingTaskGroup(of: String.self) { group in
            for file in files { group.addTask { try await reporter.collect(contentsOf: FilePath(file)) } }
            return "collected=\(Set(try await group.reduce(into: []) { $0.append($1) }).count)"
        }
    }
}
