import ArgumentParser
import DurableIO
import Reports

/// `reports status`
struct Status: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Shows counts by state, the state of each server, when something is due, and the settings.",
        discussion: """
            Settings are shown as a submit without options would find them, with where each comes from; --json has the \
            defaults as well.

            Example:
              reports status --spool /var/spool/shop
            """)

    @OptionGroup var global: GlobalOptions

    func run() async throws {
        Console.endsWithItsReader = true
        var settings = Result { try global.settings() }
        let status: SpoolStatus
        if let spool = try global.openExisting((try? settings.get()) ?? Settings()) {
            status = try SpoolInspector(spool: spool).status()
            let size = try spool.files.space(on: spool.root).total
            settings = settings.map { settings in
                var settings = settings
                settings.fileSystemByteCount = size
                return settings
            }.learningFacts(of: spool)
        } else {
            status = .empty
            settings = settings.learningFacts(of: nil)
            try global.hintAtMachineSpool(for: "status")
        }
        let path = try global.path().string
        if let problem = status.ledgerProblem { Console.complain(problem) }
        if case .success(let settings) = settings {
            for line in SettingsDescription.hints(settings) { Console.complain(line) }
        }
        if global.json {
            var object = status.json(spool: path)
            SettingsDescription.add(settings, to: &object)
            Console.print(object)
        } else {
            for line in lines(status, path) { Console.print(Printable.text(line)) }
            for line in SettingsDescription.lines(settings) { Console.print(Printable.text(line)) }
        }
        if case .failure(let error as ReportsError) = settings {
            Console.complain(error.message)
            ExitStatus.leave(ExitStatus.of(error))
        }
    }

    private func owner(of status: SpoolStatus) -> String {
        if let owner = status.owner { return "\(owner)" }
        return status.hasOwner ? "a process is at work" : "none"
    }

    /// Whether a server is sent to, and if not, what has to come first.
    private func standing(_ origin: SpoolStatus.Origin) -> String {
        guard !origin.isOpen else { return "open" }
        let closed = "closed, \(origin.reason ?? "")"
        guard origin.isLedTo else { return "\(closed), and no report goes there any more" }
        // A submit tries one report at once, whatever the time, unless the server named the time.
        guard origin.namedTheTime, let opensAt = origin.opensAt, opensAt > LinuxClock().wallMilliseconds else {
            return "\(closed), one report is tried at each submit"
        }
        return "\(closed), tried again from \(RFC3339.string(milliseconds: opensAt))"
    }

    private func lines(_ status: SpoolStatus, _ path: String) -> [String] {
        var lines = ["spool:  \(path)", "owner:  \(owner(of: status))"]
        for (name, count) in status.states where count.count > 0 {
            let compressed = name == "incoming" ? "" : " compressed"
            lines.append("\(name):  \(count.count)  (\(ReportTable.size(count.byteCount))\(compressed))")
        }
        if status.states.allSatisfy({ $0.count.count == 0 }) { lines.append("no reports") }
        for origin in status.origins {
            let trouble = origin.lastError.map { ": \($0)" } ?? ""
            lines.append("\(origin.name):  \(standing(origin))\(trouble)")
        }
        if let oldest = status.oldestUndeliveredAt {
            lines.append("oldest undelivered:  \(RFC3339.string(milliseconds: oldest))")
        }
        for notice in status.notices { lines.append("\(notice.subject):  \(notice.reason): \(notice.message)") }
        for (limit, count) in status.evictions { lines.append("evicted, \(limit):  \(count) so far") }
        for braked in status.braked {
            let summary = braked.summary.map { ": \($0)" } ?? ""
            lines.append("braked now, \(braked.signature):  \(braked.count) left out, the first are kept\(summary)")
        }
        let others = status.brakedSignatureCount - status.braked.count
        if others > 0 { lines.append("braked now, others:  \(others) more, which 'reports list --group' shows") }
        if let next = status.nextAttemptAt { lines.append("next due:  \(RFC3339.string(milliseconds: next))") }
        return lines
    }
}
