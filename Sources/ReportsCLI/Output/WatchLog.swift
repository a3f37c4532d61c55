import DurableIO
import Glibc
import Reports

/// What `watch` says of its work: lines on standard error, and with `--json` objects on standard output.
///
/// Where standard error leads to the journal, a line begins with its priority (sd-daemon(3)) and has no time, which the
/// journal knows. Elsewhere it begins with the time, in UTC.
struct WatchLog: Sendable {
    enum Priority: Int {
        case error = 3
        case warning = 4
        case information = 6
    }

    let isJSON: Bool
    private let isJournal: Bool
    private let clock = LinuxClock()

    /// - Parameters:
    ///   - isJSON: whether objects are printed on standard output.
    ///   - variable: gives the variables of the environment.
    init(isJSON: Bool, variable: (String) -> String?) {
        self.isJSON = isJSON
        isJournal = Self.leadsToJournal(variable("JOURNAL_STREAM"))
    }

    /// Whether standard error is the stream that the variable names, by device and inode (systemd.exec(5)).
    private static func leadsToJournal(_ stream: String?) -> Bool {
        guard let parts = stream?.split(separator: ":"), parts.count == 2, let device = UInt64(parts[0]),
            let inode = UInt64(parts[1])
        else { return false }
        var facts = stat()
        return fstat(STDERR_FILENO, &facts) == 0 && UInt64(facts.st_dev) == device && UInt64(facts.st_ino) == inode
    }

    func say(_ priority: Priority, _ text: String) {
        let text = Printable.text(text)
        let head = isJournal ? "<\(priority.rawValue)>" : RFC3339.string(milliseconds: clock.wallMilliseconds) + " "
        Console.complainPlainly(head + text)
    }

    func tell(_ event: SpoolEvent) {
        if isJSON {
            var object = event.json
            object["time"] = .string(RFC3339.string(milliseconds: clock.wallMilliseconds))
            Console.print(object)
        }
        if let (priority, text) = Self.line(event) { say(priority, text) }
    }

    /// `nil` for what is only a state.
    private static func line(_ event: SpoolEvent) -> (Priority, String)? {
        switch event {
        case .taken(let id, let name, let kind, let summary, let isKnown):
            let what = summary.isEmpty ? name ?? "" : summary
            return (
                .information, "\(isKnown ? "counted again" : "taken in") \(short(id)) (\(kind))\(suffix(what))"
            )
        case .delivered(let id, let attempts):
            return (.information, "delivered \(short(id))\(attempts > 1 ? " at attempt \(attempts)" : "")")
        case .putOff(let id, let reason, let error):
            return (.information, "\(short(id)) waits (\(reason))\(suffix(error))")
        case .held(let id, let reason, let error):
            return (.warning, "held \(short(id)) (\(reason))\(suffix(error)); 'reports show' says what to do")
        case .ended(let id, let state, let reason, let error):
            return (state == .removed ? .error : .warning, "\(state.rawValue) \(short(id)) (\(reason))\(suffix(error))")
        case .evicted(let id, let reason, let limit):
            return (.warning, "evicted \(short(id)) (\(reason))\(suffix(limit))")
        case .braked(let signature, let count):
            return (.information, "left out \(count) more of the fault \(signature) (max_per_signature)")
        case .left(let path, let reason): return (.warning, "skipped \(path): \(reason)")
        case .standing: return nil
        case .ownedElsewhere(let owner):
            return (.warning, "another process owns the spool\(suffix(owner)): waiting for its end")
        case .notWatched(let reason?):
            return (.warning, "\(reason): the spool is looked at every 2 s instead")
        case .notWatched(nil): return (.information, "the spool is watched again")
        case .noSpace(let reason?):
            let words = "not enough space to take all in, what is in the spool is sent all the same"
            return (.warning, words + suffix(reason))
        case .noSpace(nil): return (.information, "there is space again")
        case .trouble(let path, let reason): return (.warning, "\(path): \(reason)")
        case .repaired(let text): return (.warning, text)
        }
    }

    /// As much of an id as the other commands want at least, and a person can tell apart.
    private static func short(_ id: String) -> String { String(id.prefix(12)) }

    private static func suffix(_ text: String?) -> String {
        text.flatMap { $0.isEmpty ? nil : ": \($0)" } ?? ""
    }
}
