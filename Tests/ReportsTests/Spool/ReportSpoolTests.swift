import DurableIO
import Foundation
import Reports
import SystemPackage
import TestSupport
import Testing

@Suite("The spool's directory")
struct ReportSpoolTests {
    /// Modes of all that is in a directory, by path.
    private func modes(_ path: String) throws -> [String: Int] {
        var modes: [String: Int] = [:]
        for name in try FileManager.default.subpathsOfDirectory(atPath: path) + [""] {
            let attributes = try FileManager.default.attributesOfItem(atPath: "\(path)/\(name)")
            modes[name] = (attributes[.posixPermissions] as? NSNumber)?.intValue
        }
        return modes
    }

    @Test("directories are 0700 and files 0600, whatever the umask", arguments: [0, 0o022, 0o777] as [UInt32])
    func modes(mask: UInt32) throws {
        try withTemporaryDirectory { directory in
            let path = directory + "/spool"
            let made = try withUmask(mask) {
                let harness = try SpoolHarness(path)
                try harness.add("one")
                return true
            }
            guard made != nil else { return }
            for (name, mode) in try modes(path) {
                var isDirectory: ObjCBool = false
                _ = FileManager.default.fileExists(atPath: "\(path)/\(name)", isDirectory: &isDirectory)
                #expect(mode == (isDirectory.boolValue ? 0o700 : 0o600), "\(name)")
            }
        }
    }

    @Test("a link that is put in the place of a new spool is not followed, and what it leads to stays as it is")
    func swapped() throws {
        try withTemporaryDirectory { directory in
            let (path, victim) = (directory + "/spool", directory + "/victim")
            #expect(mkdir(victim, 0o755) == 0)
            // As the owner of the directory above could, as soon as it is there.
            let files = FaultingFileSystem { call throws(FileSystemError) in
                if rename(path, path + ".moved") == 0 { symlink(victim, path) }
            }
            #expect(throws: ReportsError.self) { try ReportSpool.open(FilePath(path), isCreating: true, files: files) }
            let modes = try modes(victim)
            #expect(modes == ["": 0o755])
        }
    }

    @Test(
        "root follows another user's link to no directory of its own, and its own to each",
        .enabled(if: getuid() == 0, "needs root"), arguments: [65_534, 0] as [uid_t])
    func linked(owner: uid_t) throws {
        try withTemporaryDirectory { directory in
            let (path, victim) = (directory + "/spool", directory + "/victim")
            #expect(mkdir(victim, 0o755) == 0)
            #expect(symlink(victim, path) == 0 && lchown(path, owner, owner) == 0)
            if owner == 0 {
                let spool = try ReportSpool.open(FilePath(path), isCreating: true)
                #expect(spool != nil)
            } else {
                #expect(throws: ReportsError.self) { try ReportSpool.open(FilePath(path), isCreating: true) }
                let modes = try modes(victim)
                #expect(modes == ["": 0o755])
            }
        }
    }

    /// Of a shared spool whose `incoming/` somebody has removed.
    private func withClosedSpool(_ body: (FilePath) throws -> Void) throws {
        try withTemporaryDirectory { directory in
            let path = FilePath(directory + "/spool")
            var options = ReportSpool.Options()
            options.isShared = true
            _ = try ReportSpool.open(path, isCreating: true, options: options)
            #expect(rmdir(path.string + "/incoming") == 0)
            try body(path)
        }
    }

    @Test("an incoming/ that was removed from a shared spool is made again for all users")
    func madeAgain() throws {
        try withClosedSpool { path in
            let again = try #require(try ReportSpool.open(path, isCreating: true))
            #expect(again.options.isShared)
            #expect(try modes(path.string)["incoming"] == 0o3733)
        }
    }

    @Test("also where the set-group-ID bit must not be set, as under RestrictSUIDSGID=")
    func madeAgainWithoutGroup() throws {
        try withClosedSpool { path in
            // The first wish has the bit, and so has the third, which a spool without it comes to each time.
            let wishes = Monitor(0)
            let files = FaultingFileSystem { call throws(FileSystemError) in
                guard call.operation == .setPermissions, call.room == "incoming" else { return }
                wishes.withLock { $0 += 1 }
                if wishes.value != 2 { throw FileSystemError(.changeMode, "incoming", .notPermitted) }
            }
            let again = try #require(try ReportSpool.open(path, isCreating: true, files: files))
            #expect(again.options.isShared)
            #expect(try modes(path.string)["incoming"] == 0o1733)
        }
    }

