import Diagnosis
import Foundation
import Reports
import TestSupport
import Testing

/// Three destinations of one spool, two of which are dead: one hangs, one answers 503 for ever.
///
/// With `REPORTS_JUDGES=1` there are 1,000 reports for each, and the third destination gets its own within 20 % of the
/// time that it takes when nothing is sent to the others. The short form allows for a busy machine.
@Suite("A destination beside dead ones", .timeLimit(.minutes(20)))
struct LaneIsolationTests {
    private static let isLong = ProcessInfo.processInfo.environment["REPORTS_JUDGES"] == "1"
    private static let count = isLong ? 1_000 : 100
    /// Names of destinations, and of the drop rooms that lead there.
    private static let (well, hanging, refusing) = ("well", "hanging", "refusing")

    /// What becomes of the reports for the two others.
    private enum Others {
        /// They are kept: the same work for the disk, and nothing to send.
        case held
        case sent
    }

    @Test("it gets its reports as if it were alone")
    func asIfAlone() async throws {
        var (alone, beside): ([Double], [Double]) = ([], [])
        for _ in 0..<(Self.isLong ? 3 : 1) {
            alone.append(try await seconds(others: .held))
            beside.append(try await seconds(others: .sent))
        }
        let (one, other) = (alone.min() ?? 0, beside.min() ?? 0)
        let words: Comment = "\(Self.count) reports each: alone \(alone) s, beside dead ones \(beside) s"
        if Self.isLong {
            print("\(words)")
            #expect(other < one * 1.2 && other > one * 0.8, words)
        } else {
            #expect(other < 3 * one + 5, words)
        }
    }

    /// Fills a spool, and measures from the start of a run until the last report has arrived.
    ///
    /// An earlier run has taken all reports in and kept them; the one that is measured has other routes.
    private func seconds(others: Others) async throws -> Double {
        var seconds = Double.infinity
        try await withTool(server: .accepting) { tool, server in
            let (mute, busy) = (try LoopbackServer(.always(.stall)), try LoopbackServer(.always(.response(503))))
            defer {
                mute.stop()
                busy.stop()
            }
            for name in [Self.hanging, Self.refusing, Self.well] { try fill(name, tool) }
            let servers = [(Self.well, server), (Self.hanging, mute), (Self.refusing, busy)]
            try write(Self.settings(servers, held: [Self.well, Self.hanging, Self.refusing]), tool)
            #expect(try await tool.run("submit").status == 0)
            try write(Self.settings(servers, held: others == .held ? [Self.hanging, Self.refusing] : []), tool)

            let start = ContinuousClock.now
            let submit = try tool.start("submit", "--json")
            await server.waitForRequests(count: Self.count)
            seconds = (ContinuousClock.now - start) / .seconds(1)
            if others == .sent {
                await mute.waitForConnections(count: 1)
                await busy.waitForRequests(count: 1)
                // The last answers are on their way to the ledger.
                try await poll { try await tool.objects("list", "--state", "delivered").count == Self.count }
                submit.send(SIGTERM)
            }
            let end = await submit.end()
            #expect(end.status == (others == .sent ? 143 : 0), "\(end.output)\(end.errors)")
            try await expectOutcome(tool, others, requests: [mute.connectionCount, busy.requests.count])
            #expect(Set(Deliveries.ids(server)).count == Self.count)
        }
        return seconds
    }

    /// The drops of a room have an annotation with its name, which routes can ask for.
    private func fill(_ name: String, _ tool: ReportsTool) throws {
        try FileManager.default.createDirectory(
            atPath: "\(tool.spool)/incoming/\(name)", withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700])
        for number in 0..<Self.count { try tool.drop("report \(number) for \(name)", as: "\(name)/\(number).log") }
    }

    private func write(_ settings: JSONValue, _ tool: ReportsTool) throws {
        try Data(settings.description.utf8).write(to: URL(fileURLWithPath: tool.spool + "/reports.json"))
    }

    private static func settings(_ servers: [(name: String, server: LoopbackServer)], held: [String]) -> JSONValue {
        var destinations = JSONObject()
        var routes: [JSONValue] = []
        for (name, server) in servers {
            destinations[name] = ["endpoint": .string(server.url("/{id}"))]
            let isKept = held.contains(name)
            var route: JSONObject = ["annotations": ["service": .string(name)]]
            route[isKept ? "hold" : "to"] = isKept ? true : .string(name)
            routes.append(.object(route))
        }
        return ["destinations": .object(destinations), "routes": .array(routes)]
    }

    private func expectOutcome(_ tool: ReportsTool, _ others: Others, requests: [Int]) async throws {
        let reports = try await tool.objects("list")
        #expect(reports.count == 3 * Self.count)
        let delivered = reports.filter { $0["state"] == "delivered" }
        #expect(delivered.count == Self.count)
        #expect(delivered.allSatisfy { $0["destination"]?.stringValue == Self.well })
        switch others {
        case .held:
            #expect(requests == [0, 0])
            #expect(reports.filter { $0["reason"] == "route" }.count == 2 * Self.count)
        case .sent: #expect(requests.allSatisfy { $0 > 0 }, "\(requests)")
        }
    }
}
