import Background

/// The judgement of a spool's figures: what is wrong, and how much it matters.
///
/// It depends on the figures and the thresholds alone.
package struct SpoolCheck: Sendable {
    /// How much a problem matters. The raw values are the exit statuses of a monitoring plugin.
    package enum Level: Int32, Comparable, Sendable {
        /// Nothing has to be done.
        case ok = 0
        /// A person should look at it: nothing is lost, and other reports go out.
        case warning = 1
        /// Reports are lost, or will be, or none goes out until a person acts.
        case critical = 2
        /// The spool cannot be judged.
        case unknown = 3

        package static func < (left: Level, right: Level) -> Bool { left.rawValue < right.rawValue }

        /// In lower case, for scripts.
        package var word: String { "\(self)" }
    }

    /// Beyond which figures something is wrong.
    package struct Thresholds: Hashable, Sendable {
        /// How long a report may stay undelivered, in milliseconds. The default is a day.
        package var maximumAge: Int64 = 86_400_000
        /// How many reports may lie rejected or exhausted. The default is 0.
        package var maximumParked = 0
        /// For how long an eviction is told of, in milliseconds. The default is a day.
        package var evictionMemory: Int64 = 86_400_000

        package init() {}
    }

    /// One thing that is wrong.
    package struct Problem: Hashable, Sendable {
        /// What it is about: `ledger`, `rooms`, `settings`, `endpoint`, `held`, `evicted`, `undelivered`, `disk`, `full`,
        /// `drops`, `parked` or `braked`.
        package let code: String
        /// The name of the destination that it is about; `nil` if it is about none, or about reports with requests of
        /// their own.
        package var destination: String?
        package let level: Level
        /// What is wrong, in plain words.
        package let message: String
        /// What a person can do.
        package let advice: String
    }

    package let figures: SpoolFigures
    package let thresholds: Thresholds
    /// What is wrong, the worst first.
    package let problems: [Problem]

    package init(_ figures: SpoolFigures, _ thresholds: Thresholds = Thresholds()) {
        self.figures = figures
        self.thresholds = thresholds
        let found = ProblemFinder(figures: figures, thresholds: thresholds).problems
        problems = [Level.critical, .warning].flatMap { level in found.filter { $0.level == level } }
    }

    /// The level of the worst problem.
    package var level: Level { problems.first?.level ?? .ok }

    /// From how much on a spool is nearly full: 90 % of its limit.
    static func nearly(_ limit: UInt64) -> UInt64 { limit - limit / 10 }
}
