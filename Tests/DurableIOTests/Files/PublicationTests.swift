import DurableIO
import Foundation
import SystemPackage
import TestSupport
import Testing

@Suite("Publication")
struct PublicationTests {
    /// A directory for temporary files and one for published ones.
    private struct Rooms {
        let temporary: Directory
        let published: Directory
        let path: String

        init(_ path: String, files: any FileSystem) throws {
            self.path = path
            for name in ["tmp", "out"] { _ = try files.makeDirectory(FilePath("\(path)/\(name)"), permissions: 0o700) }
            temporary = try files.openDirectory(FilePath(path + "/tmp"))
            published = try files.openDirectory(FilePath(path + "/out"))
        }

        func entries(_ name: String) throws -> [String] {
            try FileManager.default.contentsOfDirectory(atPath: "\(path)/\(name)").sorted()
        }

        func text(_ name: String) throws -> String {
            String(decoding: try Data(contentsOf: URL(fileURLWithPath: "\(path)/out/\(name)")), as: UTF8.self)
        }
    }

    private let files = POSIXFileSystem()

    private func begin(_ rooms: Rooms, _ name: String, _ text: String) throws -> Publication {
        let publication = try Publication(files: files, in: rooms.temporary, as: #require(EntryName(name)))
        try publication.write(Array(text.utf8))
        return publication
    }

    @Test("nothing is to be seen before it is published, everything after")
    func whole() throws {
        try withTemporaryDirectory { path in
            let rooms = try Rooms(path, files: files)
            let publication = try begin(rooms, "a", "contents")
            #expect(try rooms.entries("tmp") == ["a"])
            #expect(try rooms.entries("out") == [])
            #expect(try publication.publish(as: "final", in: rooms.published))
            #expect(try rooms.entries("tmp") == [])
            #expect(try rooms.text("final") == "contents")
        }
    }

    @Test("abandoned, it takes its temporary file with it")
    func abandoned() throws {
        try withTemporaryDirectory { path in
            let rooms = try Rooms(path, files: files)
            do { _ = try begin(rooms, "a", "contents") }
            #expect(try rooms.entries("tmp") == [])
            #expect(try rooms.entries("out") == [])
        }
    }

    @Test("it never replaces, and says so")
    func neverReplaces() throws {
        try withTemporaryDirectory { path in
            let rooms = try Rooms(path, files: files)
            #expect(try begin(rooms, "a", "first").publish(as: "final", in: rooms.published))
            do { #expect(try !begin(rooms, "b", "second").publish(as: "final", in: rooms.published)) }
            #expect(try rooms.text("final") == "first")
            #expect(try rooms.entries("tmp") == [])
        }
    }

    @Test("bytes written at an offset land there")
    func offset() throws {
        try withTemporaryDirectory { path in
            let rooms = try Rooms(path, files: files)
            let publication = try begin(rooms, "a", "0123456789")
            try publication.write(Array("xx".utf8), at: 4)
            _ = try publication.publish(as: "final", in: rooms.published)
            #expect(try rooms.text("final") == "0123xx6789")
        }
    }

    @Test("a group appears whole, and each is told whether it is new", arguments: [0, 1, 31, 32, 100])
    func group(count: Int) throws {
        try withTemporaryDirectory { path in
            let rooms = try Rooms(path, files: files)
            if count > 0 { _ = try begin(rooms, "old", "old").publish(as: "f0", in: rooms.published) }
            let entries = try (0..<count).map { number in
                Publication.Entry(try begin(rooms, "t\(number)", "new"), as: try #require(EntryName("f\(number)")))
            }
            let areNew = try Publication.publish(entries, in: rooms.published, files: files)
            #expect(areNew == (0..<count).map { $0 > 0 })
            #expect(try rooms.entries("out").count == count)
            for number in 0..<count { #expect(try rooms.text("f\(number)") == (number == 0 ? "old" : "new")) }
        }
    }

    @Test("contents are durable before the name, the name before the return", arguments: [1, 31, 32])
    func order(count: Int) throws {
        try withTemporaryDirectory { path in
            let calls = Monitor<[String]>([])
            let recording = FaultingFileSystem { call throws(FileSystemError) in
                guard call.operation == .sync || call.operation == .rename else { return }
                calls.withLock { $0.append("\(call.operation.rawValue) \(call.room)") }
            }
            let rooms = try Rooms(path, files: files)
            let entries = try (0..<count).map { number in
                let name = try #require(EntryName("t\(number)"))
                return Publication.Entry(try Publication(files: recording, in: rooms.temporary, as: name), as: name)
            }
            _ = try Publication.publish(entries, in: rooms.published, files: recording)
            let syncs = count < 32 ? Array(repeating: "sync ", count: count) : ["sync out"]
            #expect(calls.value == syncs + Array(repeating: "rename out", count: count) + ["sync out"])
        }
    }

    // MARK: - The cleaner

    @Test("a cleaner takes what dead writers left, and nothing of the living")
    func cleaner() throws {
        try withTemporaryDirectory { path in
            let rooms = try Rooms(path, files: files)
            let living = try begin(rooms, "living", "going on")
            try Data("rubbish".utf8).write(to: URL(fileURLWithPath: path + "/tmp/dead"))
            let cleaner = TemporaryCleaner(files: files, directory: rooms.temporary)
            #expect(try cleaner.clean() == ["dead"])
            #expect(try rooms.entries("tmp") == ["living"])
            #expect(try living.publish(as: "final", in: rooms.published))
            #expect(try rooms.text("final") == "going on")
        }
    }

    @Test("a cleaner leaves alone what it cannot open", .enabled(if: geteuid() == 0))
    func cleanerMeetsStrangers() throws {
        try withTemporaryDirectory { path in
            let rooms = try Rooms(path, files: files)
            try FileManager.default.createSymbolicLink(
                atPath: path + "/tmp/link", withDestinationPath: "/dev/null")
            #expect(try TemporaryCleaner(files: files, directory: rooms.temporary).clean() == [])
        }
    }
}
