import Glibc

/// What the server saw, second by second.
struct Record {
    private let capacity: Double
    private let outageEnd: Int64
    private let scenario: Scenario
    private var arrivals: [Int] = []
    private var requests = 0
    private var requestsAfterOutage = 0
    private var deliveredCount = 0
    private var drainedAt: Int64?
    private var endedAt: Int64 = 0

    init(capacity: Double, outageEnd: Int64, scenario: Scenario) {
        self.capacity = capacity
        self.outageEnd = outageEnd
        self.scenario = scenario
    }

    mutating func arrived(at now: Int64, _ answer: Server.Answer) {
        let second = Int(now / 1_000)
        while arrivals.count <= second { arrivals.append(0) }
        arrivals[second] += 1
        requests += 1
        if now >= outageEnd { requestsAfterOutage += 1 }
    }

    mutating func delivered() { deliveredCount += 1 }
    mutating func drained(at now: Int64) { drainedAt = drainedAt ?? now }
    mutating func ended(at now: Int64) { endedAt = now }

    var result: Result {
        Result(
            scenario: scenario, peakOverCapacity: peak / capacity, peakAtOnce: peakAtOnce / capacity,
            peakInOutage: peakInOutage / capacity,
            drainedAfter: Double((drainedAt ?? endedAt) - outageEnd) / 1_000, isDrained: drainedAt != nil,
            requestsPerReport: Double(requests) / Double(max(deliveredCount, 1)),
            requestsPerReportAfterOutage: Double(requestsAfterOutage) / Double(max(deliveredCount, 1)),
            wave: wave, arrivals: thinned)
    }

    /// The busiest second from a minute after the outage on.
    private var peak: Double {
        Double(arrivals.dropFirst(Int(outageEnd / 1_000) + 60).max() ?? 0)
    }

    /// The busiest second that the server does not see, from a minute after the outage began.
    private var peakInOutage: Double {
        Double(arrivals.prefix(Int(outageEnd / 1_000)).dropFirst(60).max() ?? 0)
    }

    /// The same with its first minute.
    private var peakAtOnce: Double {
        Double(arrivals.dropFirst(Int(outageEnd / 1_000)).max() ?? 0)
    }

    /// How far ten seconds stand out from the two minutes before them and from the two after, whichever had more, where
    /// there is load worth the name. An even load has 1, and so has one that rises or falls; a wave has more.
    private var wave: Double {
        let begin = Int(outageEnd / 1_000) + 60
        var highest = 1.0
        for start in stride(from: begin, to: arrivals.count - 40, by: 5) {
            let ten = mean(start..<start + 10)
            guard ten > capacity / 4 else { continue }
            let after = mean(start + 10..<min(arrivals.count, start + 130))
            let before = start - begin >= 30 ? mean(max(begin, start - 120)..<start) : 0
            highest = max(highest, ten / max(before, after))
        }
        return highest
    }

    private func mean(_ seconds: Range<Int>) -> Double {
        Double(arrivals[seconds].reduce(0, +)) / Double(max(1, seconds.count))
    }

    /// Means of ten seconds, for the plot.
    private var thinned: [(second: Int, count: Double)] {
        stride(from: 0, to: arrivals.count, by: 10).map { start in
            let part = arrivals[start..<min(start + 10, arrivals.count)]
            return (start, Double(part.reduce(0, +)) / Double(part.count))
        }
    }
}

/// What a scenario came to.
struct Result {
    let scenario: Scenario
    let peakOverCapacity: Double
    let peakAtOnce: Double
    let peakInOutage: Double
    let drainedAfter: Double
    let isDrained: Bool
    let requestsPerReport: Double
    let requestsPerReportAfterOutage: Double
    let wave: Double
    let arrivals: [(second: Int, count: Double)]

    var json: String {
        let points = arrivals.map { "[\($0.second), \($0.count)]" }.joined(separator: ", ")
        return """
            {"key": "\(scenario.key)", "name": "\(scenario.name)", "peak_over_capacity": \(peakOverCapacity), \
            "peak_at_once": \(peakAtOnce), "peak_in_outage": \(peakInOutage), "drained_after": \(drainedAfter), "is_drained": \(isDrained), \
            "requests_per_report": \(requestsPerReport), \
            "requests_per_report_after_outage": \(requestsPerReportAfterOutage), "wave": \(wave), \
            "arrivals": [\(points)]}
            """
    }
}

/// The natural logarithm, by a name that nothing else has.
func logarithm(_ value: Double) -> Double { log(value) }
