import Diagnosis
import DurableIO
import Glibc
import Reports

/// What `watch` says of its work: lines on standard error, and with `--json` objects on standard output.
///
/// Where standard error leads to the journal, a line begins with its priority (sd-daemon(3)) and has no time, which the
/// journal knows. Elsewhere it begins with the time, in UTC.
///
/// Nothing that is said waits for whoever reads it, and no trouble of the streams ends the work.
struct WatchLog: Sendable {
    enum Priority: Int {
        case error = 3
        case warning = 4
        case information = 6
    }

    private let format: LineFormat
    private let errors: LineWriter
    /// Where the objects go; `nil` without `--json`.
    private let objects: LineWriter?
    private let clock = LinuxClock()

    /// How long the end of the process may wait until all is said, in milliseconds.
    private static let finishTime = 1_000

    /// - Parameters:
    ///   - isJSON: whether objects are printed on standard output.
    ///   - variable: gives the variables of the environment.
    init(isJSON: Bool, variable: (String) -> String?) {
        let format = LineFormat(isForJournal: LineFormat.leadsToJournal(variable("JOURNAL_STREAM")))
        let errors = LineWriter(
            STDERR_FILENO,
            onGap: { format.line(.warning, "\($0) lines are left out here, because nobody has read them") })
        self.format = format
        self.errors = errors
        objects =
            !isJSON
            ? nil
            : LineWriter(
                STDOUT_FILENO,
                onGap: { count in
                    let words = "\(count) events are left out on standard output, because nobody has read them"
                    errors.write(format.line(.warning, words))
                    return []
                },
                onTrouble: { error in
                    let words = "cannot write to standard output: \(String(cString: strerror(error)))"
                    errors.write(format.line(.error, words + "; the work goes on, and events are left out there"))
                })
    }

    func say(_ priority: Priority, _ text: String) { errors.write(format.line(priority, text)) }

    /// Waits a moment until what was said is written.
    func finish() {
        objects?.finish(within: Self.finishTime)
        errors.finish(within: Self.finishTime)
    }

    func tell(_ event: SpoolEvent) {
        if let objects {
            var object = event.json
            object["time"] = .string(RFC3339.string(milliseconds: clock.wallMilliseconds))
            objects.write(JSONValue.object(object).utf8Bytes + [UInt8(ascii: "\n")])
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

extension WatchLog {
    /// How a line begins.
    private struct LineFormat: Sendable {
        let isForJournal: Bool

        func line(_ priority: Priority, _ text: String) -> [UInt8] {
            let time = RFC3339.string(milliseconds: LinuxClock().wallMilliseconds)
            let head = isForJournal ? "<\(priority.rawValue)>" : time + " "
            return Array((head + Printable.text(text) + "\n").utf8)
        }

        /// Whether standard error is the stream that the variable names, by device and inode (systemd.exec(5)).
        static func leadsToJournal(_ stream: String?) -> Bool {
            guard let parts = stream?.split(separator: ":"), parts.count == 2, let device = UInt64(parts[0]),
                let inode = UInt64(parts[1])
            else { return false }
            var facts = stat()
            return fstat(STDERR_FILENO, &facts) == 0 && UInt64(facts.st_dev) == device
                && UInt64(facts.st_ino) == inode
        }
    }
}
