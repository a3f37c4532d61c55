import Digests
import DurableIO
import Foundation
import SystemPackage
import TestSupport
import Testing

@testable import Reports

@Suite("Sidecars")
struct SidecarTests {
    private func annotations(_ text: String) -> [String: String] { annotations(Array(text.utf8)) }

    /// What a report gets from a sidecar.
    private func annotations(_ bytes: [UInt8]?) -> [String: String] {
        let sidecar = Sidecar(bytes)
        var sources = AnnotationRules.Sources()
        (sources.sidecar, sources.ignoredCount) = (sidecar.annotations, sidecar.ignoredCount)
        return AnnotationRules().merged(with: sources)
    }

    // MARK: - Lines

    @Test("each line is an annotation; a value may hold anything but the end of a line")
    func lines() {
        #expect(
            annotations("a=1\nb=x=y\r\nc=\n\n# for people\nd=ü \"q\"") == [
                "a": "1", "b": "x=y", "c": "", "d": "ü \"q\"",
            ])
        #expect(annotations("") == [:])
        #expect(annotations("\u{feff}a=1") == ["a": "1"])
    }

    @Test(
        "a line that is no annotation is left out and counted",
        arguments: [
            "no equals sign", "=1", "a b=1", "k\u{e9}=1", String(repeating: "k", count: 65) + "=1",
            "k=" + String(repeating: "v", count: 1_025), "first=2", "FIRST=2",
            "sidecar.ignored=77",
        ])
    func badLines(line: String) {
        #expect(annotations("first=1\n\(line)\nlast=1") == ["first": "1", "last": "1", "sidecar.ignored": "1"])
    }

    @Test("keys beyond 64, bytes that are no text, and more than 64 KiB are left out and counted")
    func bounds() {
        let many = annotations((0..<70).map { "key\($0)=1" }.joined(separator: "\n"))
        #expect(many.count == 64)
        #expect(many["sidecar.ignored"] == "7")
        #expect(annotations((0..<64).map { "key\($0)=1" }.joined(separator: "\n")).count == 64)
        #expect(annotations([0x61, 0x3d, 0xff, 0x0a, 0x62, 0x3d, 0x31]) == ["b": "1", "sidecar.ignored": "1"])
        #expect(annotations([UInt8](repeating: 0x61, count: (64 << 10) + 1)) == ["sidecar.ignored": "1"])
        #expect(annotations([UInt8]?.none) == ["sidecar.ignored": "1"])
    }

    // MARK: - With a payload

    @Test("its annotations go with the payload, and both files are gone")
    func pair() async throws {
        try await withSpool { harness in
            try harness.drop("core.annotations", "version=2.1\nsite=berlin\n")
            try harness.drop("core", "a payload")
            #expect(try await harness.submit().delivered == 1)
            #expect(try harness.annotations(of: "a payload") == ["version": "2.1", "site": "berlin"])
            #expect(try harness.entries("incoming") == [])
            #expect(try harness.entries("taken") == [])
            #expect(harness.sent == [ContentHash.of("a payload").hex])
        }
    }

    @Test("a room's service and version stand above the sidecar's, its other annotations do not")
    func inRoom() async throws {
        try await withSpool { harness in
            try harness.makeRoom("shop@2.1")
            try harness.drop("shop@2.1/core.annotations", "service=other\nVERSION=9\nsite=berlin\n")
            try harness.drop("shop@2.1/core", "a payload")
            _ = try await harness.submit()
            #expect(
                try harness.annotations(of: "a payload") == ["service": "shop", "version": "2.1", "site": "berlin"])
        }
    }

    @Test("the settings' annotations stand below the sidecar's, but for what they fix")
    func rules() async throws {
        let rules = AnnotationRules(
            values: ["site": "berlin", "host": "vm1", "service": "fixed"], fixedKeys: ["host", "service"])
        try await withSpool(annotations: rules) { harness in
            try harness.makeRoom("shop@2.1")
            try harness.drop("shop@2.1/core.annotations", "site=hamburg\nhost=evil\nHost=evil\n")
            try harness.drop("shop@2.1/core", "a payload")
            _ = try await harness.submit()
            #expect(
                try harness.annotations(of: "a payload") == [
                    "site": "hamburg", "host": "vm1", "service": "fixed", "version": "2.1", "sidecar.ignored": "1",
                ])
        }
    }

    @Test("it is no payload: alone it stays, listed with a reason, and named by doctor after a day")
    func alone() async throws {
        try await withSpool { harness in
            try harness.drop("core.annotations", "version=2.1\n")
            harness.clock.setWall(Int64(Date().timeIntervalSince1970 * 1_000))
            let summary = try await harness.submit()
            #expect(summary.skipped == 0)
            #expect(summary.waiting == 0)
            #expect(
                try harness.reason(ofDrop: "core.annotations")
                    == "skipped: has annotations for core, which is not there")
            #expect(try harness.findings(.note) == [])
            harness.clock.setWall(Int64(Date().timeIntervalSince1970 * 1_000) + 86_500_000)
            #expect(try await harness.submit().skipped == 1)
            #expect(
                try harness.findings(.note) == [
                    "incoming/core.annotations: not taken: has annotations for core, which is not there"
                ])
            #expect(try harness.entries("incoming") == ["core.annotations"])
        }
    }

    @Test("a sidecar of a sidecar, and names of nothing but the suffix, are no payloads either")
    func sidecarOfSidecar() async throws {
        try await withSpool { harness in
            for name in ["a.annotations", "a.annotations.annotations", ".annotations"] { try harness.drop(name, name) }
            _ = try await harness.submit()
            #expect(harness.sent == [])
            #expect(try harness.entries("incoming").count == 3)
        }
    }

    @Test("while it is being written the payload waits, for a minute after its last change")
    func beingWritten() async throws {
        try await withSpool { harness in
            try harness.drop("core.annotations", "version=2.1\n")
            try harness.drop("core", "a payload")
            let path = "\(harness.path)/incoming/core.annotations"
            let writer = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
            let zone = DropZone(spool: harness.spool)
            func take() throws -> DropZone.Readiness? {
                switch try zone.take(try #require(try zone.drops().first)) {
                case .taken: nil
                case .notNow(let readiness): readiness
                }
            }
            let now = try #require(try zone.drops().first?.facts).modified / 1_000_000
            harness.clock.setWall(now + 59_000)
            #expect(try take() == .young)
            try writer.close()
            let other = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
            harness.clock.setWall(now + 62_000)
            #expect(try take() == nil)
            try other.close()
            // It went without its sidecar, which no later drop of its name gets.
            #expect(try harness.entries("incoming").map { $0.hasPrefix("core.") && $0.count > 16 } == [true])
            #expect(try harness.takenNames() == ["core"])
        }
    }

    static let unread: [Unread] = [
        Unread(reason: "its annotations are not read: is a symbolic link, not a file") {
            try FileManager.default.createSymbolicLink(atPath: $0, withDestinationPath: "/etc/hostname")
        },
        Unread(reason: "is a FIFO, not a file") { mkfifo($0, 0o600) },
        Unread(reason: "its annotations are not read: is a directory, not a file") {
            mkdir($0, 0o700)
        },
        Unread(reason: "its annotations are not read: has 2 links: copy it instead") {
            try Data("a=1".utf8).write(to: URL(fileURLWithPath: $0))
            link($0, $0 + ".tmp")
        },
        Unread(reason: "its annotations are not read: has mode 000: its writer is not done with it") {
            try Data("a=1".utf8).write(to: URL(fileURLWithPath: $0))
            chmod($0, 0)
        },
        Unread(reason: "its annotations are not read: has more than 64 KiB") {
            try Data(repeating: 0x61, count: 65_537).write(to: URL(fileURLWithPath: $0))
        },
    ]

    struct Unread: Sendable, CustomTestStringConvertible {
        let reason: String
        let make: @Sendable (String) throws -> Void
        var testDescription: String { reason }
    }

    @Test("one that is not read never keeps its payload back, and stays where it is", arguments: unread)
    func notRead(sidecar: Unread) async throws {
        try await withSpool { harness in
            try sidecar.make("\(harness.path)/incoming/core.annotations")
            try harness.drop("core", "a payload")
            let reason = try #require(try harness.reason(ofDrop: "core.annotations"))
            #expect(reason.contains(sidecar.reason), "\(reason)")
            #expect(try await harness.submit().delivered == 1)
            #expect(try harness.annotations(of: "a payload") == [:])
            #expect(try harness.entries("incoming").contains { $0.hasPrefix("core.") && $0.hasSuffix(".annotations") })
            #expect(try harness.entries("taken") == [])
            // A later drop of the same name does not get it, even if it may be read by then.
            for name in try harness.entries("incoming") {
                // The entry itself, and nothing that it leads to.
                fchmodat(AT_FDCWD, "\(harness.path)/incoming/\(name)", 0o600, AT_SYMLINK_NOFOLLOW)
            }
            unlink("\(harness.path)/incoming/core.annotations.tmp")
            try harness.drop("core", "a later payload")
            #expect(try await harness.submit().delivered == 1)
            #expect(try harness.annotations(of: "a later payload") == [:])
        }
    }

    @Test("one that cannot be renamed does not keep its payload back")
    func immovable() async throws {
        let files = FaultingFileSystem { call throws(FileSystemError) in
            guard call.operation == .rename, call.name == "core.annotations" else { return }
            throw FileSystemError(.rename, "core.annotations", .notPermitted)
        }
        try await withSpool(files: files) { harness in
            try harness.drop("core.annotations", "site=berlin\n")
            try harness.drop("core", "a payload")
            #expect(try await harness.submit().delivered == 1)
            #expect(try harness.annotations(of: "a payload") == [:])
            #expect(try harness.entries("incoming") == ["core.annotations"])
        }
    }

    @Test("a process that has no more descriptors for a moment takes no payload without its sidecar")
    func outOfDescriptors() async throws {
        let failures = Monitor(0)
        let files = FaultingFileSystem { call throws(FileSystemError) in
            guard call.operation == .open, call.name == "core.annotations", call.room == "incoming",
                failures.withLock({ count in
                    count += 1
                    return count
                }) == 1
            else { return }
            throw FileSystemError(.open, "core.annotations", .tooManyOpenFiles)
        }
        try await withSpool(files: files) { harness in
            try harness.drop("core.annotations", "site=berlin\n")
            try harness.drop("core", "a payload")
            #expect(try await harness.submit().delivered == 1)
            #expect(failures.value == 2)
            #expect(try harness.annotations(of: "a payload") == ["site": "berlin"])
        }
    }

    @Test("a room has its place, however much the settings fix and a sidecar says; what is left out is counted")
    func fullOfAnnotations() async throws {
        let keys = (0..<63).map { "fixed\($0)" }
        let rules = AnnotationRules(
            values: Dictionary(uniqueKeysWithValues: keys.map { ($0, "1") }), fixedKeys: Set(keys))
        try await withSpool(annotations: rules) { harness in
            try harness.makeRoom("shop@2.1")
            try harness.drop("shop@2.1/core.annotations", "site=berlin\nzone=b\n")
            try harness.drop("shop@2.1/core", "a payload")
            _ = try await harness.submit()
            let annotations = try harness.annotations(of: "a payload")
            #expect(annotations["service"] == "shop" && annotations["version"] == "2.1")
            #expect(annotations["sidecar.ignored"] == "2")
        }
    }

    @Test("a drop whose sidecar is being written is listed as still being written")
    func listedAsBeingWritten() async throws {
        try await withSpool { harness in
            try harness.drop("core.annotations", "site=berlin\n")
            try harness.drop("core", "a payload")
            let path = "\(harness.path)/incoming/core.annotations"
            let writer = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
            #expect(try harness.reason(ofDrop: "core") == "is still being written")
            try writer.close()
            #expect(try harness.reason(ofDrop: "core") == nil)
        }
    }

    @Test("a sidecar in another user's name is not read", .enabled(if: geteuid() == 0))
    func foreign() async throws {
        try await withSpool { harness in
            try harness.drop("core.annotations", "service=evil\n")
            chown("\(harness.path)/incoming/core.annotations", 12_345, 12_345)
            try harness.drop("core", "a payload")
            #expect(try await harness.submit().delivered == 1)
            #expect(try harness.annotations(of: "a payload") == [:])
            #expect(try harness.entries("incoming").count == 1)
        }
    }

    @Test(
        "in a shared spool the drop of another user says whose it is, whatever its sidecar says",
        .enabled(if: geteuid() == 0))
    func shared() async throws {
        try await withSpool { harness in
            chmod(harness.path + "/incoming", 0o3733)
            var options = ReportSpool.Options()
            options.isShared = true
            try harness.drop("core.annotations", "drop.uid=0\nsite=berlin\n")
            try harness.drop("core", "a payload")
            for name in ["core", "core.annotations"] { chown("\(harness.path)/incoming/\(name)", 12_345, 12_345) }
            let spool = try #require(
                try ReportSpool.open(FilePath(harness.path), isCreating: true, options: options, clock: harness.clock))
            _ = try await Submission(spool: spool, configuration: harness.configuration()).run()
            #expect(try harness.annotations(of: "a payload") == ["drop.uid": "12345", "site": "berlin"])
        }
    }

    // MARK: - After a crash

    @Test("a sidecar that an owner has taken without its payload is put back", arguments: [4, 200, 243])
    func putBack(length: Int) async throws {
        for room in ["", "shop@2.1/"] {
            try await withSpool { harness in
                if !room.isEmpty { try harness.makeRoom("shop@2.1") }
                let name = String(repeating: "n", count: length)
                try harness.drop(room + name, "a payload")
                try harness.drop(room + name + ".annotations", "site=berlin\n")
                let taken = TakenName(
                    for: try #require(EntryName(name)), from: room.isEmpty ? nil : DropRoom("shop@2.1"),
                    isHidden: false, hasSidecar: true)
                rename(
                    "\(harness.path)/incoming/\(room)\(name).annotations",
                    "\(harness.path)/taken/\(taken.entry).annotations")
                #expect(try await harness.submit().delivered == 1)
                #expect(try harness.annotations(of: "a payload")["site"] == "berlin")
                #expect(try harness.annotations(of: "a payload")["service"] == (room.isEmpty ? nil : "shop"))
                #expect(try harness.entries("taken") == [])
            }
        }
    }

    @Test("a sidecar whose payload was enrolled is not put back, so that no later drop gets its annotations")
    func notPutBack() async throws {
        try await withSpool { harness in
            let taken = TakenName(for: "core", isHidden: false, hasSidecar: true)
            let owner = try #require(try await harness.own())
            let mark = SourceMark.prefixes(ofNonce: taken.nonce ?? "")[0] + "1-2-3"
            try await owner.queue.change { _ = try $0.consume(token: mark) }
            await owner.abandon()
            try Data("site=old\n".utf8).write(
                to: URL(fileURLWithPath: "\(harness.path)/taken/\(taken.entry).annotations"))
            try harness.drop("core", "a later payload")
            #expect(try await harness.submit().delivered == 1)
            #expect(try harness.annotations(of: "a later payload") == [:])
            #expect(try harness.entries("taken") == [])
        }
    }
}
