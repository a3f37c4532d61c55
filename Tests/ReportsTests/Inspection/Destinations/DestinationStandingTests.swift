import Background
import Diagnosis
import DurableIO
import TestSupport
import Testing

@testable import Reports

/// What readers tell of each destination, from real ledgers.
@Suite("Destination by destination", .timeLimit(.minutes(2)))
struct DestinationStandingTests {
    private static let hour: Int64 = 3_600_000

    private static let logsApart = Reports.Route.to("archive", kinds: [.log])

    /// A spool whose destination `archive` fails, while `main` is well.
    private func withOneDown(
        _ body: (SpoolHarness, _ stuck: ContentHash, _ sent: ContentHash) async throws -> Void
    ) async throws {
        try await withSpool { harness in
            let stuck = try harness.add("for the archive", kind: .log)
            harness.clock.advance(by: 1_000)
            let sent = try harness.add("for main")
            harness.transport.answer { request in
                request.request.endpoint.host == "archive.example" ? .status(500) : .status(200)
            }
            try await harness.submit(to: "main", "archive", routes: [Self.logsApart])
            try await body(harness, stuck, sent)
        }
    }

    private func count(_ state: TransferState, of one: DestinationStanding?) -> Int? {
        one?.states.first { $0.name == state.rawValue }?.count.count
    }

    @Test("status tells the counts, the server, its gate, the oldest and the next report of each")
    func status() async throws {
        try await withOneDown { harness, _, _ in
            let since = harness.clock.wallMilliseconds - 1_000
            let found = try harness.destinations()
            #expect(found.map(\.name) == ["archive", "main"])
            #expect(found.map(\.origin) == ["http://archive.example:80", "http://main.example:80"])
            #expect(found.map(\.isOpen) == [false, true])
            #expect(found.map { $0.gate?.reason } == ["backing off", nil])
            #expect(found.map(\.oldestUndeliveredAt) == [since, nil])
            #expect(found.map { $0.nextAttemptAt.map { $0 > since } } == [true, nil])
            #expect(found.map { count(.waiting, of: $0) } == [1, 0])
            #expect(found.map { count(.delivered, of: $0) } == [0, 1])
            #expect(found.map(\.isInSettings) == [nil, nil])
        }
    }

    @Test("its JSON has a member for each of these")
    func json() async throws {
        try await withOneDown { harness, _, _ in
            let found = try harness.destinations(named: ["main", "new"]).map(\.json)
            #expect(found.map { $0["destination"]?.stringValue } == ["main", "new", "archive"])
            #expect(found.map { $0["in_settings"] } == [.bool(true), .bool(true), .bool(false)])
            #expect(found.map { $0["open"] } == [.bool(true), .null, .bool(false)])
            #expect(found.map { $0["origin"]?.stringValue?.contains("example:80") } == [true, nil, true])
            #expect(found[2]["states"]?["waiting"]?["count"]?.integerValue == 1)
            #expect(found[2]["reason"]?.stringValue == "backing off")
            #expect(found[2]["oldest_undelivered_at"]?.stringValue != nil)
            #expect(found[2]["next_attempt_at"]?.stringValue != nil)
            #expect(found[0]["held_by_route"]?.integerValue == 0)
        }
    }

    @Test("reports with requests of their own stand under their server, without a name")
    func ownRequests() async throws {
        try await withSpool { harness in
            let id = try harness.add("one")
            try await harness.takeIn()
            try tamper(
                with: harness.path + "/ledger.sqlite",
                "UPDATE transfer SET lane='@http://own.example:80', method='PUT', url='http://own.example/1';")
            let found = try #require(try harness.destinations(named: ["main"]).last)
            #expect((found.name, found.origin, found.isInSettings) == (nil, "http://own.example:80", nil))
            #expect(count(.queued, of: found) == 1)
            let view = try SpoolInspector(spool: harness.spool).report(id.hex)
            #expect((view.destination, view.request?.url) == (nil, "http://own.example/1"))
        }
    }

