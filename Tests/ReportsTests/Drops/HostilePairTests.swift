import Digests
import DurableIO
import Foundation
import Reports
import Synchronization
import SystemPackage
import TestSupport
import Testing

@testable import Reports

/// Programs that change pairs and drop rooms while an owner is at them, and names that look like others.
@Suite("Hostile pairs and rooms")
struct HostilePairTests {
    // MARK: - Between the look and the take

    /// A change that a program makes once, just before the owner renames a file in `incoming/`.
    struct Change: Sendable, CustomTestStringConvertible {
        let testDescription: String
        /// The file that the owner is about to rename.
        let renamed: EntryName
        /// The value of the annotation `site` that the delivered payload may have; `nil` for none.
        var site: String?
        var payload = "first"
        let make: @Sendable (_ incoming: String) throws -> Void
    }

    private static func replace(_ name: String, in directory: String, by text: String) throws {
        let draft = "\(directory)/.draft"
        try whileNothingStarts { try Data(text.utf8).write(to: URL(fileURLWithPath: draft)) }
        rename(draft, "\(directory)/\(name)")
    }

    private static func remove(_ name: String, in directory: String) throws {
        try FileManager.default.removeItem(atPath: "\(directory)/\(name)")
    }

    static let sidecar: EntryName = "core.annotations"
    static let changes: [Change] = [
        Change(testDescription: "its sidecar becomes a link", renamed: sidecar) {
            try remove("core.annotations", in: $0)
            symlink("/etc/hostname", "\($0)/core.annotations")
        },
        Change(testDescription: "its sidecar becomes a FIFO", renamed: sidecar) {
            try remove("core.annotations", in: $0)
            mkfifo("\($0)/core.annotations", 0o600)
        },
        Change(testDescription: "its sidecar becomes a directory", renamed: sidecar) {
            try remove("core.annotations", in: $0)
            mkdir("\($0)/core.annotations", 0o700)
        },
        Change(testDescription: "its sidecar is gone", renamed: sidecar) {
            try remove("core.annotations", in: $0)
        },
        Change(testDescription: "its sidecar is another file", renamed: sidecar, site: "second") {
            try replace("core.annotations", in: $0, by: "site=second\n")
        },
        Change(testDescription: "another pair is there", renamed: sidecar, site: "second", payload: "second") {
            try replace("core.annotations", in: $0, by: "site=second\n")
            try replace("core", in: $0, by: "second")
        },
        Change(testDescription: "another pair comes within", renamed: "core", site: "second", payload: "second") {
            try replace("core.annotations", in: $0, by: "site=second\n")
            try replace("core", in: $0, by: "second")
        },
        Change(testDescription: "the next sidecar comes within", renamed: "core", site: "first") {
            try replace("core.annotations", in: $0, by: "site=second\n")
        },
    ]

    @Test(
        "whatever changes, the payload arrives once with the sidecar that belongs to it, and nothing is left in taken/",
        arguments: changes, [false, true])
    func changed(change: Change, isApart: Bool) async throws {
        let incoming = Mutex<String?>(nil)
        let files = FaultingFileSystem { call throws(FileSystemError) in
            guard call.operation == .rename, call.name == change.renamed else { return }
            // With `incoming/` apart, the first rename fails.
            guard
                let path = incoming.withLock({ path in
                    defer { path = nil }
                    return path
                })
            else { return }
            do { try change.make(path) } catch { throw FileSystemError(.rename, "\(error)", .ioError) }
        }
        if isApart { files.keepIncomingApart() }
        try await withSpool(files: files) { harness in
            try harness.drop(DroppedPair(path: "core", payload: "first", site: "first"))
            incoming.withLock { $0 = harness.path + "/incoming" }
            _ = try await harness.clock.racing { try await harness.submit() }
            #expect(incoming.withLock { $0 } == nil)
            #expect(harness.sent == [ContentHash.of(change.payload).hex])
            #expect(try harness.annotations(of: change.payload)["site"] == change.site)
            #expect(try harness.entries("taken") == [])
            #expect(try harness.drops().filter { $0.contains(".taken-") } == [])
            // Only the next sidecar waits for the next drop.
            _ = try? FileManager.default.removeItem(atPath: "\(harness.path)/incoming/core.annotations")
            try harness.drop("core", "later")
            try await SpoolHarness(harness.path, clock: harness.clock, files: files).submit()
            #expect(try harness.annotations(of: "later") == [:])
        }
    }

