import DurableIO
import Foundation
import Reports
import TestSupport
import Testing

/// Intake, drive, producers and people in interleavings that seeds choose, with a kill or a power cut at any moment.
///
/// `REPORTS_INTERLEAVINGS` says how many there are; the default is 9, a full run has 300 or more.
@Suite("Interleavings of intake and drive", .timeLimit(.minutes(30)))
struct InterleavingTests {
    private static let count =
        ProcessInfo.processInfo.environment["REPORTS_INTERLEAVINGS"].flatMap { Int($0) } ?? 9

    @Test("whoever goes on next, nothing accepted is lost, and all is delivered once", arguments: 0..<count)
    func everyoneInTurn(seed: Int) async throws {
        try await withMemoryDirectory { directory in
            let life = try InterleavedLife(directory, seed: UInt64(seed))
            try await life.run()
            // Opening the spool is a moment, too.
            let evicted = try life.evicted()
            let cases = life.cases
            #expect(life.turnCount > 1_000)
            #expect(cases.count > InterleavedLife.keptCount)
            #expect(life.repeated == [], "seed \(seed)")
            #expect(life.life.promises.accepted.count == 20, "seed \(seed)")
            #expect(evicted == [], "seed \(seed)")
            let losses = try await PowerCutOracle.losses(in: cases + [life.end])
            #expect(losses == [], "seed \(seed)")
        }
    }
}
