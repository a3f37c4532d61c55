import Digests
import DurableIO
import Foundation
import Reports
import Synchronization
import SystemPackage
import TestSupport
import Testing

@testable import Reports

/// Drop rooms that change while owners come and go, and many of them.
@Suite("Hostile rooms")
struct HostileRoomTests {
    /// Renames a pair away as an owner does that dies then.
    private func take(_ harness: SpoolHarness) throws {
        let zone = DropZone(spool: harness.spool)
        guard case .taken = try zone.take(try #require(try zone.drops().first { $0.name == "core" })) else {
            Issue.record("not taken")
            return
        }
    }

    static let pair = DroppedPair(path: "shop@2.1/core", payload: "in a room", site: "berlin")

    @Test("what was taken out of a room that is gone then, or is another directory, keeps its annotations")
    func goneRoom() async throws {
        for isReplaced in [false, true] {
            try await withSpool { harness in
                try harness.makeRoom(DroppedPair.room)
                try harness.drop(Self.pair)
                try take(harness)
                try FileManager.default.removeItem(atPath: "\(harness.path)/incoming/\(DroppedPair.room)")
                if isReplaced { symlink("/", "\(harness.path)/incoming/\(DroppedPair.room)") }
                #expect(try await harness.submit().delivered == 1)
                #expect(try harness.annotations(of: Self.pair.payload) == Self.pair.annotations)
                #expect(try harness.entries("taken") == [])
            }
        }
    }

    @Test("the sidecar of a payload that is gone with its room goes, too, when its owner has died over it")
    func loneSidecarOfGoneRoom() async throws {
        try await withSpool { harness in
            let name = TakenName(for: "core", from: DropRoom("shop@2.1"), isHidden: false, hasSidecar: true)
            try Data("site=old\n".utf8)
                .write(to: URL(fileURLWithPath: "\(harness.path)/taken/\(name.entry).annotations"))
            _ = try await harness.submit()
            #expect(try harness.entries("taken") == [])
            try harness.makeRoom(DroppedPair.room)
            try harness.drop(Self.pair.later)
            try await harness.submit()
            #expect(try harness.annotations(of: Self.pair.later.payload) == DroppedPair.roomAnnotations)
        }
    }

    @Test("a directory in the place of a hidden sidecar does not keep a payload that came in from being unlinked")
    func directoryAsHiddenSidecar() async throws {
        let files = FaultingFileSystem { _ throws(FileSystemError) in }
        files.keepIncomingApart()
        try await withSpool(files: files) { harness in
            try harness.makeRoom(DroppedPair.room)
            try harness.drop(Self.pair)
            try take(harness)
            let room = "\(harness.path)/incoming/\(DroppedPair.room)"
            let names = try harness.entries("incoming/\(DroppedPair.room)")
            let sidecar = try #require(names.first { $0.hasSuffix(Sidecar.suffix) })
            try FileManager.default.removeItem(atPath: "\(room)/\(sidecar)")
            mkdir("\(room)/\(sidecar)", 0o700)
            #expect(try await harness.submit().delivered == 1)
            #expect(try harness.entries("incoming/\(DroppedPair.room)") == [sidecar])
        }
    }

