import Background

/// Looks for all problems that ``SpoolCheck`` knows, in the order of their weight within a level.
struct ProblemFinder {
    let figures: SpoolFigures
    let thresholds: SpoolCheck.Thresholds

    var problems: [SpoolCheck.Problem] {
        unreadable + holds + [evicted].compactMap(\.self) + undelivered + space
            + [leftDrops, parked, braked].compactMap(\.self)
    }

    static let statusAdvice = "'reports status' shows more"

    // MARK: - What cannot be read

    private var unreadable: [SpoolCheck.Problem] {
        var problems: [SpoolCheck.Problem] = []
        if let problem = figures.ledgerProblem {
            problems.append(
                .init(
                    code: "ledger", level: .critical, message: problem,
                    advice: "run 'reports submit', then 'reports doctor'"))
        }
        for problem in figures.roomProblems {
            problems.append(
                .init(code: "rooms", level: .critical, message: problem, advice: "'reports doctor' shows more"))
        }
        if let problem = figures.settingsProblem {
            problems.append(
                .init(
                    code: "settings", level: .critical, message: "no submit can run: \(problem)",
                    advice: "correct the setting"))
        }
        if let lack = figures.lack, let level = figures.lackLevel {
            let code = lack.kind == .endpoint ? "endpoint" : "settings"
            problems.append(.init(code: code, level: level, message: lack.message, advice: lack.advice))
        }
        return problems
    }

    // MARK: - Reports that stay

    private var leftDrops: SpoolCheck.Problem? {
        guard figures.leftDropCount > 0 else { return nil }
        let first = figures.leftDrops.first.map { "\($0.path) \($0.reason)" } ?? "no reason is known"
        let others = figures.leftDropCount > 1 ? " (and \(figures.leftDropCount - 1) more)" : ""
        return .init(
            code: "drops", level: .warning, message: "a drop cannot be taken: \(first)\(others)",
            advice: "'reports list --state incoming' shows more")
    }

    private var parked: SpoolCheck.Problem? {
        guard figures.parkedCount > thresholds.maximumParked else { return nil }
        let rejected = figures.sum { $0 == .rejected }.count
        let exhausted = figures.sum { $0 == .exhausted }.count
        let parts = [
            (rejected, "rejected by the server", TransferState.rejected),
            (exhausted, "given up after too many failures", .exhausted),
        ].filter { $0.0 > 0 }.map { "\(Self.reports($0.0)) \($0.1)\(places(of: $0.2))" }
        let states = [(rejected, "--state rejected"), (exhausted, "--state exhausted")].filter { $0.0 > 0 }.map(\.1)
        return .init(
            code: "parked", level: .warning, message: parts.joined(separator: ", "),
            advice: "'reports list \(states.joined(separator: " "))' shows more, 'reports retry' sends again")
    }

    // MARK: - Space

    private var evicted: SpoolCheck.Problem? {
        guard figures.recentEvictionCount > 0 else { return nil }
        let time = TimeSpan.words(milliseconds: thresholds.evictionMemory)
        return .init(
            code: "evicted", level: .critical,
            message: "\(Self.reports(figures.recentEvictionCount)) evicted undelivered in the last \(time)",
            advice: "'reports list --state evicted' names the limit of each")
    }

    /// A crash loop that the limit of a signature has braked: nothing that was to be kept is lost.
    private var braked: SpoolCheck.Problem? {
        let count = figures.recentlyBraked
        guard count.reports > 0 else { return nil }
        let time = TimeSpan.words(milliseconds: thresholds.evictionMemory)
        let crashes = count.signatures == 1 ? "one crash" : "\(count.signatures) crashes"
        return .init(
            code: "braked", level: .warning,
            message: "\(crashes) in a loop: \(Self.reports(count.reports)) beyond max_per_signature left out "
                + "in the last \(time)",
            advice: "the first ones are kept, 'reports list --group' shows them")
    }

    private var space: [SpoolCheck.Problem] {
        var problems: [SpoolCheck.Problem] = []
        if let available = figures.space?.available, let floor = figures.freeFloor, available < floor {
            problems.append(
                .init(
                    code: "disk", level: .critical,
                    message: "nothing is taken in: \(available) bytes are free, \(floor) must stay free",
                    advice: "free some space, or lower min_free_space"))
        }
        let stored = figures.stored
        let uses = [
            (UInt64(clamping: stored.count), UInt64(clamping: figures.limits.maximumCount), "reports", "max_count"),
            (stored.byteCount, figures.maximumByteCount ?? .max, "bytes", "max_total_size"),
        ]
        for (used, limit, unit, setting) in uses {
            guard let level = Self.level(of: used, limit) else { continue }
            problems.append(
                .init(
                    code: "full", level: level,
                    message: "the spool is \(level == .critical ? "" : "nearly ")full: \(used) of \(limit) \(unit)",
                    advice: "let reports go out, or raise \(setting)"))
        }
        return problems
    }

    private static func level(of used: UInt64, _ limit: UInt64) -> SpoolCheck.Level? {
        if used >= limit { return .critical }
        return used >= SpoolCheck.nearly(limit) ? .warning : nil
    }

    static func reports(_ count: Int) -> String { count == 1 ? "1 report" : "\(count) reports" }
}
