import Digests
import DurableIO
import Foundation
import Reports
import Synchronization
import SystemPackage
import TestSupport
import Testing

/// One drop, entry, room or file system that gives trouble keeps nothing else from going out, and is named.
@Suite("One bad file among others")
struct OneBadDropTests {
    /// Submits a spool with a good drop and a good entry besides what is bad, and expects both to arrive.
    private func expectOthersArrive(_ harness: SpoolHarness, besides count: Int = 0) async throws -> SubmissionSummary {
        try harness.drop("good", "good drop")
        try harness.add("good entry")
        let summary = try await harness.submit()
        #expect(summary.delivered == 2 + count)
        #expect(try harness.state(.of("good drop")) == .delivered)
        #expect(try harness.state(.of("good entry")) == .delivered)
        return summary
    }

    private func expectNamed(_ name: String, _ reason: String, _ harness: SpoolHarness) throws {
        let (listed, noted) = (try harness.reason(ofDrop: name) ?? "-", try harness.findings(.note))
        #expect(listed.contains(reason))
        #expect(noted.contains { $0.hasSuffix(reason) }, "\(noted)")
        #expect(try harness.findings() == [])
    }

    // MARK: - Drops that cannot be renamed

    static let renameErrors: [(Errno, String)] = [
        (.resourceBusy, "is a mount point and cannot be moved: mount the directory that holds it, or copy it here"),
        (.notPermitted, "cannot be moved, its attributes or those of incoming/ forbid it: see lsattr, or copy it here"),
        (.readOnlyFileSystem, "cannot be moved, incoming/ is read-only: mount it writable"),
        (.permissionDenied, "may not write to incoming/: run as its owner, or let this user write"),
        (.invalidArgument, "cannot rename without replacing: use another one there"),
        (.ioError, "cannot be moved: Input/output error"),
        (.tooManyOpenFiles, "cannot be moved: Too many open files"),
    ]

    @Test("a drop whose rename fails stays, with the reason, and does not count as waiting", arguments: renameErrors)
    func renameFails(errno: Errno, reason: String) async throws {
        let files = FaultingFileSystem { call throws(FileSystemError) in
            guard call.operation == .rename, call.name == "bad" else { return }
            throw FileSystemError(.rename, "bad", errno)
        }
        try await withSpool(files: files) { harness in
            try harness.drop("bad", "bad")
            let summary = try await expectOthersArrive(harness)
            #expect(summary.skipped == 1)
            #expect(summary.waiting == 0)
            #expect(try harness.entries("incoming") == ["bad"])
            try expectNamed("bad", reason, harness)
        }
    }

    @Test("a submit beside an owner does not wait for what the owner has left where it is")
    func besideAnOwner() async throws {
        let files = FaultingFileSystem { call throws(FileSystemError) in
            guard call.operation == .rename, call.name == "bad" else { return }
            throw FileSystemError(.rename, "bad", .ioError)
        }
        try await withSpool(files: files) { harness in
            try harness.drop("bad", "bad")
            let owner = try #require(try await harness.own())
            try await takeIn(as: owner)
            let clock = harness.clock
            let summary = try await clock.racing { [submission = harness.submission] in try await submission.run() }
            #expect(!summary.isOwnedElsewhere)
            try await owner.resign()
        }
    }

