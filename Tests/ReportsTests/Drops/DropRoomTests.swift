import Digests
import DurableIO
import Foundation
import SystemPackage
import TestSupport
import Testing

@testable import Reports

@Suite("Drop rooms")
struct DropRoomTests {
    // MARK: - Names

    static let lawful: [(name: String, annotations: [String: String])] = [
        ("shop", ["service": "shop"]),
        ("shop@2.1", ["service": "shop", "version": "2.1"]),
        ("com.example:shop-2_x@1.0-rc.1", ["service": "com.example:shop-2_x", "version": "1.0-rc.1"]),
        ("getty@tty1@2.1", ["service": "getty@tty1", "version": "2.1"]),
        (
            String(repeating: "s", count: 64) + "@" + String(repeating: "9", count: 64),
            ["service": String(repeating: "s", count: 64), "version": String(repeating: "9", count: 64)]
        ),
        ("core.1234", ["service": "core.1234"]),
    ]

    @Test("its name gives service and version; the last @ counts", arguments: lawful)
    func name(name: String, annotations: [String: String]) throws {
        #expect(try DropRoom(#require(EntryName(name)))?.annotations == annotations)
    }

    @Test(
        "other names are not those of drop rooms",
        arguments: [
            "@", "shop@", "@2.1", "shop 2", "shop@2 1", "sh/op".replacing("/", with: "\u{7f}"), "shöp", "shop,1",
            String(repeating: "s", count: 65), "shop@" + String(repeating: "9", count: 65), ".shop",
            "a.json", "a.LOG", "shop@2.1.gz", "x.txt", "app.dmp", "a.annotations", "a.tmp", "a.partial", "$(reboot)",
        ])
    func otherNames(name: String) throws {
        #expect(try DropRoom(#require(EntryName(name))) == nil)
    }

    // MARK: - Drops in it

    @Test("a drop in a room gets the room's service and version, and leaves the room; the room stays")
    func drop() async throws {
        try await withSpool { harness in
            try harness.makeRoom("shop@2.1")
            try harness.drop("shop@2.1/core", "in a room")
            try harness.drop("core", "beside it")
            #expect(try await harness.submit().delivered == 2)
            #expect(try harness.annotations(of: "in a room") == ["service": "shop", "version": "2.1"])
            #expect(try harness.annotations(of: "beside it") == [:])
            let view = try SpoolInspector(spool: harness.spool).report(ContentHash.of("in a room").hex)
            #expect(view.name == Array("core".utf8))
            #expect(try harness.record(ContentHash.of("in a room"))?.state == .delivered)
            #expect(try harness.entries("incoming") == ["shop@2.1"])
            #expect(try harness.entries("incoming/shop@2.1") == [])
            #expect(try harness.entries("taken") == [])
        }
    }

    @Test("drops of one name in several rooms are several reports, each of its own service")
    func sameName() async throws {
        try await withSpool { harness in
            for room in ["a", "b@1", "b@2"] {
                try harness.makeRoom(room)
                try harness.drop("\(room)/core", "of \(room)")
            }
            #expect(try await harness.submit().delivered == 3)
            #expect(try harness.annotations(of: "of a") == ["service": "a"])
            #expect(try harness.annotations(of: "of b@2") == ["service": "b", "version": "2"])
        }
    }

    @Test("a list shows what waits in a room, with its service and path")
    func listed() async throws {
        try await withSpool { harness in
            try harness.makeRoom("shop@2.1")
            try harness.drop("shop@2.1/core", "waits")
            try harness.drop("shop@2.1/b.tmp", "unfinished")
            var views: [ReportView] = []
            try SpoolInspector(spool: harness.spool).forEachReport(.init()) { views.append($0) }
            #expect(views.map(\.annotations["service"]) == ["shop", "shop"])
            #expect(views.map(\.reason?.isEmpty) == [false, nil])
            #expect(try harness.findings(.note).contains { $0.hasPrefix("incoming/shop@2.1/b.tmp: not taken") })
        }
    }

