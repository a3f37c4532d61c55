import Background
import DurableIO
import Foundation
import Reports
import TestSupport
import Testing

/// A ledger with random damage, at rest and after a crash: whatever it does to SQLite, no report is lost.
@Suite("Random damage to the ledger")
struct DamagedLedgerFuzzTests {
    @Test("every report is sent, or parked as it was", arguments: 0..<48)
    func nothingIsLost(seed: Int) async throws {
        try await withSpool { harness in
            var generator = SeededGenerator(seed: UInt64(seed))
            let parked = try await harness.make(.rejected, text: "parked")
            let queued = try (0..<12).map { try harness.add("report \($0) of seed \(seed)") }
            try await harness.takeIn()
            if Bool.random(using: &generator) { try await harness.crash() }
            try Self.damage(harness, &generator)

            _ = try await harness.submit()
            // What the damage hid may take one more run, which is the next one of any timer.
            _ = try await harness.submit()
            for id in queued {
                #expect(harness.sent.contains(id.hex), "seed \(seed): \(id) was never sent")
            }
            let rooms = try harness.rooms(of: parked)
            #expect(!rooms.isEmpty || harness.sent.contains(parked.hex), "seed \(seed)")
        }
    }

    /// Flips bytes, cuts, overwrites or swaps pages of the ledger or its WAL.
    private static func damage(_ harness: SpoolHarness, _ generator: inout SeededGenerator) throws {
        let names = ["ledger.sqlite", "ledger.sqlite-wal"].filter {
            FileManager.default.fileExists(atPath: "\(harness.path)/\($0)")
        }
        let name = names.randomElement(using: &generator) ?? "ledger.sqlite"
        let url = URL(fileURLWithPath: "\(harness.path)/\(name)")
        var bytes = Array(try Data(contentsOf: url))
        guard !bytes.isEmpty else { return }
        switch Int.random(in: 0..<4, using: &generator) {
        case 0:
            for _ in 0..<40 {
                let index = Int.random(in: 0..<bytes.count, using: &generator)
                bytes[index] ^= UInt8.random(in: 1...255, using: &generator)
            }
        case 1:
            bytes.removeLast(Int.random(in: 1...bytes.count, using: &generator))
        case 2:
            let start = Int.random(in: 0..<bytes.count, using: &generator)
            for index in start..<min(start + 4_096, bytes.count) { bytes[index] = 0 }
        default:
            for index in bytes.indices.suffix(8_192) { bytes[index] = UInt8.random(in: 0...255, using: &generator) }
        }
        try Data(bytes).write(to: url)
    }
}