    @Test("drops on another file system are renamed in their own directory, and arrive under their names")
    func incomingApart() async throws {
        let seen = Mutex<[String]>([])
        let holder = Mutex<SpoolHarness?>(nil)
        let files = FaultingFileSystem { call throws(FileSystemError) in
            guard call.operation == .create, call.room == "tmp", let harness = holder.withLock({ $0 }) else { return }
            let names = (try? harness.entries("incoming")) ?? []
            seen.withLock { $0 += names.filter { $0.hasPrefix(".") } }
        }
        files.keepIncomingApart()
        try await withSpool(files: files) { harness in
            holder.withLock { $0 = harness }
            let long = String(repeating: "n", count: 255)
            try harness.drop(long, "long")
            _ = try await expectOthersArrive(harness, besides: 1)
            #expect(try harness.entries("incoming") == [])
            #expect(try harness.entries("taken") == [])
            #expect(seen.withLock { $0 }.allSatisfy { $0.hasPrefix(".taken-") && $0.utf8.count <= 255 })
            #expect(seen.withLock { $0 }.contains { $0.hasSuffix("-good") })
            #expect(
                try SpoolInspector(spool: harness.spool).report(ContentHash.of("long").hex).name == Array(long.utf8))
            #expect(try harness.findings(.note) == [])
            holder.withLock { $0 = nil }
        }
    }

    @Test("what a dead owner had renamed away is collected by the next one, under the dropped name")
    func takenByTheDead() async throws {
        try await withSpool { harness in
            let names = ["taken/0123456789abcdef.core", "taken/fedcba9876543210.core", "taken/core"]
            for name in names + ["incoming/.taken-0123456789abcdef-core"] {
                try Data(name.utf8).write(to: URL(fileURLWithPath: "\(harness.path)/\(name)"))
            }
            #expect(try await harness.submit().delivered == 4)
            for name in names {
                let id = ContentHash.of(name).hex
                #expect(try SpoolInspector(spool: harness.spool).report(id).name == Array("core".utf8))
            }
            #expect(try harness.entries("incoming") + harness.entries("taken") == [])
        }
    }

    @Test("a hidden name alone makes no drop of what is none", .enabled(if: geteuid() == 0))
    func foreignHiddenName() async throws {
        try await withSpool { harness in
            let name = ".taken-0123456789abcdef-core"
            try harness.drop(name, "foreign")
            #expect(chown("\(harness.path)/incoming/\(name)", 12_345, 12_345) == 0)
            let summary = try await expectOthersArrive(harness)
            #expect(summary.waiting == 0)
            try expectNamed("core", "change its owner, or share the spool (--shared)", harness)
        }
    }

    @Test("a drop zone on a network file system is skipped as a whole; the rest goes out")
    func remoteIncoming() async throws {
        let files = FaultingFileSystem { _ in }
        files.mountIncoming(from: "NFS")
        try await withSpool(files: files) { harness in
            for name in ["a", "b", ".taken-0123456789abcdef-c"] { try harness.drop(name, name) }
            try harness.add("good entry")
            let summary = try await harness.submit()
            #expect(summary.delivered == 1)
            #expect(summary.skipped == 2)
            #expect(try harness.entries("incoming").count == 3)
            let why =
                "incoming/ lies on NFS, where nobody can tell whether a file is complete: mount a local directory there"
            #expect(try harness.findings() == ["incoming: \(why)"])
            #expect(try harness.reason(ofDrop: "a") == "skipped: \(why)")
        }
    }

    // MARK: - Drops that cannot be collected

    @Test(
        "a drop that cannot be opened is left, and named",
        arguments: [Errno.permissionDenied, .ioError, .tooManyOpenFiles])
    func openFails(errno: Errno) async throws {
        let files = FaultingFileSystem { call throws(FileSystemError) in
            guard call.operation == .open, call.name == "bad" else { return }
            throw FileSystemError(.open, "bad", errno)
        }
        try await withSpool(files: files) { harness in
            try harness.drop("bad", "bad")
            _ = try await expectOthersArrive(harness)
            #expect(try harness.reason(ofDrop: "bad")?.contains(errno.description) == true)
        }
    }

    @Test(
        "a drop that cannot be written to tmp/ is left, and goes in the next run",
        arguments: [Errno.noSpace, .tooManyOpenFiles, .ioError, .noMemory])
    func createFails(errno: Errno) async throws {
        let failures = Mutex(4)
        let files = FaultingFileSystem { call throws(FileSystemError) in
            // The first of them tries; the others are for whoever comes first.
            guard call.operation == .create, call.room == "tmp", failures.withLock({ $0 == 1 }) else { return }
            failures.withLock { $0 = 0 }
            throw FileSystemError(.create, "tmp", errno)
        }
        try await withSpool(files: files) { harness in
            try harness.drop("bad", "bad")
            try harness.drop("good", "good drop")
            try harness.add("good entry")
            failures.withLock { $0 = 1 }
            _ = try await harness.submit()
            #expect(failures.withLock { $0 } == 0)
            #expect(try await harness.submit().waiting == 0)
            for text in ["bad", "good drop", "good entry"] { #expect(try harness.state(.of(text)) == .delivered) }
        }
    }

    // MARK: - Entries

    static let placingErrors: [Errno] = [.notPermitted, .permissionDenied, .ioError]

    @Test("an entry that cannot be moved to queued/ is left, and named by list and doctor", arguments: placingErrors)
    func entryCannotBeMoved(errno: Errno) async throws {
        let files = FaultingFileSystem { call throws(FileSystemError) in
            guard call.operation == .rename, call.room == "queued",
                call.name.flatMap(StoredReport.id(in:)) == .of("bad")
            else { return }
            throw FileSystemError(.rename, "bad", errno)
        }
        try await withSpool(files: files) { harness in
            let id = try harness.add("bad")
            let summary = try await expectOthersArrive(harness)
            #expect(summary.waiting == 1)
            let view = try SpoolInspector(spool: harness.spool).report(id.hex)
            #expect(view.note?.hasPrefix("cannot be stored: cannot rename bad: \(errno): ") == true)
            let note = "left where it is: \(view.note ?? "-")"
            #expect(try harness.findings(.note).contains { $0.hasPrefix("collected/\(id.hex)") && $0.hasSuffix(note) })
        }
    }

    @Test("something else with a report's name in queued/ keeps only that report", arguments: [false, true])
    func nameIsTaken(asDrop: Bool) async throws {
        try await withSpool { harness in
            let id = ContentHash.of("bad")
            try FileManager.default.createDirectory(
                at: harness.file(id, in: "queued"), withIntermediateDirectories: false)
            if asDrop { try harness.drop("bad", "bad") } else { try harness.add("bad") }
            let summary = try await expectOthersArrive(harness)
            #expect(summary.waiting == 1)
            try FileManager.default.removeItem(at: harness.file(id, in: "queued"))
            #expect(try await harness.submit().delivered == 1)
        }
    }

    @Test("an entry that cannot be read is listed with the reason")
    func unreadableEntry() async throws {
        let files = FaultingFileSystem { call throws(FileSystemError) in
            guard call.operation == .open, call.name.flatMap(StoredReport.id(in:)) == .of("bad") else { return }
            throw FileSystemError(.open, "bad", .permissionDenied)
        }
        try await withSpool(files: files) { harness in
            let id = try harness.add("bad")
            _ = try await expectOthersArrive(harness)
            let view = try SpoolInspector(spool: harness.spool).report(id.hex)
            #expect(view.reason == "unreadable")
            #expect(
                view.note
                    == "cannot be read: Permission denied: its owner or root has to run 'chmod a+r' on it")
        }
    }

    // MARK: - Sources that cannot be unlinked

    @Test(
        "a source that cannot be unlinked after its row is sent and counted once, and goes when it can",
        arguments: ["taken", "incoming", "collected"])
    func cannotBeUnlinked(room: String) async throws {
        let isArmed = Mutex(true)
        let files = FaultingFileSystem { call throws(FileSystemError) in
            guard isArmed.withLock({ $0 }), call.operation == .remove, call.room == room else { return }
            throw FileSystemError(.remove, "bad", .notPermitted)
        }
        if room == "incoming" { files.keepIncomingApart() }
        try await withSpool(files: files) { harness in
            // An entry of a report that is known already is counted and unlinked.
            if room == "collected" {
                try await harness.make(.delivered, text: "bad")
                try harness.add("bad")
            } else {
                try harness.drop("bad", "bad")
            }
            for _ in 0..<3 {
                let summary = try await harness.submit()
                #expect(summary.waiting == 0)
                #expect(summary.skipped == 1)
            }
            let seen: Int64 = room == "collected" ? 2 : 1
            #expect(try harness.record(.of("bad"))?.seen == seen)
            #expect(harness.sent.count == (room == "collected" ? 0 : 1))
            let reason =
                "is taken in and cannot be removed: Operation not permitted: run chattr -a -i on it and on its directory"
            #expect(try harness.findings(.note).count { $0.hasSuffix(reason) } == 1)
            isArmed.withLock { $0 = false }
            #expect(try await harness.submit().skipped == 0)
            #expect(try harness.record(.of("bad"))?.seen == seen)
            #expect(try harness.entries(room) == [])
            #expect(try harness.findings(.note) == [])
        }
    }

    @Test("a report that cannot be taken in yet is not said to be removed, and the order to remove it stays")
    func removeOfAnEntryThatStays() async throws {
        let isArmed = Mutex(true)
        let files = FaultingFileSystem { call throws(FileSystemError) in
            guard isArmed.withLock({ $0 }), call.operation == .rename, call.room == "queued" else { return }
            throw FileSystemError(.rename, "queued", .notPermitted)
        }
        try await withSpool(files: files) { harness in
            isArmed.withLock { $0 = false }
            let id = try harness.add("report")
            isArmed.withLock { $0 = true }
            await #expect(throws: ReportsError.self) {
                _ = try await OrderDispatch(spool: harness.spool).carryOut(.remove, ids: [id.hex])
            }
            isArmed.withLock { $0 = false }
            #expect(try await OrderDispatch(spool: harness.spool).carryOut(.remove, ids: [id.hex]) == [id.hex])
            #expect(try harness.state(id) == .removed)
            #expect(try await harness.submit().delivered == 0)
        }
    }

    @Test("a delivered report's file that cannot be removed goes as soon as it can be")
    func deliveredFileThatStays() async throws {
        let isArmed = Mutex(false)
        let files = FaultingFileSystem { call throws(FileSystemError) in
            guard isArmed.withLock({ $0 }), call.operation == .remove, call.room == "queued" else { return }
            throw FileSystemError(.remove, "queued", .notPermitted)
        }
        try await withSpool(files: files) { harness in
            try await harness.make(.queued)
            isArmed.withLock { $0 = true }
            #expect(try await harness.submit().delivered == 1)
            #expect(try await harness.submit().repairs.contains { $0.contains("chattr -a -i") })
            #expect(try harness.entries("queued").count == 1)
            isArmed.withLock { $0 = false }
            _ = try await harness.submit()
            #expect(try harness.entries("queued") == [])
            #expect(try harness.findings() == [])
        }
    }

    // MARK: - Rooms

    @Test("a room that cannot be listed hides no other", arguments: ["incoming", "taken", "collected"])
    func roomCannotBeListed(room: String) async throws {
        let isArmed = Mutex(false)
        let files = FaultingFileSystem { call throws(FileSystemError) in
            guard isArmed.withLock({ $0 }), call.operation == .list, call.room == room else { return }
            throw FileSystemError(.list, room, .ioError)
        }
        try await withSpool(files: files) { harness in
            try await harness.make(.queued)
            isArmed.withLock { $0 = true }
            #expect(try await harness.submit().delivered == 1)
            let finding = "\(room): cannot be listed: Input/output error: check its permissions and its disk"
            #expect(try harness.findings() == [finding])
            #expect(try SpoolInspector(spool: harness.spool).report(ContentHash.of("one").hex).state == "delivered")
        }
    }

    @Test("a directory in tmp/ keeps nobody from owning the spool")
    func directoryInTemporary() async throws {
        try await withSpool { harness in
            try FileManager.default.createDirectory(
                atPath: "\(harness.path)/tmp/odd", withIntermediateDirectories: false)
            _ = try await expectOthersArrive(harness)
        }
    }
}