    @Test("a report says its destination in every state, and a drop and an entry have none")
    func views() async throws {
        try await withOneDown { harness, stuck, sent in
            let inspector = try SpoolInspector(spool: harness.spool)
            #expect(try inspector.report(stuck.hex).json["destination"] == .string("archive"))
            #expect(try inspector.report(sent.hex).json["destination"] == .string("main"))
            #expect(try inspector.gate(ofReport: stuck.hex)?.name == "http://archive.example:80")
            #expect(try inspector.gate(ofReport: sent.hex)?.isOpen == true)
            let entry = try harness.add("entry")
            try harness.drop("drop", "drop")
            #expect(try harness.list().map(\.destination) == [nil, nil, "main", "archive"])
            let members = try inspector.report(entry.hex).json.members.map(\.key)
            #expect(members.drop { $0 != "occurred_at" }.prefix(2) == ["occurred_at", "destination"])
            #expect(try inspector.gate(ofReport: entry.hex) == nil)
        }
    }

    @Test("a listing of one destination has its reports alone, in every state and as groups")
    func selection() async throws {
        try await withOneDown { harness, stuck, sent in
            try harness.drop("drop", "drop")
            try harness.add("entry")
            func ids(_ selection: SpoolInspector.Selection) throws -> [String?] {
                try harness.list(selection).map(\.id)
            }
            #expect(try ids(.init(destination: "archive")) == [stuck.hex])
            #expect(try ids(.init(destination: "main")) == [sent.hex])
            #expect(try ids(.init(states: ["delivered"], destination: "archive")) == [])
            #expect(try ids(.init(destination: "archive", isUndelivered: true)) == [stuck.hex])
            #expect(try ids(.init(destination: "nobody")) == [])
            #expect(try harness.groups(.init(destination: "archive")).map(\.count) == [1])
            let crashes = try #require(try harness.groups(.init(kind: "crash")).first)
            #expect((crashes.count, crashes.destinations) == (2, ["main"]))
            #expect(crashes.json["destinations"] == .array([.string("main")]))
            #expect(try SpoolInspector(spool: harness.spool).destinationNames() == ["archive", "main"])
            #expect(try harness.groups().map(\.count).reduce(0, +) == 4)
        }
    }

    // MARK: - Held by a route

    @Test("what a route holds is counted apart, has no destination, and is neither late nor waiting for a server")
    func heldByRoute() async throws {
        try await withOneDown { harness, _, _ in
            let held = try harness.add("a hang", kind: .hang)
            try await harness.submit(to: "main", "archive", routes: [Self.logsApart, .hold(kinds: [.hang])])
            #expect(try SpoolInspector(spool: harness.spool).report(held.hex).destination == nil)
            let status = try SpoolInspector(spool: harness.spool).status()
            #expect(status.heldByRouteCount == 1)
            #expect(status.destinations.map(\.name) == ["archive", "main", nil])
            #expect(status.destinations.map(\.origin?.isEmpty) == [false, false, nil])
            #expect(status.destinations.map(\.heldByRouteCount) == [0, 0, 1])
            #expect(status.json(spool: "/s")["held_by_route"]?.integerValue == 1)
            #expect(status.destinations.map { $0.oldestUndeliveredAt == nil } == [false, true, true])
            let figures = try SpoolInspector(spool: harness.spool).figures(evictedWithin: nil)
            #expect((figures.heldByRouteCount, figures.undeliveredCount) == (1, 1))
            #expect(figures.gates.map(\.waitingCount) == [1, 0])
        }
    }

    @Test("a spool in which a route holds all reports is no problem, however old they are")
    func onlyHeldByRoute() async throws {
        try await withSpool { harness in
            let id = try harness.add("a log")
            let summary = try await harness.submit(to: "main", routes: [.hold()])
            #expect((summary.held, summary.heldByRoute, summary.waiting) == (1, 1, 0))
            harness.clock.advance(by: 1_000 * Self.hour)
            let figures = try SpoolInspector(spool: harness.spool).figures(evictedWithin: nil)
            #expect(figures.oldest == nil)
            let check = SpoolCheck(figures)
            #expect(check.level == .ok)
            #expect(check.line.hasPrefix("REPORTS OK - nothing waits | undelivered=0;;;0 undelivered_age=0s;"))
            #expect(check.line.contains(" held=1;;;0 "))
            #expect(check.json["held_by_route"]?.integerValue == 1)
            let words = try SpoolInspector(spool: harness.spool).report(id.hex).holdAdvice
            #expect(words?.hasPrefix("no route sends it: change the routes, and the next submit asks them;") == true)
        }
    }

