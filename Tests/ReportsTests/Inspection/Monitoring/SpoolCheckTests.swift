import Background
import Reports
import Testing

/// The judgement alone: figures in, problems and a line out.
@Suite("The judgement of a spool's figures")
struct SpoolCheckTests {
    private static let now: Int64 = 1_764_000_000_000
    private static let hour: Int64 = 3_600_000
    private static let server = "https://example.com"

    private func figures(_ change: (inout SpoolFigures) -> Void = { _ in }) -> SpoolFigures {
        var figures = SpoolFigures(time: Self.now)
        figures.space = (available: 50 << 30, total: 100 << 30)
        change(&figures)
        return figures
    }

    private func sum(_ state: TransferState, _ count: Int, bytes: UInt64 = 0) -> SpoolFigures.StateSum {
        .init(state: state, destination: "main", sum: .init(count: count, byteCount: bytes))
    }

    private func codes(_ figures: SpoolFigures) -> [String] {
        SpoolCheck(figures).problems.map { "\($0.code) \($0.level.word)" }
    }

    @Test("a spool in which all is delivered is OK, and the line tells the last delivery")
    func well() {
        let check = SpoolCheck(figures { $0.lastDelivery = Self.now - 300_000 })
        #expect(check.level == .ok)
        #expect(check.line.hasPrefix("REPORTS OK - nothing waits, last delivery 5 min ago | undelivered=0;;;0 "))
    }

    @Test("a report is late when it is older than the limit, not when it is as old", arguments: [0, 1])
    func age(excess: Int64) {
        let check = SpoolCheck(
            figures {
                $0.states = [sum(.waiting, 3)]
                $0.oldest = .init(since: Self.now - 24 * Self.hour - excess, place: .row)
                $0.gates = [.init(origin: Self.server, closure: "backing-off", lastError: "no route", waitingCount: 3)]
            })
        #expect(check.level == (excess == 0 ? .ok : .critical))
        guard excess > 0 else { return }
        let words = "undelivered for 24 h (the oldest of 3 reports): https://example.com: no route"
        #expect(check.line.hasPrefix("REPORTS CRITICAL - \(words); 'reports status' shows more | "))
    }

    @Test(
        "a server that asked to wait, or is down, is no problem while the reports are young",
        arguments: ["asked", "backing-off"])
    func patience(closure: String) {
        let young = figures {
            $0.states = [sum(.waiting, 3)]
            $0.oldest = .init(since: Self.now - Self.hour, place: .row)
            $0.gates = [.init(origin: Self.server, closure: closure, waitingCount: 3)]
        }
        #expect(SpoolCheck(young).level == .ok)
    }

    @Test("a drop that no submit has taken for longer than the limit is late")
    func oldDrop() {
        let check = SpoolCheck(
            figures {
                $0.drops = .init(count: 1, byteCount: 10)
                $0.oldest = .init(since: Self.now - 26 * Self.hour, place: .drop)
            })
        #expect(check.line.hasPrefix("REPORTS CRITICAL - undelivered for 26 h: no submit has taken the drop; "))
    }

    @Test("each reason to hold a report has its level", arguments: HoldReason.allCases)
    func holds(reason: HoldReason) {
        let found = codes(
            figures {
                $0.states = [sum(.held, 1)]
                $0.held = [.init(reason: reason, destination: "main", count: 1)]
            })
        let expected: [HoldReason: String] = [
            .forbidden: "warning", .acknowledgement: "warning", .poison: "warning",
        ]
        #expect(found == ([.caller, .route].contains(reason) ? [] : ["held \(expected[reason] ?? "critical")"]))
    }

    @Test("reports behind a gate that is closed for a reason are told of when the one that met the reason is gone")
    func gateAlone() {
        func found(waiting: Int) -> [String] {
            codes(figures { $0.gates = [.init(origin: Self.server, closure: "auth", waitingCount: waiting)] })
        }
        #expect(found(waiting: 2) == ["held critical"])
        #expect(found(waiting: 0) == [])
    }

    @Test("parked reports count beyond the number that may be")
    func parked() {
        let figures = figures { $0.states = [sum(.rejected, 2), sum(.exhausted, 1)] }
        var thresholds = SpoolCheck.Thresholds()
        #expect(SpoolCheck(figures, thresholds).level == .warning)
        thresholds.maximumParked = 3
        #expect(SpoolCheck(figures, thresholds).level == .ok)
        thresholds.maximumParked = 2
        let line = SpoolCheck(figures, thresholds).line
        #expect(line.contains("2 reports rejected by the server, 1 report given up after too many failures"))
        #expect(line.contains(" parked=3;2;;0 "))
    }

