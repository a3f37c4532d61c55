import DurableIO
import Reports

/// What `submit` does once its command line is understood.
struct Submitting {
    var global: GlobalOptions
    /// By options, as they were written.
    var given: [Setting: String] = [:]
    /// Each `Name: value`, or `@` and a file.
    var headers: [String] = []
    /// In seconds.
    var deadline: Double?
    var wait: Double?

    /// What a deadline and a wait may be.
    static let seconds: ClosedRange<Double> = 0...31_536_000

    func run() async throws {
        let settings = try global.settings(given, headers: HeaderSetting.given(headers))
        for line in SettingsDescription.hints(settings) { Console.complain(line) }
        guard let destination = settings.destination else {
            throw ReportsError(
                .badConfiguration,
                "no endpoint: give --endpoint URL or set $REPORTS_ENDPOINT, or name it in the spool's reports.json")
        }
        let spool = try global.openOrMake(settings.limits)
        var configuration = SpoolOwner.Configuration(destination: destination)
        configuration.maximumConcurrent = settings.maximumConcurrent
        configuration.connection = settings.connection
        if Console.errorIsTerminal {
            configuration.onSettled = { progress in
                Console.progress("sent \(progress.attempts), delivered \(progress.delivered)")
            }
        }
        var submission = Submission(spool: spool, configuration: configuration)
        submission.deadline = deadline.map { Int64($0 * 1_000) }
        if deadline == nil {
            submission.onWaiting = { owner, patience in
                Console.complain(
                    "another process\(LockHolder.words(owner)) is at work on this spool: "
                        + "waiting for it, at most \(patience / 1_000) s (--deadline sets another limit)")
            }
        }
        submission.wait = wait.flatMap { $0 > 0 ? Int64($0 * 1_000) : nil }
        do {
            let outcome = try await Signals.cancelling { [submission] in try await submission.run() }
            tell(outcome.result, spool, origin: try destination.validate().origin)
            if let signal = outcome.signal { ExitStatus.leave(Signals.status(of: signal)) }
            ExitStatus.leave(status(of: outcome.result))
        } catch let error as InterruptedBySignal {
            Console.endProgress()
            ExitStatus.leave(Signals.status(of: error.number))
        }
    }

    private func status(of summary: SubmissionSummary) -> Int32 {
        // Reports are lost for good, which waiting for the next run does not mend.
        if summary.evicted > 0 || summary.lost > 0 { return ExitStatus.badData }
        if summary.waiting > 0 || summary.held > 0 || summary.isOwnedElsewhere { return ExitStatus.temporaryFailure }
        if summary.rejected > 0 || summary.exhausted > 0 { return ExitStatus.badData }
        return ExitStatus.done
    }

    private func tell(_ summary: SubmissionSummary, _ spool: ReportSpool, origin: String) {
        Console.endProgress()
        for repair in summary.repairs { Console.complain(repair) }
        if summary.lost > 0 {
            Console.complain(
                "\(summary.lost) reports are gone: their files are not in the spool any more; "
                    + "'reports list --state removed' names them")
        }
        if global.json { return Console.print(summary.json) }
        var parts = ["delivered \(summary.delivered)"]
        for (name, count) in [
            ("waiting", summary.waiting), ("held", summary.held), ("rejected", summary.rejected),
            ("exhausted", summary.exhausted), ("evicted", summary.evicted), ("duplicates", summary.duplicates),
            ("skipped", summary.skipped),
        ] where count > 0 {
            parts.append("\(name) \(count)")
        }
        Console.print(parts.joined(separator: ", "))
        if summary.evicted > 0 {
            Console.print("evicted to keep the spool's limits: 'reports list --state evicted' names the limit of each")
        }
        if summary.isOwnedElsewhere {
            Console.print("another process\(LockHolder.words(summary.owner)) is at work on this spool")
        }
        if let next = summary.nextAttemptMilliseconds {
            Console.print("next attempt: \(RFC3339.string(milliseconds: next))")
        }
        if summary.waiting > 0 || summary.held > 0 { tellTrouble(spool, origin) }
        if summary.waiting > 0 { tellSlowReports(spool) }
    }

    /// Reports that such a run will not send, and what will.
    private func tellSlowReports(_ spool: ReportSpool) {
        let shown = 3
        guard let slow = try? SpoolInspector(spool: spool).slowReports(limit: shown + 1) else { return }
        for view in slow.prefix(shown) {
            Console.print(Printable.text("\(view.id ?? ""): \(view.explanation ?? "")"))
        }
        if slow.count > shown { Console.print("and more like these: 'reports list --state waiting' shows them") }
    }

    /// Why something waits, when a server is the reason.
    private func tellTrouble(_ spool: ReportSpool, _ name: String) {
        guard let origins = try? SpoolInspector(spool: spool).origins() else { return }
        for origin in origins where origin.name == name && !origin.isOpen {
            let trouble = origin.lastError.map { ": \($0)" } ?? ""
            Console.print(Printable.text("\(origin.name): \(origin.reason ?? "closed")\(trouble)"))
        }
    }
}