    @Test("one that was removed from any other spool is its owner's", arguments: [0o700, 0o755, 0o711] as [mode_t])
    func madeAgainPrivate(mode: mode_t) throws {
        try withTemporaryDirectory { directory in
            let path = FilePath(directory + "/spool")
            // Of mode 0711 before there was a spool in it, as a unit file makes it.
            if mode == 0o711 { #expect(mkdir(path.string, mode) == 0 && chmod(path.string, mode) == 0) }
            if mode != 0o711 {
                _ = try ReportSpool.open(path, isCreating: true)
                #expect(rmdir(path.string + "/incoming") == 0 && chmod(path.string, mode) == 0)
            }
            let spool = try #require(try ReportSpool.open(path, isCreating: true))
            #expect(!spool.options.isShared)
            #expect(try modes(path.string)["incoming"] == 0o700)
        }
    }

    @Test("in shared mode anybody may drop and nobody else may look; it is remembered")
    func shared() throws {
        try withTemporaryDirectory { directory in
            let path = FilePath(directory + "/spool")
            var options = ReportSpool.Options()
            options.isShared = true
            let made = try withUmask(0o077) { [options] in
                try ReportSpool.open(path, isCreating: true, options: options)?.options.isShared
            }
            guard let made else { return }
            #expect(made == true)
            let modes = try modes(path.string)
            #expect(modes[""] == 0o711)
            #expect(modes["incoming"] == 0o3733)
            for room in ["taken", "tmp", "collected", "queued", "parked"] { #expect(modes[room] == 0o700) }
            let again = try #require(try ReportSpool.open(path, isCreating: true))
            #expect(again.options.isShared)
            var findings = 0
            try Doctor(spool: again).examine { _ in findings += 1 }
            #expect(findings == 0)
        }
    }

    @Test("looking does not make a spool", arguments: [true, false])
    func missing(isEmptyDirectory: Bool) throws {
        try withTemporaryDirectory { directory in
            let path = isEmptyDirectory ? directory : directory + "/none"
            let spool = try ReportSpool.open(FilePath(path), isCreating: false)
            #expect(spool == nil)
            #expect(try FileManager.default.contentsOfDirectory(atPath: directory) == [])
        }
    }

    @Test("a spool has its rooms and its version, and opening it again changes nothing")
    func layout() throws {
        try withTemporaryDirectory { directory in
            let path = directory + "/deep/below/spool"
            let harness = try SpoolHarness(path)
            let rooms = [
                "VERSION", "collected", "incoming", "ledger.sqlite", "ledger.sqlite-shm", "ledger.sqlite-wal",
                "owner.lock", "parked", "queued", "taken", "tmp",
            ]
            // The reserve is left out where that would not leave enough space.
            let found = { try harness.entries("").filter { $0 != "ledger.reserve" } }
            #expect(try found() == rooms)
            _ = try SpoolHarness(path)
            #expect(try found() == rooms)
            let version = try Data(contentsOf: URL(fileURLWithPath: path + "/VERSION"))
            #expect(version == Data("1\n".utf8))
        }
    }

    @Test("a path that leads through a file is refused with a reason")
    func throughAFile() throws {
        try withTemporaryDirectory { directory in
            try Data().write(to: URL(fileURLWithPath: directory + "/file"))
            for path in ["/file", "/file/spool"] {
                let error = #expect(throws: ReportsError.self) { try SpoolHarness(directory + path) }
                #expect(error?.code == .spoolNotUsable)
                #expect(error?.message.contains("not a directory") == true)
            }
        }
    }

    @Test("a room that is a symbolic link is not entered")
    func linkedRoom() throws {
        try withTemporaryDirectory { directory in
            let path = directory + "/spool"
            _ = try SpoolHarness(path)
            try FileManager.default.removeItem(atPath: path + "/queued")
            try FileManager.default.createSymbolicLink(atPath: path + "/queued", withDestinationPath: directory)
            #expect(throws: ReportsError.self) { try SpoolHarness(path) }
        }
    }
}