    @Test("while a program rewrites the sidecar the payload waits, also when both are taken already")
    func rewritten() async throws {
        let path = Mutex<String?>(nil)
        let writer = Mutex<Int32>(-1)
        let files = FaultingFileSystem { call throws(FileSystemError) in
            guard call.operation == .rename, call.name == Self.sidecar, let path = path.withLock({ $0 }) else { return }
            // A program that opens the file for writing waits while the owner has a lease on it. This one has to come
            // again: the owner goes on in its thread.
            writer.withLock { $0 = open(path + "/incoming/core.annotations", O_WRONLY | O_NONBLOCK | O_CLOEXEC) }
        }
        try await withSpool(files: files) { harness in
            try harness.drop(DroppedPair(path: "core", payload: "first", site: "first"))
            path.withLock { $0 = harness.path }
            harness.clock.setWall(Int64(Date().timeIntervalSince1970 * 1_000))
            let zone = DropZone(spool: harness.spool)
            #expect(state(try zone.take(try #require(try zone.drops().first))) == .young)
            let names = try harness.entries("taken").compactMap { EntryName($0) }
            let sidecar = try #require(names.first { Sidecar.isName($0) })
            let name = TakenName(inTaken: try #require(Sidecar.drop(of: sidecar)))
            var descriptor = writer.withLock { $0 }
            if descriptor < 0 { descriptor = open("\(harness.path)/taken/\(sidecar)", O_WRONLY | O_CLOEXEC) }
            ftruncate(descriptor, 0)
            #expect(state(try zone.reopen(name, in: .taken)) == .young)
            _ = Array("site=second\n".utf8).withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            #expect(state(try zone.reopen(name, in: .taken)) == .young)
            close(descriptor)
            #expect(state(try zone.reopen(name, in: .taken)) == nil)
            _ = try await harness.submit()
            #expect(try harness.annotations(of: "first") == ["site": "second"])
        }
    }

    @Test(
        "a sidecar that cannot be opened just now keeps its payload waiting",
        arguments: [Errno.tooManyOpenFiles, .noMemory])
    func passing(errno: Errno) async throws {
        let isInTrouble = Mutex(true)
        let files = FaultingFileSystem { call throws(FileSystemError) in
            guard call.operation == .open, call.name.map(Sidecar.isName) == true, isInTrouble.withLock({ $0 }) else {
                return
            }
            throw FileSystemError(.open, "a sidecar", errno)
        }
        try await withSpool(files: files) { harness in
            let pair = DroppedPair(path: "core", payload: "a payload", site: "berlin")
            try harness.drop(pair)
            let zone = DropZone(spool: harness.spool)
            _ = try? zone.take(try #require(try zone.drops().first))
            #expect(try harness.entries("incoming") == ["core", "core.annotations"])
            isInTrouble.withLock { $0 = false }
            guard case .taken = try zone.take(try #require(try zone.drops().first)) else {
                Issue.record("not taken")
                return
            }
            isInTrouble.withLock { $0 = true }
            let summary = try await harness.clock.racing { try await harness.submit() }
            #expect(summary.delivered == 0)
            isInTrouble.withLock { $0 = false }
            #expect(try await harness.submit().delivered == 1)
            #expect(try harness.annotations(of: pair.payload) == pair.annotations)
        }
    }

    private func state(_ result: consuming DropZone.TakeResult) -> DropZone.Readiness? {
        switch consume result {
        case .taken: nil
        case .notNow(let readiness): readiness
        }
    }

    // MARK: - Names

    @Test(
        "names of any length arrive with their sidecars, as far as a sidecar's name is possible",
        arguments: [96, 97, 242, 243, 244, 255], [false, true])
    func lengths(length: Int, isApart: Bool) async throws {
        let files = FaultingFileSystem { _ throws(FileSystemError) in }
        if isApart { files.keepIncomingApart() }
        let room = String(repeating: "s", count: 64) + "@" + String(repeating: "9", count: 64)
        try await withSpool(files: files) { harness in
            try harness.makeRoom(room)
            let name = String(repeating: "n", count: length)
            for place in ["", room + "/"] {
                if length <= 243 { try harness.drop("\(place)\(name).annotations", "site=\(place.count)\n") }
                try harness.drop(place + name, "payload at \(place)")
            }
            #expect(try await harness.submit().delivered == 2)
            for place in ["", room + "/"] {
                let found = try harness.annotations(of: "payload at \(place)")
                #expect(found["site"] == (length <= 243 ? "\(place.count)" : nil))
                #expect(found.count == (place.isEmpty ? 0 : 2) + (length <= 243 ? 1 : 0))
            }
            #expect(try harness.drops() == [room])
            #expect(try harness.entries("taken") == [])
        }
    }

    static let names = [
        "0123456789abcdef.x", "0123456789abcdef@a=b", "0123456789abcdef@a=b.c", "@a=b", "a=b", "core.annotations.1",
        ".taken-0123456789abcdef-x", ".taken-0123456789abcdef-a.annotations.b",
    ]

    @Test(
        "a name like those of taken drops, or with the suffix in its middle, is one as any other, with its sidecar",
        arguments: names, [false, true])
    func likeOthers(name: String, isApart: Bool) async throws {
        let files = FaultingFileSystem { _ throws(FileSystemError) in }
        if isApart { files.keepIncomingApart() }
        try await withSpool(files: files) { harness in
            try harness.makeRoom("shop")
            for place in ["", "shop/"] {
                try harness.drop(
                    DroppedPair(path: place + name, payload: "payload at \(place)", site: "\(place.count)"))
            }
            _ = try await harness.submit()
            for (place, service) in [("", nil), ("shop/", "shop")] {
                let found = try harness.annotations(of: "payload at \(place)")
                #expect(found["site"] == "\(place.count)")
                #expect(found["service"] == service ?? (place.isEmpty ? nil : "other"))
                #expect(found["version"] == nil)
            }
            #expect(try harness.drops() == ["shop"])
            #expect(try harness.entries("taken") == [])
        }
    }

    @Test("a sidecar with the name of a taken drop's, which a program drops alone, becomes no payload and stays away")
    func loneLikeTaken() async throws {
        try await withSpool { harness in
            try harness.drop(".taken-0123456789abcdef-x.annotations", "site=evil\n")
            _ = try await harness.submit()
            #expect(harness.sent == [])
            #expect(try harness.entries("taken") == [])
        }
    }
}
