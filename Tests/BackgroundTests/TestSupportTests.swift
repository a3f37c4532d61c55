import Foundation
import TestSupport
import Testing

/// The helpers that other tests lean on.
@Suite(.timeLimit(.minutes(10)))
struct TestSupportTests {
    @Test("SplitMix64 gives its published numbers")
    func splitMix() {
        var zero = SeededGenerator(seed: 0)
        #expect(zero.next() == 0xe220_a839_7b1d_cdaf)
        var other = SeededGenerator(seed: 1_234_567)
        #expect((0..<2).map { _ in other.next() } == [6_457_827_717_110_365_317, 3_203_168_211_198_807_973])
    }

    @Test("A temporary directory goes, with all that has no permissions and not what a link points to")
    func temporaryDirectory() async throws {
        try withTemporaryDirectory { kept in
            try Data([1]).write(to: URL(fileURLWithPath: kept + "/file"))
            var path = ""
            try withTemporaryDirectory { temporary in
                path = temporary
                let inner = temporary + "/a/b"
                try FileManager.default.createDirectory(atPath: inner, withIntermediateDirectories: true)
                try Data().write(to: URL(fileURLWithPath: inner + "/c"))
                try FileManager.default.createSymbolicLink(atPath: inner + "/link", withDestinationPath: kept)
                for entry in ["/a/b/c", "/a/b", "/a"] {
                    try FileManager.default.setAttributes([.posixPermissions: 0], ofItemAtPath: temporary + entry)
                }
            }
            #expect(!path.isEmpty && !FileManager.default.fileExists(atPath: path))
            #expect(FileManager.default.fileExists(atPath: kept + "/file"))
        }
        let path = try await withTemporaryDirectory { path in
            await Task.yield()
            #expect(FileManager.default.fileExists(atPath: path))
            return path
        }
        #expect(!FileManager.default.fileExists(atPath: path))
    }

    @Test("A temporary directory goes when its body throws")
    func temporaryDirectoryAfterThrow() throws {
        var path = ""
        #expect(throws: CancellationError.self) {
            try withTemporaryDirectory {
                path = $0
                throw CancellationError()
            }
        }
        #expect(!path.isEmpty && !FileManager.default.fileExists(atPath: path))
    }

    @Test("A program that fills all its pipes at once does not stop")
    func fullPipes() throws {
        let input = [UInt8](repeating: 66, count: 4 << 20)
        let both = try run("sh", ["-c", "head -c 3000000 /dev/zero >&2; cat; exit 7"], input: input)
        #expect(both.status == 7)
        #expect(!both.wasSignalled)
        #expect(both.stdout == input)
        #expect(both.stderr.count == 3_000_000)
    }

    @Test("Input that nobody reads kills nobody")
    func unreadInput() async throws {
        let result = try await runAsynchronously("true", input: [UInt8](repeating: 0, count: 4 << 20))
        #expect(result.status == 0)
    }

    @Test("Status, signal, environment and a missing program are told")
    func endings() throws {
        let killed = try run("sh", ["-c", "kill -9 $$"])
        #expect(killed.wasSignalled)
        #expect(killed.status == 9)
        let environment = try run("env", environment: ["ONLY": "this"])
        #expect(environment.output == "ONLY=this\n")
        #expect(throws: ToolNotFound.self) { try run("no-such-program-here") }
    }
}