    @Test(
        "a spool is nearly full from 90 % of a limit on, and full at it",
        arguments: [(89, ""), (90, "warning"), (100, "critical")])
    func fullness(percent: Int, level: String) {
        let expected = level.isEmpty ? [] : ["full \(level)"]
        #expect(
            codes(
                figures {
                    $0.limits.maximumCount = 1_000
                    $0.states = [sum(.waiting, percent * 10)]
                }) == expected)
        #expect(
            codes(
                figures {
                    $0.limits.maximumTotalByteCount = 1_000
                    $0.states = [sum(.held, 1, bytes: UInt64(percent) * 10)]
                }) == expected)
    }

    @Test("what is delivered or gone takes no space")
    func tombstones() {
        let figures = figures {
            $0.limits.maximumTotalByteCount = 10
            $0.limits.maximumCount = 10
            $0.states = [TransferState.delivered, .evicted, .removed].map { sum($0, 100, bytes: 100) }
        }
        #expect(SpoolCheck(figures).level == .ok)
    }

    @Test("a disk with less space than must stay free")
    func disk() {
        let full = figures {
            $0.limits.minimumFreeByteCount = 1_000
            $0.space = (available: 999, total: 1 << 30)
        }
        #expect(codes(full) == ["disk critical"])
    }

    @Test("the worst problem comes first, the others after it")
    func order() {
        let check = SpoolCheck(
            figures {
                $0.states = [sum(.rejected, 1)]
                $0.recentEvictionCount = 2
                $0.leftDropCount = 1
                $0.leftDrops = [.init(path: "incoming/x", reason: "is a socket, not a file")]
            })
        #expect(check.problems.map(\.code) == ["evicted", "drops", "parked"])
        #expect(check.level == .critical)
        #expect(check.line.hasPrefix("REPORTS CRITICAL - 2 reports evicted undelivered in the last 24 h; "))
        #expect(check.line.contains("; also: a drop cannot be taken: incoming/x is a socket, not a file; 1 report "))
    }

    @Test("an unreadable ledger, room or setting is critical")
    func unreadable() {
        #expect(
            codes(
                figures {
                    $0.ledgerProblem = "the ledger is damaged"
                    $0.roomProblems = ["queued cannot be listed"]
                    $0.settingsProblem = "reports.json: max_count"
                }) == ["ledger critical", "rooms critical", "settings critical"])
    }

    @Test(
        "without an endpoint a report that waits is critical; none that waits is a warning in the machine's spool alone",
        arguments: [false, true])
    func noEndpoint(isOfMachine: Bool) {
        func check(_ states: [SpoolFigures.StateSum]) -> SpoolCheck {
            SpoolCheck(
                figures {
                    $0.states = states
                    $0.lack = .init(.endpoint, isOfMachine: isOfMachine, message: "no endpoint", advice: "set one")
                })
        }
        #expect(check([sum(.queued, 1)]).line.hasPrefix("REPORTS CRITICAL - no endpoint; set one | "))
        #expect(check([sum(.queued, 1)]).problems.map(\.code) == ["endpoint"])
        let ownRequest = SpoolFigures.StateSum(
            state: .queued, destination: "@http://own.example", sum: .init(count: 1))
        for states in [[], [ownRequest]] {
            #expect(check(states).level == (isOfMachine ? .warning : .ok))
        }
    }

    @Test("a file of settings that does not count is a warning")
    func unusedFile() {
        let found = codes(figures { $0.lack = .init(.file, isOfMachine: true, message: "no", advice: "do") })
        #expect(found == ["settings warning"])
    }

    @Test("nothing that comes from outside ends the line, begins the figures or steers a terminal")
    func plainLine() {
        let line = SpoolCheck(
            figures {
                $0.leftDropCount = 1
                $0.leftDrops = [.init(path: "incoming/a|b\nc\u{1b}[31m", reason: "is a directory")]
            }
        ).line
        #expect(line.count { $0 == "|" } == 1)
        #expect(!line.contains("\n") && !line.contains("\u{1b}"))
        #expect(SpoolCheck.line(unknown: "a|b\r\nc") == "REPORTS UNKNOWN - a/b c")
    }

    @Test("a monitoring system finds by the figures' own levels what the check found")
    func levels() throws {
        let line = SpoolCheck(
            figures {
                $0.limits.maximumCount = 1_000
                $0.states = [sum(.waiting, 1_000)]
            }
        ).line
        #expect(line.contains(" stored=1000;899;999;0;1000 "))
    }
}

@Suite("Lengths of time")
struct TimeSpanTests {
    @Test(
        "are read with their unit",
        arguments: [("90s", 90_000), ("15m", 900_000), ("26h", 93_600_000), ("7d", 604_800_000)] as [(String, Int64)])
    func reading(text: String, milliseconds: Int64) {
        #expect(TimeSpan.milliseconds(text) == milliseconds)
    }

    @Test(
        "are nothing else",
        arguments: [
            "", "5", "h", "-1h", "+1h", "1.5h", "1 h", "0s", "1w", "1H", "9223372036854775807d", "40000d", "１h",
        ])
    func refusing(text: String) {
        #expect(TimeSpan.milliseconds(text) == nil)
    }

    @Test(
        "are told in the largest unit of which there are two",
        arguments: [(0, "0 s"), (119_999, "119 s"), (120_000, "2 min"), (93_600_000, "26 h"), (172_800_000, "2 d")]
            as [(Int64, String)])
    func words(milliseconds: Int64, words: String) {
        #expect(TimeSpan.words(milliseconds: milliseconds) == words)
    }
}
