import DurableIO
import Foundation
import SystemPackage
import TestSupport
import Testing

@Suite("Writer probe")
struct WriterProbeTests {
    private let files = POSIXFileSystem()

    private func probe(_ path: String) throws -> WriterProbe {
        WriterProbe(try files.openFile("file", in: files.openDirectory(FilePath(path))))
    }

    private func answer(_ path: String) throws -> WriterProbe.Answer {
        let probe = try probe(path)
        return probe.answer
    }

    @Test("a writer is seen, whichever process it is, and gone when it has closed")
    func openWriter() throws {
        try withTemporaryDirectory { path in
            let url = URL(fileURLWithPath: path + "/file")
            try Data("begun".utf8).write(to: url)
            let writer = try FileHandle(forWritingTo: url)
            #expect(try answer(path) == .writing)
            try writer.close()
            let after = try probe(path)
            let holds = after.stillHolds
            #expect(holds)
        }
    }

    @Test("readers do not count")
    func openReader() throws {
        try withTemporaryDirectory { path in
            let url = URL(fileURLWithPath: path + "/file")
            try whileNothingStarts { try Data("done".utf8).write(to: url) }
            let reader = try FileHandle(forReadingFrom: url)
            #expect(try answer(path) == .noWriter)
            try reader.close()
        }
    }

    @Test("somebody who opens it for writing breaks the probe, and need not wait for long")
    func brokenByWriter() throws {
        try withTemporaryDirectory { path in
            try Data("done".utf8).write(to: URL(fileURLWithPath: path + "/file"))
            let held = try probe(path)
            let before = held.stillHolds
            #expect(before)
            // Opened without waiting: the kernel tells the holder all the same (open(2), O_NONBLOCK and leases).
            let raw = open(path + "/file", O_WRONLY | O_NONBLOCK)
            #expect(raw < 0 && errno == EWOULDBLOCK)
            let after = held.stillHolds
            #expect(!after)
        }
    }

    @Test("what is no regular file cannot be asked about")
    func unknown() throws {
        try withTemporaryDirectory { path in
            try #require(mkfifo(path + "/file", 0o600) == 0)
            let found = try answer(path)
            #expect(found == .unknown)
        }
    }
}
