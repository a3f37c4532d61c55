import ArgumentParser
import DurableIO
import Reports

/// Completes the ids of reports and the names of destinations for a shell, by a look into the spool that the command
/// line names.
///
/// The look changes nothing. It offers nothing when there is no spool or when the spool cannot be read: a shell has no
/// place for an error while somebody types.
enum ReportCompletion {
    /// Any report that the ledger knows.
    static let known = kind(in: Set(SpoolStatus.stateNames).subtracting(["incoming"]), withDrops: false)
    /// A report whose bytes are in the spool.
    static let stored = kind(in: statesWithBytes, withDrops: false)
    /// The same, or a drop that waits for a person's word.
    static let movable = kind(in: statesWithBytes, withDrops: true)

    /// A destination that has reports.
    static let destinations = CompletionKind.custom { words, _, _ in
        guard let spool = try? global(words).openExisting(), let inspector = try? SpoolInspector(spool: spool)
        else { return [] }
        return (try? inspector.destinationNames()) ?? []
    }

    private static let statesWithBytes: Set<String> = [
        "queued", "sending", "waiting", "held", "rejected", "exhausted",
    ]
    /// More than these nobody reads.
    private static let maximumCount = 100

    private static func kind(in states: Set<String>, withDrops: Bool) -> CompletionKind {
        .custom { words, _, prefix in
            guard let spool = try? global(words).openExisting(), let inspector = try? SpoolInspector(spool: spool)
            else { return [] }
            let drops = withDrops ? try? inspector.poisonousDropNames(beginning: prefix) : nil
            let reports = try? inspector.suggestions(beginning: prefix, in: states, limit: maximumCount)
            return (drops ?? []) + (reports ?? [])
        }
    }

    /// The common options among the words that have been typed, which the shell hands on as they stand.
    private static func global(_ words: [String]) throws -> GlobalOptions {
        var given: [String] = []
        for (index, word) in words.enumerated() {
            if word == "--spool", index + 1 < words.count {
                given = ["--spool", directory(words[index + 1])]
            } else if word.hasPrefix("--spool=") {
                given = ["--spool", directory(String(word.dropFirst("--spool=".count)))]
            }
        }
        if words.contains("--force-remote") { given.append("--force-remote") }
        return try GlobalOptions.parse(given)
    }

    /// A directory as it is typed: in quotes, or below the home directory.
    private static func directory(_ word: String) -> String {
        let text = word.filter { $0 != "\"" && $0 != "'" }
        guard text.hasPrefix("~/"), let home = Environment.value("HOME") else { return text }
        return home + text.dropFirst()
    }
}
