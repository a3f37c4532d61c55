import Background
import TestSupport
import Testing

/// The first rank goes first, and each fourth claim is the row due longest.
struct ClaimOrderTests {
    private struct Row: Identifiable {
        let id: Int
    }

    private static func merged(newest: [Int], dueLongest: [Int], after count: Int = 0, limit: Int = 100) -> [Int] {
        ClaimOrder.merged(
            newest: newest.map(Row.init), dueLongest: dueLongest.map(Row.init), after: count, limit: limit
        ).map(\.id)
    }

    @Test("Three of the first rank, then the one due longest, then three again")
    func fourths() {
        let merged = Self.merged(newest: [9, 8, 7, 6, 5], dueLongest: [1, 2, 3, 5, 6, 7, 8, 9])
        #expect(merged == [9, 8, 7, 1, 6, 5, 2, 3])
    }

    @Test("Where a batch begins among the fourths is what earlier batches have left", arguments: 0..<12)
    func count(before: Int) {
        let whole = Self.merged(newest: Array(100..<200), dueLongest: Array(0..<100), limit: 100)
        let later = Self.merged(newest: Array(100..<200), dueLongest: Array(0..<100), after: before, limit: 8)
        for (offset, row) in later.enumerated() {
            #expect((row < 100) == (whole[before + offset] < 100))
            #expect((row < 100) == ((before + offset) % ClaimOrder.period == ClaimOrder.period - 1))
        }
    }

    @Test("Without a row of the first rank the order is that of the due times")
    func noFirstRank() {
        #expect(Self.merged(newest: [], dueLongest: [1, 2, 3, 4, 5], limit: 4) == [1, 2, 3, 4])
    }

    @Test("A row that is in both lists is claimed once, and no row is left out", arguments: 0..<50 as Range<UInt64>)
    func once(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let all = (0..<Int.random(in: 0..<40, using: &generator)).shuffled(using: &generator)
        let newest = all.filter { $0 % 3 == 0 }.sorted(by: >)
        let limit = Int.random(in: 0...40, using: &generator)
        let before = Int.random(in: 0...7, using: &generator)
        let merged = Self.merged(
            newest: Array(newest.prefix(limit)), dueLongest: Array(all.prefix(limit)), after: before, limit: limit)
        #expect(merged.count == Set(merged).count)
        #expect(merged.count == min(limit, all.count))
    }
}
