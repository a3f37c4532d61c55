import Background
import Digests
import DurableIO
import Foundation
import Reports
import Synchronization
import TestSupport
import Testing

@Suite("Enrolment")
struct EnrolmentTests {
    @Test("a new report gets a row and a place in queued/")
    func new() async throws {
        try await withSpool { harness in
            let id = try harness.add("one")
            let summary = try await harness.takeIn()
            #expect(summary.duplicates == 0)
            #expect(try harness.state(id) == .queued)
            #expect(try harness.rooms(of: id) == ["queued"])
            #expect(try harness.entries("collected") == [])
        }
    }

    @Test("the same bytes again are counted, and the copy goes", arguments: TransferState.allCases, [false, true])
    func known(state: TransferState, asDrop: Bool) async throws {
        try await withSpool { harness in
            let id = try await harness.make(state)
            let isCounted = state != .evicted && state != .removed
            if state == .sending { try await harness.crash() }
            if asDrop { try harness.drop("again", "one") } else { try harness.add("one") }
            let summary = try await harness.takeIn()
            let record = try #require(try harness.record(id))
            #expect(record.seen == 2)
            #expect(summary.duplicates == (isCounted ? 1 : 0))
            // What an earlier life was sending is given back.
            let expected: TransferState = isCounted ? (state == .sending ? .waiting : state) : .queued
            #expect(record.state == expected)
            let room = state == .delivered ? [] : [expected.isParked ? "parked" : "queued"]
            #expect(try harness.rooms(of: id) == room)
            for room in ["collected", "incoming", "taken", "tmp"] { #expect(try harness.entries(room) == []) }
            #expect(try harness.findings() == [])
        }
    }

    static let withBytes: [TransferState] = [.queued, .sending, .waiting, .held, .rejected, .exhausted]

    @Test("bytes that were lost or damaged come again: revived as new", arguments: withBytes, [false, true])
    func revived(state: TransferState, isDamaged: Bool) async throws {
        try await withSpool { harness in
            let id = try await harness.make(state)
            let room = state.isParked ? "parked" : "queued"
            if isDamaged { try harness.damage(id, in: room) } else { try harness.remove(id, in: room) }
            try harness.add("one")
            let summary = try await harness.takeIn()
            #expect(summary.duplicates == 0)
            let record = try #require(try harness.record(id))
            #expect(record.state == .queued)
            #expect(record.charged == 0)
            #expect(record.settledAt == nil)
            #expect(try harness.rooms(of: id) == ["queued"])
            #expect(try harness.findings() == [])
            // Its gate may be closed by what made the state; an explicit submit probes.
            #expect(try await harness.submit().delivered == 1)
        }
    }

    @Test("twins in one group are one report")
    func twins() async throws {
        try await withSpool { harness in
            try harness.drop("a", "same")
            try harness.drop("b", "same")
            let id = try harness.add("same")
            let summary = try await harness.submit()
            #expect(summary.delivered == 1)
            #expect(summary.duplicates == 2)
            #expect(try harness.record(id)?.seen == 3)
            #expect(harness.sent == [id.hex])
        }
    }

    @Test("a drop is unlinked only after its row is durable")
    func dropOutlivesTheRow() async throws {
        let seen = Mutex<[TransferState?]>([])
        let holder = Mutex<SpoolHarness?>(nil)
        let files = FaultingFileSystem { call throws(FileSystemError) in
            guard call.operation == .remove, call.room == "taken", let harness = holder.withLock({ $0 }) else { return }
            let id = ContentHash.of("one")
            let state = try? harness.state(id)
            seen.withLock { $0.append(state) }
        }
        try await withSpool(files: files) { harness in
            holder.withLock { $0 = harness }
            try harness.drop("drop", "one")
            try await harness.takeIn()
            #expect(seen.withLock { $0 } == [.queued])
            holder.withLock { $0 = nil }
        }
    }

    @Test("a report between its file and its row is found after a crash, even in a life that began with nothing to do")
    func crashBetweenFileAndRow() async throws {
        // Dies at the move's sync: the entry lies in queued/ and no row knows it.
        let isArmed = Mutex(false)
        let files = FaultingFileSystem { call throws(FileSystemError) in
            guard isArmed.withLock({ $0 }), call.operation == .sync, call.room == "queued" else { return }
            throw FileSystemError(.sync, "queued", .ioError)
        }
        try await withSpool(files: files) { harness in
            try await harness.make(.delivered, text: "earlier")
            let id = try harness.add("one")
            isArmed.withLock { $0 = true }
            #expect(try await harness.takeIn().waiting == 1)
            isArmed.withLock { $0 = false }
            #expect(try harness.record(id) == nil)
            #expect(try harness.rooms(of: id) == ["queued"])
            #expect(try await harness.submit().delivered == 1)
        }
    }

    @Test("a file that cannot be released is released by the next owner, though this one ends in order")
    func unreleasedFile() async throws {
        let isArmed = Mutex(false)
        let files = FaultingFileSystem { call throws(FileSystemError) in
            guard isArmed.withLock({ $0 }), call.operation == .remove, call.room == "queued",
                call.name?.hasSuffix(".gz") == true, call.name == StoredReport.name(of: .of("one"))
            else { return }
            throw FileSystemError(.remove, "queued", .ioError)
        }
        try await withSpool(files: files) { harness in
            let id = try harness.add("one")
            try await harness.takeIn()
            isArmed.withLock { $0 = true }
            #expect(try await harness.submit().delivered == 1)
            #expect(try harness.rooms(of: id) == ["queued"])
            isArmed.withLock { $0 = false }
            try await harness.submit()
            #expect(try harness.rooms(of: id) == [])
            #expect(harness.sent == [id.hex])
        }
    }
}

extension ContentHash {
    static func of(_ text: String) -> ContentHash {
        var hasher = Hasher()
        hasher.update(Array(text.utf8))
        return hasher.finish()
    }
}
