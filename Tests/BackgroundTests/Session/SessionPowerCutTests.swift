import Background
import DurableIO
import SystemPackage
import TestSupport
import Testing

/// The lives of a session in which the power goes before and after each change to the disk, and between any two commits
/// of its ledger. Each of the disks that come of it has a next life.
@Suite("Sessions and power cuts", .timeLimit(.minutes(10)))
struct SessionPowerCutTests {
    private func withLife(_ body: (SessionLife) async throws -> Void) async throws {
        try await withUploads { uploads in
            try await withTemporaryDirectory { directory in
                try await body(SessionLife(directory, uploading: uploads.file()))
            }
        }
    }

    /// Transfers are handed in, end while nobody asks, and one is asked for.
    private func play(_ life: SessionLife, isSpoilt: Bool) async throws {
        try await life.handIn(dies: isSpoilt)
        if isSpoilt { try life.spoilLedger() }
        try await life.finish()
    }

    @Test(
        "nothing enrolled is lost, what was settled is handed over and not sent again, also over a ledger set aside",
        arguments: [false, true])
    func everyPoint(isSpoilt: Bool) async throws {
        try await withLife { life in
            try await play(life, isSpoilt: isSpoilt)
            let cases = life.cases()
            #expect(life.files.changes > 10)
            #expect(cases.count > 20, "\(cases.count)")
            let losses = try await life.losses(in: cases)
            #expect(losses == [], "\(losses.count) of \(cases.count)")
        }
    }

    @Test("what a process killed at any point has made but not synced, the next one does not rely on")
    func killedFirst() async throws {
        var point = 0
        var isThrough = false
        while !isThrough {
            point += 1
            try await withLife { life in
                life.files.kill(at: point)
                let first = life.uploader()
                _ = try? await first.pendingTransfers()
                await first.shutdown()
                isThrough = !life.files.isDead
                life.files.revive()
                try await life.handIn(dies: true)
                let cases = life.cases(from: life.momentCount - 1)
                let losses = try await life.losses(in: cases)
                #expect(losses == [], "killed at change \(point)")
            }
        }
        #expect(point > 8, "\(point)")
    }

    @Test(
        "a process killed at any change while a ledger is set aside leaves all its rows to the next")
    func killedSettingAside() async throws {
        var point = 0
        var isThrough = false
        while !isThrough {
            point += 1
            try await withLife { life in
                try await life.handIn(dies: true)
                try life.spoilLedger()
                life.files.kill(at: life.files.changes + point)
                let second = life.uploader()
                _ = try? await second.pendingTransfers()
                await second.shutdown()
                isThrough = !life.files.isDead
                life.files.revive()
                let third = life.uploader()
                let found = try await third.pendingTransfers().map(\.identifier).sorted()
                #expect(found == SessionLife.names, "killed at change \(point)")
                await third.shutdown()
            }
        }
        #expect(point > 8, "\(point)")
    }

    /// A kind of sync that does nothing, and whether the ledger of that life is set aside.
    struct Omission: Sendable, CustomTestStringConvertible {
        let sync: PowerCutFileSystem.Sync
        let isSpoilt: Bool
        let testDescription: String
    }

    @Test(
        "a loss is seen without the sync of",
        arguments: [
            Omission(sync: .contents, isSpoilt: true, testDescription: "the contents of a salvaged ledger"),
            Omission(sync: .names("root"), isSpoilt: true, testDescription: "the names of a ledger set aside"),
            Omission(sync: .names(""), isSpoilt: false, testDescription: "the name of the root"),
        ])
    func omitted(omission: Omission) async throws {
        try await withLife { life in
            life.files.ignore([omission.sync])
            try await play(life, isSpoilt: omission.isSpoilt)
            #expect(life.files.syncs.contains(omission.sync))
            #expect(try await life.losses(in: life.cases(), isFirstEnough: true) != [])
        }
    }
}