    @Test(
        "a sidecar of a dead owner goes with the payload that came after it, if another one has its name by now",
        arguments: [false, true])
    func nameInUse(isPayloadReplaced: Bool) async throws {
        try await withSpool { harness in
            try harness.drop(DroppedPair(path: "core", payload: "first", site: "first"))
            let name = TakenName(for: "core", isHidden: false, hasSidecar: true)
            let incoming = "\(harness.path)/incoming"
            rename("\(incoming)/core.annotations", "\(harness.path)/taken/\(name.entry).annotations")
            // The times of change have to differ on a file system with a coarse clock.
            let payload = try #require(try DropZone(spool: harness.spool).drops().first?.facts)
            repeat {
                try harness.drop("core.annotations", "site=second\n")
            } while try #require(
                try harness.spool.files.metadata(of: "core.annotations", in: harness.spool.incoming)
            ).changed <= payload.changed
            if isPayloadReplaced {
                try harness.drop(".draft", "second")
                rename("\(incoming)/.draft", "\(incoming)/core")
            }
            try await harness.submit()
            let arrived = isPayloadReplaced ? "second" : "first"
            #expect(try harness.annotations(of: arrived) == ["site": arrived])
            #expect(harness.sent == [ContentHash.of(arrived).hex])
            #expect(try harness.entries("taken") == [])
            #expect(try harness.entries("incoming") == (isPayloadReplaced ? [] : ["core.annotations"]))
        }
    }

    @Test(
        "a room on another file system that becomes another user's keeps its drops until it is ours again",
        .enabled(if: geteuid() == 0))
    func foreignRoom() async throws {
        let files = FaultingFileSystem { _ throws(FileSystemError) in }
        files.keepIncomingApart()
        try await withSpool(files: files) { harness in
            let room = "\(harness.path)/incoming/\(DroppedPair.room)"
            try harness.makeRoom(DroppedPair.room)
            try harness.drop(Self.pair)
            try take(harness)
            chown(room, 12_345, 12_345)
            #expect(try await harness.submit().delivered == 0)
            #expect(try harness.entries("incoming/\(DroppedPair.room)").count == 2)
            chown(room, 0, 0)
            #expect(try await harness.submit().delivered == 1)
            #expect(try harness.annotations(of: Self.pair.payload) == Self.pair.annotations)
            #expect(try harness.drops() == [DroppedPair.room])
        }
    }

    /// The calls between which a room changes.
    enum Moment: CaseIterable, Sendable {
        case listing, opening, renaming
    }

    @Test(
        "a room that becomes a link or another user's at any moment keeps no other drop from coming in",
        arguments: Moment.allCases, [false, true])
    func changingRoom(moment: Moment, isLink: Bool) async throws {
        let path = Mutex<String?>(nil)
        let files = FaultingFileSystem { call throws(FileSystemError) in
            let isMoment =
                switch moment {
                case .listing: call.operation == .list && call.room == DroppedPair.room
                case .opening: call.operation == .open && call.name == "core"
                case .renaming: call.operation == .rename && call.name == HostilePairTests.sidecar
                }
            guard isMoment,
                let path = path.withLock({ path in
                    defer { path = nil }
                    return path
                })
            else { return }
            if isLink {
                rename(path, path + ".old")
                symlink("/etc", path)
            } else {
                chown(path, 12_345, 12_345)
            }
        }
        try await withSpool(files: files) { harness in
            for room in [DroppedPair.room, "zoo"] { try harness.makeRoom(room) }
            try harness.drop(Self.pair)
            try harness.drop("zoo/other", "in another room")
            try harness.drop("beside", "beside")
            path.withLock { $0 = "\(harness.path)/incoming/\(DroppedPair.room)" }
            _ = try await harness.clock.racing { try await harness.submit() }
            #expect(path.withLock { $0 } == nil)
            #expect(try harness.state(.of("beside")) == .delivered)
            #expect(try harness.annotations(of: "in another room") == ["service": "zoo"])
            // With its annotations, or not yet.
            if try harness.record(.of(Self.pair.payload)) != nil {
                #expect(try harness.annotations(of: Self.pair.payload)["site"] == "berlin")
            }
            #expect(harness.sent.count == Set(harness.sent).count)
        }
    }

    @Test("a thousand rooms and five thousand drops in one of them come in", .timeLimit(.minutes(2)))
    func many() async throws {
        try await withMemoryDirectory { directory in
            let harness = try SpoolHarness(directory + "/spool")
            try whileNothingStarts {
                for number in 0..<1_000 {
                    try harness.makeRoom("room-\(number)@1")
                    try Data("of \(number)".utf8)
                        .write(to: URL(fileURLWithPath: "\(harness.path)/incoming/room-\(number)@1/core"))
                }
                for number in 0..<5_000 {
                    try Data("drop \(number)".utf8)
                        .write(to: URL(fileURLWithPath: "\(harness.path)/incoming/room-500@1/drop-\(number)"))
                }
            }
            let summary = try await harness.takeIn()
            #expect(summary.skipped == 0)
            #expect(try harness.annotations(of: "of 999") == ["service": "room-999", "version": "1"])
            #expect(try harness.annotations(of: "drop 4999") == ["service": "room-500", "version": "1"])
            #expect(try harness.drops().count == 1_000)
            #expect(try harness.entries("taken") == [])
        }
    }
}
