import Background
import DurableIO
import Foundation
import Reports
import TestSupport
import Testing

@Suite("Requests to the owner")
struct RequestTests {
    @Test("retry and remove act at once when nobody owns the spool")
    func atOnce() async throws {
        try await withSpool { harness in
            let retried = try await harness.make(.rejected, text: "retried")
            let removed = try await harness.make(.exhausted, text: "removed")
            let desk = OrderDispatch(spool: harness.spool)
            #expect(try await desk.carryOut(.retry, ids: [retried.hex]) == [retried.hex])
            #expect(try harness.state(retried)?.isLive == true)
            #expect(try harness.rooms(of: retried) == ["queued"])
            #expect(try await desk.carryOut(.remove, ids: [removed.hex]) == [removed.hex])
            #expect(try harness.state(removed) == .removed)
            #expect(try harness.rooms(of: removed) == [])
            #expect(try harness.entries("collected") == [])
            #expect(try harness.findings() == [])
        }
    }

    @Test("what was added a moment ago can be removed at once")
    func removeWhatWasJustAdded() async throws {
        try await withSpool { harness in
            let id = try harness.add("one")
            _ = try await OrderDispatch(spool: harness.spool).carryOut(.remove, ids: [id.hex])
            #expect(try await harness.submit().delivered == 0)
            #expect(try harness.state(id) == .removed)
        }
    }

    @Test("retry of all takes what is parked, held or waiting", arguments: [false, true])
    func retryAll(byFile: Bool) async throws {
        try await withSpool { harness in
            let waiting = try await harness.make(.waiting, text: "waiting")
            let rejected = try await harness.make(.rejected, text: "rejected")
            let exhausted = try await harness.make(.exhausted, text: "exhausted")
            try await harness.make(.delivered, text: "delivered")
            try await harness.carryOut(.retry, nil, byFile: byFile)
            #expect(try await harness.submit().delivered == 3)
            for id in [waiting, rejected, exhausted] { #expect(try harness.state(id) == .delivered) }
        }
    }

    @Test("beside a living owner they are filed, and the owner acts")
    func filed() async throws {
        try await withSpool { harness in
            let retried = try await harness.make(.rejected, text: "retried")
            let removed = try await harness.make(.rejected, text: "removed")
            let owner = try #require(try await harness.own())
            let desk = OrderDispatch(spool: harness.spool)
            _ = try await desk.carryOut(.retry, ids: [retried.hex])
            _ = try await desk.carryOut(.remove, ids: [removed.hex])
            #expect(try harness.state(retried) == .rejected)
            #expect(try harness.entries("collected").count == 2)
            try await owner.resign()

            #expect(try await harness.submit().delivered == 1)
            #expect(try harness.state(retried) == .delivered)
            #expect(try harness.state(removed) == .removed)
            #expect(try harness.entries("collected") == [])
        }
    }

    @Test("a request acts exactly once, even if its file comes back", arguments: [true, false])
    func exactlyOnce(ofOne: Bool) async throws {
        try await withSpool { harness in
            let id = try await harness.make(.rejected)
            let owner = try #require(try await harness.own())
            _ = try await OrderDispatch(spool: harness.spool).carryOut(.retry, ids: ofOne ? [id.hex] : nil)
            try await owner.resign()
            let name = try #require(try harness.entries("collected").first)
            let file = URL(fileURLWithPath: "\(harness.path)/collected/\(name)")
            let bytes = try Data(contentsOf: file)

            harness.transport.answer { _ in .status(404) }
            #expect(try await harness.submit().rejected == 1)
            // As after a power cut that took the unlink back.
            try bytes.write(to: file)
            #expect(try await harness.submit().rejected == 0)
            #expect(try harness.state(id) == .rejected)
            #expect(harness.sent.count == 1)
            #expect(try harness.entries("collected") == [])
        }
    }

    @Test("remove is void for a report that was seen again since")
    func voidRemove() async throws {
        try await withSpool { harness in
            let id = try await harness.make(.rejected)
            let owner = try #require(try await harness.own())
            _ = try await OrderDispatch(spool: harness.spool).carryOut(.remove, ids: [id.hex])
            try await owner.resign()
            harness.clock.advance(by: 1)
            try harness.add("one")
            try await harness.takeIn()
            #expect(try harness.state(id) == .rejected)
            #expect(try harness.rooms(of: id) == ["parked"])
            #expect(try harness.entries("collected") == [])
        }
    }

    @Test("on a report in flight it acts after the settle", arguments: [Order.Action.retry, .remove])
    func inFlight(action: Order.Action) async throws {
        try await withSpool { harness in
            let id = try harness.add("one")
            let answer = Gate()
            harness.transport.answer { sent in
                await answer.wait()
                return sent.index == 0 ? .status(404) : .status(200)
            }
            async let summary = harness.submit()
            await harness.transport.waitForSent(count: 1)
            _ = try await OrderDispatch(spool: harness.spool).carryOut(action, ids: [id.hex])
            #expect(try harness.state(id) == .sending)
            answer.open()
            #expect(try await summary.rejected == 1)
            #expect(try harness.state(id) == (action == .retry ? .delivered : .removed))
            #expect(try harness.findings() == [])
        }
    }

    @Test(
        "what is no request stays without effect", arguments: ["", "{}", #"{"action":"remove","filed_at":1,"id":"x"}"#])
    func nonsense(text: String) async throws {
        try await withSpool { harness in
            let id = try await harness.make(.rejected)
            try Data(text.utf8).write(to: URL(fileURLWithPath: "\(harness.path)/collected/nonsense.request"))
            try await harness.takeIn()
            #expect(try harness.entries("collected") == ["nonsense.request"])
            #expect(try harness.state(id) == .rejected)
        }
    }

    @Test("a retry of what has no bytes says so and changes nothing")
    func retryWithoutBytes() async throws {
        try await withSpool { harness in
            let id = try await harness.make(.rejected)
            try harness.remove(id, in: "parked")
            #expect(try await OrderDispatch(spool: harness.spool).carryOut(.retry, ids: [id.hex]) == [])
            #expect(try harness.state(id) == .rejected)
        }
    }
}

extension SpoolHarness {
    /// Asks at once, or beside an owner by a file.
    func carryOut(_ action: Order.Action, _ ids: [String]?, byFile: Bool) async throws {
        let owner = byFile ? try await own() : nil
        _ = try await OrderDispatch(spool: spool).carryOut(action, ids: ids)
        try await owner?.resign()
    }
}
