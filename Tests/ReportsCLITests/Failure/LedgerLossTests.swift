import DurableIO
import Foundation
import Reports
import TestSupport
import Testing

@Suite("A ledger that is lost or damaged")
struct LedgerLossTests {
    enum Damage: CaseIterable {
        case deleted
        case garbage
        case truncated
        case emptied
        /// In the middle: the header is whole, a page is not.
        case scribbled

        func harm(_ tool: ReportsTool) throws {
            let path = tool.spool + "/ledger.sqlite"
            let url = URL(fileURLWithPath: path)
            switch self {
            case .deleted:
                for name in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + name) }
            case .garbage:
                try Data((0..<20_000).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ 13) }).write(to: url)
            case .truncated: try Data(contentsOf: url).prefix(5_000).write(to: url)
            case .emptied: try Data().write(to: url)
            case .scribbled:
                var data = try Data(contentsOf: url)
                let pages = 4_096..<min(data.count, 24_576)
                data.replaceSubrange(pages, with: Data(repeating: 0x5a, count: pages.count))
                try data.write(to: url)
            }
        }
    }

    @Test("the next run rebuilds it, says so, and delivers what it should", arguments: Damage.allCases)
    func nextRunRebuildsSaysSoAndDelivers(_ damage: Damage) async throws {
        let isWell = Monitor(false)
        let script = ServerScript { request in
            if isWell.value { return .response(201) }
            switch request.headers["Report-Annotations"] {
            case "fate=\"parked\"": return .response(400)
            case "fate=\"held\"": return .response(403)
            default: return .response(503, headers: [("Retry-After", "3600")])
            }
        }
        try await withTool(server: script) { tool, server in
            var ids: [String: String] = [:]
            for fate in ["parked", "held", "waiting"] {
                ids[fate] = try await tool.add("to be \(fate)", "--annotate", "fate=\(fate)")
                _ = try await tool.submit(to: server)
                #expect(try await tool.state(of: try #require(ids[fate])) == (fate == "parked" ? "rejected" : fate))
            }
            try damage.harm(tool)
            isWell.withLock { $0 = true }

            let listed = try await tool.run("list", "--json")
            #expect(listed.status == 0, "\(listed.errors)")
            #expect(try listed.objects.count == 3)
            #expect(listed.errors.contains("ledger"))
            let id = try #require(ids["parked"])
            #expect(try await tool.run("cat", id).output == "to be parked")

            let before = server.requests.count
            let result = try await tool.submit(to: server)
            #expect(result.errors.contains("ledger") && result.errors.contains("rebuilt"), "\(result.errors)")
            #expect(result.status == 0, "\(result.output)\(result.errors)")
            let wanted = Set([ids["held"], ids["waiting"]].compactMap(\.self))
            #expect(Set(Deliveries.ids(server).dropFirst(before)) == wanted)
            #expect(try await tool.state(of: id) == "rejected")
            #expect(tool.names(in: "parked") == ["\(id).gz"])
            #expect(tool.names(in: "queued").isEmpty)

            #expect(try await tool.run("retry", id).status == 0)
            #expect(try await tool.summary(to: server).count("delivered") == 1)
            #expect(try await tool.run("doctor").output == ReportsTool.wellWords)
            // Never wiped: what could not be read is set aside.
            let isKept = tool.names(in: ".").contains { $0.hasPrefix("ledger.sqlite.corrupt-") }
            #expect(isKept == (damage != .deleted && damage != .emptied))
        }
    }

    @Test("after a loss a delivered report whose bytes are dropped again is sent again, under the same key")
    func deliveredReportIsSentAgainUnderTheSameKey() async throws {
        try await withTool(server: .accepting) { tool, server in
            let id = try await tool.add("twice at least once")
            _ = try await tool.submit(to: server)
            try Damage.deleted.harm(tool)
            try await tool.add("twice at least once")
            _ = try await tool.submit(to: server)
            #expect(Deliveries.ids(server) == [id, id])
        }
    }

    @Test("a report whose bytes were damaged is not sent under its id, and doctor says so")
    func damagedBytesAreNotSent() async throws {
        try await withTool(server: .accepting) { tool, server in
            let nobody = try RefusingPort()
            let id = try await tool.add("these bytes will rot; " + String(repeating: "x", count: 500))
            _ = try await tool.run("submit", "--endpoint", nobody.url())
            let url = URL(fileURLWithPath: tool.spool + "/queued/\(id).gz")
            var data = try Data(contentsOf: url)
            data[data.count - 12] ^= 0xff
            try data.write(to: url)

            let doctor = try await tool.run("doctor", "--json")
            #expect(doctor.status == 65)
            #expect(try doctor.objects.contains { $0["level"]?.stringValue == "error" })
            #expect(try await tool.run("cat", id).status == 65)
            #expect(try await tool.submit(to: server, "--wait", "15").status == 65)
            #expect(server.requests.isEmpty)
            #expect(try await tool.state(of: id) == "rejected")
            // The same bytes dropped again mend it.
            try await tool.add("these bytes will rot; " + String(repeating: "x", count: 500))
            #expect(try await tool.summary(to: server).count("delivered") == 1)
        }
    }
}