    @Test("what is nested in a room, and what is no file in it, is skipped with its path")
    func nested() async throws {
        try await withSpool { harness in
            try harness.makeRoom("shop")
            try harness.makeRoom("shop/deeper")
            try harness.drop("shop/deeper/core", "too deep")
            mkfifo("\(harness.path)/incoming/shop/fifo", 0o600)
            try FileManager.default.createSymbolicLink(
                atPath: "\(harness.path)/incoming/shop/link", withDestinationPath: "/etc/hostname")
            let summary = try await harness.submit()
            #expect(summary.delivered == 0)
            #expect(summary.skipped == 3)
            let notes = try harness.findings(.note)
            #expect(notes.contains("incoming/shop/deeper: not taken: is a directory, not a file"))
            #expect(notes.contains { $0.hasPrefix("incoming/shop/fifo: not taken: is a FIFO") })
            #expect(notes.contains { $0.hasPrefix("incoming/shop/link: not taken: is a symbolic link") })
        }
    }

    @Test("a link to a directory is no drop room")
    func link() async throws {
        try await withSpool { harness in
            let outside = URL(fileURLWithPath: harness.path).deletingLastPathComponent().path + "/outside"
            try FileManager.default.createDirectory(atPath: outside, withIntermediateDirectories: false)
            try Data("not dropped".utf8).write(to: URL(fileURLWithPath: outside + "/core"))
            try FileManager.default.createSymbolicLink(
                atPath: harness.path + "/incoming/shop", withDestinationPath: outside)
            #expect(try await harness.submit().skipped == 1)
            #expect(FileManager.default.fileExists(atPath: outside + "/core"))
        }
    }

    @Test("a room that becomes a link between the look and the take is not entered")
    func replaced() async throws {
        try await withSpool { harness in
            try harness.makeRoom("shop")
            try harness.drop("shop/core", "in a room")
            let zone = DropZone(spool: harness.spool)
            let drop = try #require(try zone.drops().first)
            let incoming = harness.path + "/incoming"
            rename(incoming + "/shop", incoming + "/old")
            symlink(incoming + "/old", incoming + "/shop")
            guard case .notNow(.young) = try zone.take(drop) else {
                Issue.record("was taken")
                return
            }
            #expect(try zone.drop(named: "core", in: drop.room) == nil)
            #expect(try harness.entries("incoming/old") == ["core"])
        }
    }

