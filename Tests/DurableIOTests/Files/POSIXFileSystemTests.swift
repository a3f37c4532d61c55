import DurableIO
import Foundation
import SystemPackage
import TestSupport
import Testing

@Suite("POSIX file system")
struct POSIXFileSystemTests {
    private let files = POSIXFileSystem()

    private func open(_ path: String) throws -> Directory { try files.openDirectory(FilePath(path)) }

    private func write(_ path: String, _ text: String = "contents") throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    }

    // MARK: - Errors

    /// A call that fails, and what its error has to name.
    struct Failure: Sendable, CustomTestStringConvertible {
        let operation: FileSystemError.Operation
        let entry: String
        let errno: Errno
        let call: @Sendable (POSIXFileSystem, Directory) throws -> Void

        var testDescription: String { "\(operation.rawValue) \(entry)" }
    }

    static let failures: [Failure] = [
        Failure(operation: .open, entry: "/none", errno: .noSuchFileOrDirectory) {
            _ = try $0.openFile("none", in: $1)
        },
        Failure(operation: .open, entry: "/link", errno: .tooManySymbolicLinkLevels) {
            _ = try $0.openFile("link", in: $1)
        },
        Failure(operation: .open, entry: "/file", errno: .notDirectory) { _ = try $0.openDirectory("file", in: $1) },
        Failure(operation: .create, entry: "/file", errno: .fileExists) { _ = try $0.createFile("file", in: $1) },
        Failure(operation: .rename, entry: "/none", errno: .noSuchFileOrDirectory) {
            try $0.rename("none", in: $1, to: "other", in: $1)
        },
        Failure(operation: .rename, entry: "/file", errno: .fileExists) {
            try $0.rename("file", in: $1, to: "link", in: $1)
        },
        Failure(operation: .remove, entry: "/directory", errno: .isDirectory) { try $0.remove("directory", in: $1) },
        Failure(operation: .changeMode, entry: "/none", errno: .noSuchFileOrDirectory) {
            try $0.setPermissions(0o600, of: "none", in: $1)
        },
        Failure(operation: .makeDirectory, entry: "/none/below", errno: .noSuchFileOrDirectory) {
            _ = try $0.makeDirectory(FilePath("\($1.path)/none/below"), permissions: 0o700)
        },
        // Of open files.
        Failure(operation: .read, entry: "/directory", errno: .isDirectory) {
            _ = try $0.read($0.openFile("directory", in: $1), limit: 1)
        },
        Failure(operation: .write, entry: "/file", errno: .badFileDescriptor) {
            try $0.write([1], to: $0.openFile("file", in: $1))
        },
        Failure(operation: .sync, entry: "/pipe", errno: .invalidArgument) {
            try $0.sync($0.openFile(FilePath("\($1.path)/pipe")))
        },
    ]

    @Test("an error names operation, path and errno", arguments: failures)
    func errors(failure: Failure) throws {
        try withTemporaryDirectory { path in
            try write(path + "/file")
            try FileManager.default.createDirectory(atPath: path + "/directory", withIntermediateDirectories: false)
            try FileManager.default.createSymbolicLink(atPath: path + "/link", withDestinationPath: "file")
            try #require(mkfifo(path + "/pipe", 0o600) == 0)
            let directory = try open(path)
            let error = #expect(throws: FileSystemError.self) { try failure.call(files, directory) }
            #expect(error == FileSystemError(failure.operation, path + failure.entry, failure.errno))
            #expect(
                error?.description.hasPrefix("cannot \(failure.operation.rawValue) \(path)\(failure.entry): ") == true)
        }
    }

    @Test("a linked file is one file with two names, and no link replaces another file")
    func links() throws {
        try withTemporaryDirectory { path in
            let directory = try open(path)
            try write(path + "/file")
            let before = try #require(try files.metadata(of: "file", in: directory))
            try files.link("file", in: directory, to: "second", in: directory)
            let after = try #require(try files.metadata(of: "second", in: directory))
            #expect(after.isSameContent(as: before))
            #expect(after.linkCount == 2)
            #expect(after.changed >= before.changed)
            let error = #expect(throws: FileSystemError.self) {
                try files.link("file", in: directory, to: "second", in: directory)
            }
            #expect(error?.errno == .fileExists)
        }
    }

    @Test("what is absent is no error where absence is an answer")
    func absence() throws {
        try withTemporaryDirectory { path in
            let directory = try open(path)
            #expect(try files.metadata(of: "none", in: directory) == nil)
            #expect(try !files.remove("none", in: directory))
            #expect(try files.contents(of: "none", in: directory) == nil)
            #expect(try files.isEmpty(directory))
        }
    }

    // MARK: - Modes

    @Test("files are 0600 and directories as asked, whatever the umask", arguments: [0o000, 0o022, 0o777] as [UInt32])
    func umaskDoesNotMatter(mask: UInt32) throws {
        try withTemporaryDirectory { path in
            _ = try withUmask(mask) {
                let files = POSIXFileSystem()
                let directory = try files.openDirectory(FilePath(path))
                _ = try files.createFile("file", in: directory)
                _ = try files.makeDirectory("private", in: directory, permissions: 0o700)
                _ = try files.makeDirectory("shared", in: directory, permissions: 0o1733)
            }
            guard FileManager.default.fileExists(atPath: path + "/file") else { return }
            #expect(try permissions(path + "/file") == 0o600)
            #expect(try permissions(path + "/private") == 0o700)
            #expect(try permissions(path + "/shared") == 0o1733)
        }
    }

    @Test("missing parents are made, and an existing directory is left as it is")
    func directories() throws {
        try withTemporaryDirectory { path in
            let deep = FilePath(path + "/a/b/c")
            try files.makeDirectories(deep, permissions: 0o700)
            #expect(try permissions(deep.string) == 0o700)
            try files.setPermissions(0o750, of: "c", in: open(path + "/a/b"))
            try files.makeDirectories(deep, permissions: 0o700)
            #expect(try permissions(deep.string) == 0o750)
            try write(path + "/a/file")
            let error = #expect(throws: FileSystemError.self) {
                try files.makeDirectories(FilePath(path + "/a/file/below"), permissions: 0o700)
            }
            #expect(error?.errno == .notDirectory)
        }
    }

    // MARK: - Names and bytes

    @Test("names are bytes: newline, escape and what is not UTF-8 come and go unchanged")
    func names() throws {
        try withTemporaryDirectory { path in
            let directory = try open(path)
            let names = try [[0x0a, 0x1b], [0xff, 0xfe], Array("plain".utf8), [UInt8](repeating: 0x80, count: 255)]
                .map { try #require(EntryName(bytes: $0)) }
            for name in names { _ = try files.createFile(name, in: directory) }
            #expect(try files.entries(of: directory) == names.sorted())
            for name in names { #expect(try files.remove(name, in: directory)) }
            #expect(try files.isEmpty(directory))
        }
    }

    @Test("two listings of one directory do not share a position")
    func listings() throws {
        try withTemporaryDirectory { path in
            let directory = try open(path)
            for number in 0..<5 { try write("\(path)/\(number)") }
            var counts: [Int] = []
            try files.forEachEntry(in: directory) { _ in
                counts.append((try? files.entries(of: directory).count) ?? 0)
                return true
            }
            #expect(counts == [5, 5, 5, 5, 5])
        }
    }

    @Test("reads stop at the limit and at the end; writes land whole, at the position or an offset")
    func readingAndWriting() throws {
        try withTemporaryDirectory { path in
            let directory = try open(path)
            let file = try files.createFile("file", in: directory)
            let bytes = [UInt8](repeating: 7, count: 3_000_000)
            try files.write(bytes, to: file)
            #expect(try files.read(file, limit: 10) == Array(repeating: 7, count: 10))
            #expect(try files.read(file, limit: 4_000_000) == bytes)
            #expect(try files.metadata(of: file).size == 3_000_000)
            #expect(try files.contents(of: "file", in: directory, limit: 5)?.count == 5)
        }
    }

    @Test("a renamed directory stays the one that was opened")
    func heldByDescriptor() throws {
        try withTemporaryDirectory { path in
            try files.makeDirectories(FilePath(path + "/a"), permissions: 0o700)
            let directory = try open(path + "/a")
            try FileManager.default.moveItem(atPath: path + "/a", toPath: path + "/b")
            _ = try files.createFile("file", in: directory)
            #expect(FileManager.default.fileExists(atPath: path + "/b/file"))
        }
    }

    @Test("opening a FIFO does not wait for its writer")
    func fifo() throws {
        try withTemporaryDirectory { path in
            #expect(mkfifo(path + "/fifo", 0o600) == 0)
            let file = try files.openFile("fifo", in: open(path))
            #expect(try files.metadata(of: file).kind == .fifo)
        }
    }

    @Test("a file is the same while nobody changes it")
    func sameContent() throws {
        try withTemporaryDirectory { path in
            let directory = try open(path)
            try write(path + "/file")
            let before = try #require(try files.metadata(of: "file", in: directory))
            #expect(try files.metadata(of: "file", in: directory)?.isSameContent(as: before) == true)
            try write(path + "/file", "other contents")
            #expect(try files.metadata(of: "file", in: directory)?.isSameContent(as: before) == false)
        }
    }
}
