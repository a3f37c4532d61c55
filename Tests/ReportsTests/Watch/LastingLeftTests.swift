import DurableIO
import Foundation
import Glibc
import Reports
import TestSupport
import Testing

@testable import Reports

@Suite("What a run that lasts leaves where it is")
struct LastingLeftTests {
    private func append(to path: String) throws {
        try whileNothingStarts {
            let file = try #require(fopen(path, "a"))
            fputs("x", file)
            fclose(file)
        }
    }

    @Test("a file under an unfinished name is told of once, and not before it was unchanged for 5 minutes")
    func unfinished() async throws {
        try await withLastingRun { lasting in
            let harness = lasting.harness
            // The kernel dates the changes of the files.
            harness.clock.setWall(Int64(Date().timeIntervalSince1970 * 1_000))
            try await lasting.running {
                for number in 1...4 {
                    for name in ["x.tmp", "y.partial", ".z"] { try append(to: "\(harness.path)/incoming/\(name)") }
                    try harness.drop("drop \(number)", "payload \(number)")
                    await lasting.waitForSent(count: number)
                }
                #expect(lasting.left == [])
                // More than 5 minutes, because the files change while the test's clock stands still.
                lasting.clock.advance(by: 400_000)
                for number in 5...8 {
                    try append(to: "\(harness.path)/incoming/x.tmp")
                    try harness.drop("drop \(number)", "payload \(number)")
                    await lasting.waitForSent(count: number)
                }
                #expect(lasting.left == ["incoming/.z", "incoming/x.tmp", "incoming/y.partial"])
                // Each reader sees such a reason by itself.
                #expect(try SpoolInspector(spool: harness.spool).leftReasons() == [:])
                #expect(try harness.reason(ofDrop: "x.tmp")?.contains("unfinished") == true)
            }
        }
    }

    @Test("what can never be taken is told of once, however often it changes")
    func changing() async throws {
        try await withLastingRun { lasting in
            let harness = lasting.harness
            let path = harness.path + "/incoming/pipe"
            #expect(mkfifo(path, 0o600) == 0)
            try await lasting.running {
                for number in 1...4 {
                    let time = timeval(tv_sec: 1_000 * number, tv_usec: 0)
                    #expect(utimes(path, [time, time]) == 0)
                    try harness.drop("drop \(number)", "payload \(number)")
                    await lasting.waitForSent(count: number)
                }
                #expect(lasting.left == ["incoming/pipe"])
                #expect(try SpoolInspector(spool: harness.spool).leftReasons() == [:])
            }
        }
    }
}

extension LastingRunHarness {
    /// The paths that were told of as left, in order.
    fileprivate var left: [String] {
        events.value.compactMap { if case .left(let path, _) = $0 { path } else { nil } }.sorted()
    }
}