    @Test("a room of another user is skipped, even where any user may drop files", .enabled(if: geteuid() == 0))
    func foreign() async throws {
        try await withSpool { harness in
            try harness.makeRoom("shop")
            try harness.drop("shop/core", "of another user")
            chown(harness.path + "/incoming/shop", 12_345, 12_345)
            var options = ReportSpool.Options()
            options.isShared = true
            let spool = try #require(
                try ReportSpool.open(FilePath(harness.path), isCreating: true, options: options, clock: harness.clock))
            let drops = try DropZone(spool: spool).drops()
            #expect(drops.map(\.entry) == ["shop"])
            guard case .skipped(let reason) = drops.first?.readiness else {
                Issue.record("not skipped")
                return
            }
            #expect(reason.hasPrefix("is a directory of user 12345"))
        }
    }

    @Test("a room that cannot be listed hides no other drop, and is named")
    func unreadable() async throws {
        let files = FaultingFileSystem { call throws(FileSystemError) in
            guard call.operation == .list, call.room == "broken" else { return }
            throw FileSystemError(.list, "broken", .ioError)
        }
        try await withSpool(files: files) { harness in
            for room in ["broken", "shop"] { try harness.makeRoom(room) }
            try harness.drop("broken/core", "hidden")
            try harness.drop("shop/core", "in a room")
            try harness.drop("core", "beside it")
            let summary = try await harness.submit()
            #expect(summary.delivered == 2)
            #expect(summary.skipped == 1)
            #expect(try SpoolInspector(spool: harness.spool).roomProblems().map(\.room) == ["incoming/broken"])
        }
    }

    @Test("poisonous drops of one name in two rooms are two: their name alone deletes neither")
    func poisonousNames() async throws {
        try await withSpool { harness in
            for room in ["a@1", "b@2"] {
                try await harness.begin("txt", nonce: "0123456789abcdef@\(room)=core", deaths: 3)
            }
            let inspector = try SpoolInspector(spool: harness.spool)
            #expect(throws: ReportsError.self) { try inspector.targets(of: "core.txt", for: .remove) }
            #expect(try inspector.targets(of: "taken/0123456789abcdef@a@1=core.txt", for: .remove).count == 1)
        }
    }

    @Test("in a shared spool doctor names a room in which users may move each other's files, and closes it")
    func openRoom() async throws {
        try await withSpool { harness in
            try harness.makeRoom("shop")
            chmod(harness.path + "/incoming/shop", 0o777)
            #expect(try harness.findings() == [])
            var options = ReportSpool.Options()
            options.isShared = true
            let shared = try ReportSpool.open(
                FilePath(harness.path), isCreating: true, options: options, clock: harness.clock)
            let spool = try #require(shared)
            #expect(
                try Doctor(spool: spool).exposures().map { "\($0.subject) \(String($0.wanted, radix: 8))" } == [
                    "incoming/shop 1777"
                ])
            _ = try await Doctor(spool: spool).repair()
            #expect(try Doctor(spool: spool).exposures().isEmpty)
        }
    }

    // MARK: - Renamed away

    @Test("a taken drop keeps its room through a crash, however long its name", arguments: [4, 200, 255])
    func takenName(length: Int) throws {
        let room = try #require(DropRoom("shop@2.1"))
        let dropped = try #require(EntryName(bytes: [UInt8](repeating: 0x78, count: length)))
        let taken = TakenName(for: dropped, from: room, isHidden: false)
        #expect(taken.entry.bytes.count <= 255)
        let found = TakenName(inTaken: taken.entry)
        #expect(found.room == room)
        #expect(dropped.bytes.starts(with: found.dropped.bytes))
        #expect(found.nonce == taken.nonce)
    }

    @Test("the next owner collects a drop of a room that an owner has taken, with its annotations")
    func takenBefore() async throws {
        try await withSpool { harness in
            try harness.makeRoom("shop@2.1")
            try harness.drop("shop@2.1/core", "taken")
            let zone = DropZone(spool: harness.spool)
            guard case .taken = try zone.take(try #require(try zone.drops().first)) else {
                Issue.record("not taken")
                return
            }
            #expect(try harness.takenNames() == ["core"])
            #expect(try await harness.submit().delivered == 1)
            #expect(try harness.annotations(of: "taken") == ["service": "shop", "version": "2.1"])
        }
    }

    @Test("a room on another file system keeps its drops until they are enrolled")
    func apart() async throws {
        let files = FaultingFileSystem { _ throws(FileSystemError) in }
        files.keepIncomingApart()
        try await withSpool(files: files) { harness in
            try harness.makeRoom("shop@2.1")
            try harness.drop("shop@2.1/core", "apart")
            try harness.drop("shop@2.1/core.annotations", "site=berlin\n")
            let zone = DropZone(spool: harness.spool)
            guard case .taken = try zone.take(try #require(try zone.drops().first)) else {
                Issue.record("not taken")
                return
            }
            #expect(try harness.entries("incoming/shop@2.1").allSatisfy { $0.hasPrefix(".taken-") })
            #expect(try harness.entries("taken") == [])
            #expect(try await harness.submit().delivered == 1)
            #expect(
                try harness.annotations(of: "apart") == ["service": "shop", "version": "2.1", "site": "berlin"])
            #expect(try harness.entries("incoming/shop@2.1") == [])
        }
    }
}
