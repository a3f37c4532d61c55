import Diagnosis
import DurableIO
import Foundation
import Glibc
import TestSupport
import Testing

@testable import CaptureRun

/// A death of which more is known than reports have room for.
@Suite("What reports of a death have no room for")
struct IncidentLimitTests {
    private func withFixture(_ body: (inout RunFixture) throws -> Void) throws {
        try withTemporaryDirectory { directory in
            var fixture = RunFixture(directory)
            try body(&fixture)
        }
    }

    @Test("of very many reports the newest are kept, and all others are named")
    func manyReports() throws {
        try withFixture { fixture in
            let run = try fixture.make()
            fixture.startProgram(of: run)
            run.note(fixture.start)
            for number in 10..<50 {
                let path = "\(run.path)/worker-\(number).txt"
                try fixture.write(RunFixture.panic, to: path)
                let times = Array(repeating: timespec(tv_sec: 2_000 - number, tv_nsec: 0), count: 2)
                #expect(utimensat(AT_FDCWD, path, times, 0) == 0)
            }
            _ = try run.conclude(
                fixture.end(.exited(code: 0)), of: fixture.start, StderrExcerpt(), memory: fixture.memory,
                fixture.options)
            let drops = try fixture.drops()
            #expect(drops.count == 33)
            #expect(drops.count { $0.kind == "crash" } == 1)
            #expect(
                Set(drops.compactMap(\.payloadName)).isSuperset(of: (10..<42).map { "worker-\($0).txt" }))
            let files = try #require(drops.compactMap(\.json).first?["files"]?.arrayValue)
            let leftOut = files.filter { $0["left_out"]?.stringValue == "the 32 newest are kept" }
            #expect(leftOut.compactMap { $0["name"]?.stringValue } == (42..<50).map { "worker-\($0).txt" })
            #expect(files.count == 40)
        }
    }

    @Test("who crashed comes before all other annotations, and what has no room is named", arguments: [1, 1_024])
    func manyAnnotations(valueByteCount: Int) throws {
        try withFixture { fixture in
            for number in 10..<72 {
                fixture.options.annotations["a\(number)"] = String(repeating: "v", count: valueByteCount)
            }
            (fixture.options.name, fixture.options.release) = ("shop", "2.1")
            try fixture.run(.signalled(6, dumpedCore: false))
            let drop = try #require(try fixture.drops().first)
            #expect(drop.annotation("service") == "shop" && drop.annotation("version") == "2.1")
            let keys = drop.properties["annotations"]?.objectValue?.members.map(\.key) ?? []
            let named = drop.json?["annotations_left_out"]?.arrayValue?.compactMap(\.stringValue) ?? []
            #expect(keys.count == 64 || valueByteCount > 1)
            #expect(!named.isEmpty)
            #expect(Set(named).isDisjoint(with: keys))
            #expect(Set(named).union(keys).isSuperset(of: fixture.options.annotations.keys))
        }
    }
}
