import Background
import DurableIO
import Foundation
import Reports
import Testing

@Suite("Reconciliation of rows and files")
struct ReconciliationTests {
    enum Place: String, CaseIterable, Sendable {
        case queued, parked, nowhere
    }

    /// One cell of the table: a row (or none), where its file lies, and what is to come of both.
    struct Cell: Sendable, CustomTestStringConvertible {
        let row: TransferState?
        let place: Place
        let state: TransferState?
        let room: Place

        var testDescription: String { "row \(row?.rawValue ?? "none"), file \(place.rawValue)" }
    }

    /// What comes of a row, and where its file lies then.
    struct Fate: Sendable {
        let state: TransferState?
        let room: Place

        init(_ state: TransferState?, _ room: Place) {
            self.state = state
            self.room = room
        }
    }

    /// The design's table: for each row what comes of it with its file in `queued/`, in `parked/`, nowhere.
    static let table: [(row: TransferState?, fates: [Fate])] = [
        (nil, [Fate(.queued, .queued), Fate(.rejected, .parked), Fate(nil, .nowhere)]),
        (.queued, [Fate(.queued, .queued), Fate(.queued, .queued), Fate(.removed, .nowhere)]),
        (.waiting, [Fate(.waiting, .queued), Fate(.waiting, .queued), Fate(.removed, .nowhere)]),
        (.held, [Fate(.held, .queued), Fate(.held, .queued), Fate(.removed, .nowhere)]),
        (.sending, [Fate(.waiting, .queued), Fate(.waiting, .queued), Fate(.removed, .nowhere)]),
        (.rejected, [Fate(.rejected, .parked), Fate(.rejected, .parked), Fate(.rejected, .nowhere)]),
        (.exhausted, [Fate(.exhausted, .parked), Fate(.exhausted, .parked), Fate(.exhausted, .nowhere)]),
        (.delivered, [Fate(.delivered, .nowhere), Fate(.delivered, .nowhere), Fate(.delivered, .nowhere)]),
        (.evicted, [Fate(.evicted, .nowhere), Fate(.evicted, .nowhere), Fate(.evicted, .nowhere)]),
        (.removed, [Fate(.removed, .nowhere), Fate(.removed, .nowhere), Fate(.removed, .nowhere)]),
    ]

    static let cells: [Cell] = table.flatMap { line in
        zip(Place.allCases, line.fates).map { place, fate in
            Cell(row: line.row, place: place, state: fate.state, room: fate.room)
        }
    }

    @Test("every cell of the table, and a second run changes nothing", arguments: cells)
    func cell(_ cell: Cell) async throws {
        try await withSpool { harness in
            let id = try await arrange(cell, harness)
            try await harness.reconcile()
            try await check(cell, id, harness)

            let before = try harness.record(id)
            try await harness.crash()
            #expect(try await harness.reconcile() == [])
            try await check(cell, id, harness)
            #expect(try harness.record(id).map { "\($0)" } == before.map { "\($0)" })
        }
    }

    private func arrange(_ cell: Cell, _ harness: SpoolHarness) async throws -> ContentHash {
        let id = try await harness.make(cell.row ?? .queued)
        // Some states keep no bytes; a second spool has them, too.
        let other = try SpoolHarness("\(harness.path)-other", clock: harness.clock)
        try await other.make(.queued)
        for room in try harness.rooms(of: id) { try harness.remove(id, in: room) }
        if cell.place != .nowhere {
            try FileManager.default.copyItem(
                at: other.file(id, in: "queued"), to: harness.file(id, in: cell.place.rawValue))
        }
        try await harness.crash()
        if cell.row == nil { try harness.loseLedger() }
        return id
    }

    private func check(_ cell: Cell, _ id: ContentHash, _ harness: SpoolHarness) async throws {
        let record = try harness.record(id)
        #expect(record?.state == cell.state)
        #expect(try harness.rooms(of: id) == (cell.room == .nowhere ? [] : [cell.room.rawValue]))
        switch (cell.row, cell.place) {
        case (nil, .parked): #expect(record?.reason == .ended(.rebuilt))
        case (.queued, .nowhere), (.waiting, .nowhere), (.held, .nowhere), (.sending, .nowhere),
            (.rejected, .nowhere), (.exhausted, .nowhere):
            #expect(record?.reason == .ended(.bytesMissing))
        case (nil, .queued), (.sending, .queued), (.sending, .parked):
            let now = try await harness.now()
            #expect(try #require(record?.due) <= now)
        default: break
        }
    }

    @Test("what is adopted without a ledger is delivered, and what was parked stays parked")
    func adopted() async throws {
        try await withSpool { harness in
            let live = try await harness.make(.waiting, text: "live")
            let parked = try await harness.make(.rejected, text: "parked")
            try harness.loseLedger()
            let summary = try await harness.submit()
            #expect(summary.repairs == ["the ledger was missing: rebuilt from the files"])
            #expect(summary.delivered == 1)
            #expect(harness.sent.last == live.hex)
            #expect(try harness.state(parked) == .rejected)
        }
    }

    @Test("a damaged file never takes the place of a sound one", arguments: ["queued", "parked"])
    func soundBytesWin(soundRoom: String) async throws {
        try await withSpool { harness in
            let isLive = soundRoom == "queued"
            let id = try await harness.make(isLive ? .queued : .rejected)
            let otherRoom = isLive ? "parked" : "queued"
            try harness.copy(id, from: soundRoom, to: otherRoom)
            try harness.damage(id, in: otherRoom)
            try await harness.crash()
            try await harness.reconcile()
            #expect(try harness.rooms(of: id) == [soundRoom])
            #expect(try harness.findings() == [])
        }
    }

    @Test("a stranger among the files is left alone and named")
    func stranger() async throws {
        try await withSpool { harness in
            let id = try await harness.make(.queued)
            try harness.loseLedger()
            try Data("no member".utf8).write(to: harness.file(id, in: "queued"))
            let repairs = try await harness.reconcile()
            #expect(repairs.contains { $0.contains("not adopted") && $0.contains(id.hex) })
            #expect(try harness.rooms(of: id) == ["queued"])
        }
    }
}