    @Test("reports that no run has sent anywhere yet are late all the same")
    func undecided() async throws {
        try await withOneDown { harness, _, _ in
            harness.clock.advance(by: -Self.hour)
            try harness.add("undecided")
            try await harness.takeIn()
            harness.clock.advance(by: 30 * Self.hour)
            let check = SpoolCheck(try SpoolInspector(spool: harness.spool).figures(evictedWithin: nil))
            #expect(check.problems.map(\.destination) == [nil, "archive"])
            #expect(check.problems.first?.message.hasPrefix("undelivered for 30 h (the oldest of 2 reports): ") == true)
        }
    }

    // MARK: - Monitoring

    @Test("a destination that is down while another is well is late by name, and the other is not")
    func late() async throws {
        try await withOneDown { harness, _, _ in
            harness.clock.advance(by: 26 * Self.hour)
            let check = SpoolCheck(try SpoolInspector(spool: harness.spool).figures(evictedWithin: nil))
            let words = "undelivered for 26 h at archive: http://archive.example:80: the server answered 500"
            let line = "REPORTS CRITICAL - \(words); 'reports status' shows more | "
            #expect(check.line.hasPrefix(line), "\(check.line)")
            #expect(check.problems.map(\.destination) == ["archive"])
        }
    }

    @Test("metrics have the gate, the oldest and the next report of each destination")
    func metrics() async throws {
        try await withOneDown { harness, _, _ in
            let figures = try SpoolInspector(spool: harness.spool).figures(evictedWithin: nil)
            let text = SpoolMetrics(figures, spool: "/s").text(as: .openMetrics)
            let archive = #"{spool="/s",destination="archive",origin="http://archive.example:80"}"#
            let main = #"{spool="/s",destination="main",origin="http://main.example:80"}"#
            #expect(text.contains("reports_destination_open\(archive) 0\n"))
            #expect(text.contains("reports_destination_open\(main) 1\n"))
            for name in ["oldest_undelivered", "next_attempt"] {
                let family = "reports_destination_\(name)_timestamp_seconds"
                #expect(text.contains("\(family)\(archive) ") && !text.contains("\(family)\(main) "))
            }
        }
    }

    // MARK: - Destinations that nobody names

    @Test("a report that the last run has left to others says so, and a run that has its destination takes that back")
    func leftToOthers() async throws {
        try await withOneDown { harness, stuck, _ in
            func view() throws -> ReportView { try SpoolInspector(spool: harness.spool).report(stuck.hex) }
            #expect(try !view().isLeftToOthers)
            try await harness.submit()
            #expect(try view().isLeftToOthers)
            #expect(try view().note == "no destination archive in this run")
            try await harness.submit(to: "main", "archive", routes: [Self.logsApart])
            #expect(try !view().isLeftToOthers)
        }
    }

    @Test("doctor notes reports of a destination that the settings do not name, and says what to do")
    func doctor() async throws {
        try await withOneDown { harness, _, _ in
            func notes(_ names: [String]?) throws -> [String] {
                var notes: [String] = []
                try Doctor(spool: harness.spool, namedDestinations: names).examine { finding in
                    if finding.subject.hasPrefix("destination ") {
                        notes.append("\(finding.level.rawValue) \(finding.subject): \(finding.message)")
                    }
                }
                return notes
            }
            let left = try notes(["main"])
            #expect(left.count == 1)
            let words = "note destination archive: 1 report bound for it, and the settings name no destination "
            let advice = "archive: name it in reports.json, or 'reports retry' them"
            #expect(left.first?.hasPrefix(words + advice) == true, "\(left)")
            #expect(try notes(["main", "archive"]) == [])
            // A program may name it.
            #expect(try notes(nil) == [])
            try tamper(with: harness.path + "/ledger.sqlite", "DELETE FROM lane;")
            #expect(try notes(nil).map { $0.contains("neither the settings nor an earlier run say where") } == [true])
        }
    }
}
