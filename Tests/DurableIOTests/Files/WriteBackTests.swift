import DurableIO
import Foundation
import SystemPackage
import TestSupport
import Testing

@Suite("Write-back")
struct WriteBackTests {
    private let files = POSIXFileSystem()

    @Test("a file holds after it what it held before, and is longer than what was asked for")
    func file() throws {
        try withTemporaryDirectory { path in
            let directory = try files.openDirectory(FilePath(path))
            let file = try files.createFile("file", in: directory)
            try files.write(Array("contents".utf8), to: file)
            try files.startWriteBack(of: file, in: 0..<4)
            try files.finishWriteBack(of: file, in: 0..<4)
            try files.finishWriteBack(of: file, in: 4..<1 << 40)
            #expect(try files.read(file, limit: 100) == Array("contents".utf8))
        }
    }

    @Test("what cannot be written back, such as a pipe, is no failure")
    func pipe() throws {
        var ends: [Int32] = [0, 0]
        try #require(Glibc.pipe(&ends) == 0)
        let reader = OwnedDescriptor(adopting: ends[0], path: "pipe")
        let writer = OwnedDescriptor(adopting: ends[1], path: "pipe")
        try files.startWriteBack(of: reader, in: 0..<1)
        try files.finishWriteBack(of: reader, in: 0..<1)
        _ = consume writer
    }

    @Test("what is written back is not there after a power cut; what is synced is")
    func powerCut() throws {
        try withTemporaryDirectory { path in
            try FileManager.default.createDirectory(atPath: path + "/disk", withIntermediateDirectories: false)
            let cuts = Monitor<[PowerCut]>([])
            let disk = try PowerCutFileSystem(path + "/disk", spool: "root") { cut in cuts.withLock { $0.append(cut) } }
            let directory = try disk.openDirectory(FilePath(path + "/disk"))
            let file = try disk.createFile("file", in: directory)
            try disk.write(Array("contents".utf8), to: file)
            try disk.startWriteBack(of: file, in: 0..<8)
            try disk.finishWriteBack(of: file, in: 0..<8)
            func left() throws -> String {
                disk.moment("now")
                let image = try #require(cuts.value.last?.image(.all))
                let after = "\(path)/after\(cuts.value.count)"
                try FileManager.default.createDirectory(atPath: after, withIntermediateDirectories: false)
                try image.reboot(into: after)
                return try String(contentsOfFile: after + "/file", encoding: .utf8)
            }
            #expect(try left() == "")
            try disk.sync(file)
            #expect(try left() == "contents")
        }
    }

    @Test("a group is synced file by file where that is asked for", arguments: [31, 32, 100])
    func oneByOne(count: Int) throws {
        try withTemporaryDirectory { path in
            let calls = Monitor<[String]>([])
            let recording = FaultingFileSystem { call throws(FileSystemError) in
                guard call.operation == .sync || call.operation == .rename else { return }
                calls.withLock { $0.append("\(call.operation.rawValue) \(call.room)") }
            }
            for room in ["tmp", "out"] {
                try FileManager.default.createDirectory(atPath: "\(path)/\(room)", withIntermediateDirectories: false)
            }
            let (temporary, published) = (
                try recording.openDirectory(FilePath(path + "/tmp")),
                try recording.openDirectory(FilePath(path + "/out"))
            )
            let entries = try (0..<count).map { number in
                let name = try #require(EntryName("f\(number)"))
                return Publication.Entry(try Publication(files: recording, in: temporary, as: name), as: name)
            }
            let errors = Publication.appear(entries, in: published, syncing: .oneByOne, files: recording)
            #expect(errors.allSatisfy { $0 == nil })
            #expect(calls.value == Array(repeating: ["sync ", "rename out"], count: count).flatMap { $0 })
        }
    }
}
