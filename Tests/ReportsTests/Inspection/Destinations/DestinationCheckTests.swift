import Background
import Reports
import Testing

/// The judgement of figures in which there are several destinations.
@Suite("The judgement of each destination")
struct DestinationCheckTests {
    private static let now: Int64 = 1_764_000_000_000
    private static let hour: Int64 = 3_600_000
    private static let server = "https://example.com"
    private static let other = "https://archive.example"

    private func figures(_ change: (inout SpoolFigures) -> Void) -> SpoolFigures {
        var figures = SpoolFigures(time: Self.now)
        figures.space = (available: 50 << 30, total: 100 << 30)
        change(&figures)
        return figures
    }

    private func sum(_ state: TransferState, _ count: Int) -> SpoolFigures.StateSum {
        .init(state: state, destination: "main", sum: .init(count: count))
    }

    /// A destination whose oldest report is of this age.
    private func late(_ name: String, hours: Int64, origin: String? = nil, count: Int = 1) -> SpoolFigures.Destination {
        .init(
            name: name, origin: origin, oldest: Self.now - hours * Self.hour, undeliveredCount: count)
    }

    @Test("each destination that is late is named with its own cause, the worst first, and one that is well is not")
    func lateDestinations() {
        let check = SpoolCheck(
            figures {
                $0.states = [sum(.waiting, 1)]
                $0.destinations = [
                    late("main", hours: 1, origin: Self.server),
                    late("archive", hours: 26, origin: Self.other, count: 3), late("dumps", hours: 30),
                    late("@https://own.example", hours: 27, origin: "https://own.example"),
                ]
                $0.oldest = .init(since: Self.now - 30 * Self.hour, place: .row)
                $0.namedDestinations = ["main", "archive"]
                $0.gates = [.init(origin: Self.other, closure: "backing-off", lastError: "no route", waitingCount: 3)]
            })
        #expect(
            check.problems.map(\.message) == [
                "undelivered for 30 h at dumps: the settings name no destination dumps",
                "undelivered for 27 h at https://own.example: no submit has delivered it",
                "undelivered for 26 h at archive (the oldest of 3 reports): \(Self.other): no route",
            ])
        #expect(check.problems.map(\.destination) == ["dumps", nil, "archive"])
        #expect(check.problems.first?.advice.hasPrefix("name it in reports.json, or 'reports retry' its") == true)
        #expect(check.level == .critical)
    }

    @Test("a drop that is late is told of beside a destination that is late")
    func lateDropAndDestination() {
        let messages = SpoolCheck(
            figures {
                $0.drops = .init(count: 1)
                $0.destinations = [late("archive", hours: 26)]
                $0.oldest = .init(since: Self.now - 27 * Self.hour, place: .drop)
            }
        ).problems.map(\.message)
        #expect(
            messages == [
                "undelivered for 27 h: no submit has taken the drop",
                "undelivered for 26 h at archive: no submit has delivered it",
            ])
    }

    @Test("of very many late destinations the first five are named, and the others counted")
    func manyLateDestinations() {
        let messages = SpoolCheck(
            figures {
                $0.destinations = (1...8).map { late("d\($0)", hours: 100 - Int64($0)) }
                $0.oldest = .init(since: Self.now - 99 * Self.hour, place: .row)
            }
        ).problems.map(\.message)
        #expect(messages.count == 6)
        #expect(messages.first == "undelivered for 4 d at d1: no submit has delivered it")
        #expect(messages.last == "3 more destinations have late reports")
    }

    @Test("reports that are held are told of for each destination, with its own server")
    func heldAtDestinations() {
        let problems = SpoolCheck(
            figures {
                $0.states = [sum(.held, 4)]
                $0.destinations = [
                    .init(name: "archive", origin: Self.other), .init(name: "main", origin: Self.server),
                ]
                $0.held = [
                    .init(reason: .auth, destination: "archive", count: 1),
                    .init(reason: .auth, destination: "main", count: 2),
                    .init(reason: .route, destination: "main", count: 1),
                ]
                $0.gates = [
                    .init(origin: Self.server, closure: "auth", lastStatus: 407, waitingCount: 2),
                    .init(origin: Self.other, closure: "auth", lastStatus: 401, waitingCount: 1),
                ]
            }
        ).problems
        #expect(problems.map(\.destination) == ["archive", "main"])
        let words = [
            "1 report held at archive for \(Self.other) (auth): the server ",
            "2 reports held at main for \(Self.server) (auth): the proxy ",
        ]
        for (problem, beginning) in zip(problems, words) {
            #expect(problem.message.hasPrefix(beginning), "\(problem.message)")
        }
    }

    @Test("a server that is closed for a reason is told of, though another server is closed for the same")
    func gateOfAnother() {
        let messages = SpoolCheck(
            figures {
                $0.destinations = [
                    .init(name: "archive", origin: Self.other), .init(name: "main", origin: Self.server),
                ]
                $0.held = [.init(reason: .tls, destination: "main", count: 1)]
                $0.gates = [
                    .init(origin: Self.server, closure: "tls", waitingCount: 1),
                    .init(origin: Self.other, closure: "tls", waitingCount: 2),
                ]
            }
        ).problems.map(\.message)
        #expect(messages.count == 2)
        #expect(messages.last?.hasPrefix("2 reports behind \(Self.other) (tls): ") == true)
    }

    @Test("parked reports are told of with the destinations that rejected them")
    func parkedAtDestinations() {
        let line = SpoolCheck(
            figures {
                $0.destinations = [.init(name: "archive"), .init(name: "main")]
                $0.states = ["archive", "main"].map {
                    .init(state: .rejected, destination: $0, sum: .init(count: 1))
                }
            }
        ).line
        #expect(line.contains("2 reports rejected by the server at archive, main; "), "\(line)")
    }
}
