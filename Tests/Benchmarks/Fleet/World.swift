import Background

/// Clients, a server and a clock. Times are milliseconds since the outage began.
struct World {
    /// Requests a second that the server can do: 2,000 for 100,000 clients.
    static let capacityPerClient = 0.02
    /// The share of it that is new reports: 20 %.
    private static let steadyShare = 0.2
    private static let outageEnd: Int64 = 3_600_000
    /// No run is longer: ten hours after the outage.
    private static let horizon: Int64 = 11 * 3_600_000
    private static let backlog = 1...20

    private let scenario: Scenario
    private let policy: RetryPolicy
    private var generator: SeededGenerator
    private var clients: [Client] = []
    private var server: Server
    private var calendar = Calendar<Event>()
    private var record: Record
    private var openBacklog = 0
    /// Mean milliseconds between two new reports of one client.
    private let interval: Double

    private enum Event {
        case report(client: Int32)
        case wake(client: Int32)
        case arrival(client: Int32, report: Int32, startedAt: Int64)
        case answer(client: Int32, report: Int32, startedAt: Int64, Server.Answer)
    }

    init(scenario: Scenario, policy: RetryPolicy, clientCount: Int, seed: UInt64) {
        self.scenario = scenario
        self.policy = policy
        generator = SeededGenerator(seed: seed)
        let capacity = Self.capacityPerClient * Double(clientCount)
        server = Server(capacity: capacity, scenario: scenario, outageEnd: Self.outageEnd)
        record = Record(capacity: capacity, outageEnd: Self.outageEnd, scenario: scenario)
        interval = 1_000 / (Self.capacityPerClient * Self.steadyShare)
        for index in 0..<Int32(clientCount) {
            clients.append(
                Client(delay: .random(in: 10...60, using: &generator), isDriven: scenario.habit == .running))
            begin(index)
        }
    }

    var result: Result { record.result }

    /// Its backlog comes over the hour of the outage, or at its first moment; new reports come after that.
    private mutating func begin(_ index: Int32) {
        let count = Int.random(in: Self.backlog, using: &generator)
        for _ in 0..<count {
            let time =
                scenario.isAllAtOnce
                ? .random(in: 0..<1_000, using: &generator)
                : Int64.random(in: 0..<Self.outageEnd, using: &generator)
            calendar.add(.report(client: index), at: time)
        }
        calendar.add(.report(client: index), at: Self.outageEnd + pause())
        if scenario.habit == .timer { wake(index, at: .random(in: 0..<Self.timerPause, using: &generator)) }
        openBacklog += count
    }

    private static let timerPause: Int64 = 300_000
    private static let timerSpread: Int64 = 30_000

    /// Reports come independently of each other.
    private mutating func pause() -> Int64 {
        let chance = Double(generator.next() >> 11) * 0x1p-53
        return Int64(-interval * logarithm(1 - chance))
    }

    // MARK: - Running

    /// Runs until what the outage held up is delivered, and ten minutes longer.
    mutating func run() {
        var end = Self.horizon
        while let (time, event) = calendar.next(), time <= end {
            handle(event, at: time)
            if openBacklog == 0, time > Self.outageEnd, end == Self.horizon {
                record.drained(at: time)
                end = time + 600_000
            }
        }
        record.ended(at: min(end, Self.horizon))
    }

    private mutating func handle(_ event: Event, at now: Int64) {
        switch event {
        case .report(let client): take(client, at: now)
        case .wake(let client):
            guard clients[Int(client)].wakesAt == now else { return }
            clients[Int(client)].wakesAt = .max
            look(client, at: now)
        case .arrival(let client, let report, let startedAt):
            let answer = server.take(at: now)
            record.arrived(at: now, answer)
            var time = now + clients[Int(client)].delay
            if case .accepted(let wait) = answer { time += wait }
            calendar.add(.answer(client: client, report: report, startedAt: startedAt, answer), at: time)
        case .answer(let client, let report, let startedAt, let answer):
            settle(client, report, answer, startedAt: startedAt, at: now)
        }
    }

    /// A new report.
    private mutating func take(_ index: Int32, at now: Int64) {
        let isBacklog = now < Self.outageEnd
        clients[Int(index)].nextNumber += 1
        clients[Int(index)].reports.append(
            PendingReport(
                enrolledAt: now, due: now, isBacklog: isBacklog, number: clients[Int(index)].nextNumber))
        if !isBacklog { calendar.add(.report(client: index), at: now + pause()) }
        // A timer's submit that is not at work finds it at its next start.
        if clients[Int(index)].isDriven { drive(index, at: now) }
    }

    /// The time has come that the client waited for.
    private mutating func look(_ index: Int32, at now: Int64) {
        if scenario.habit == .timer {
            clients[Int(index)].isDriven = true
            // As each explicit submit does, whatever it finds.
            clients[Int(index)].beginExplicitly(at: now)
        }
        drive(index, at: now)
    }

    /// One turn of the client's queue.
    private mutating func drive(_ index: Int32, at now: Int64) {
        let place = Int(index)
        for claim in clients[place].claim(at: now, policy: policy) {
            let arrival = Event.arrival(
                client: index, report: clients[place].reports[claim].number, startedAt: now)
            calendar.add(arrival, at: now + clients[place].delay)
        }
        switch scenario.habit {
        case .running:
            if let time = clients[place].nextTime(after: now) { wake(index, at: max(time, now + 1)) }
        case .timer:
            guard clients[place].inFlight == 0 else { return }
            clients[place].isDriven = false
            wake(index, at: now + Self.timerPause + .random(in: 0...Self.timerSpread, using: &generator))
        }
    }

    private mutating func wake(_ index: Int32, at time: Int64) {
        // Early is no harm: it looks again.
        guard clients[Int(index)].wakesAt > time else { return }
        clients[Int(index)].wakesAt = time
        calendar.add(.wake(client: index), at: time)
    }

    private mutating func settle(
        _ index: Int32, _ report: Int32, _ answer: Server.Answer, startedAt: Int64, at now: Int64
    ) {
        let delivered = clients[Int(index)].settle(
            report, outcome: Self.outcome(answer), startedAt: startedAt, now: now, policy: policy, using: &generator)
        if let delivered {
            record.delivered()
            if delivered.isBacklog { openBacklog -= 1 }
        }
        drive(index, at: now)
    }

    private static func outcome(_ answer: Server.Answer) -> AttemptOutcome {
        switch answer {
        case .refused:
            .noAnswer(.failure(TransportFailure("connection refused", didConnect: false, bytesSent: 0)))
        case .accepted:
            .answer(judgement(201))
        case .unavailable(let wait):
            .answer(
                judgement(
                    503,
                    retryAfter: RetryAfter.delay(
                        header: wait.map { String($0 / 1_000) }, date: nil, nowMilliseconds: 0)))
        }
    }

    private static func judgement(_ status: Int, retryAfter: Int64? = nil) -> Judgement {
        let answer = TransferAnswer(
            status: status, fields: [:], body: [], bytesSent: 0, isWholeBodySent: true, isLoopback: false)
        var judgement = Judgement.http(answer, isSecure: true, at: 0)
        judgement.retryAfter = retryAfter
        return judgement
    }
}
