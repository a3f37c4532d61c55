import DurableIO
import Testing

@testable import Reports

@Suite("Drops that were seen complete")
struct CompleteDropsTests {
    private func name(_ number: Int) throws -> EntryName { try #require(EntryName("f\(number)")) }

    @Test("drops that are never taken keep no later one from being known")
    func never() throws {
        let drops = CompleteDrops()
        for number in 0..<10_000 { drops.note(try name(number), in: nil, isComplete: true) }
        #expect(drops.forget("f9999", in: nil))
        #expect(drops.forget("f6000", in: nil))
        #expect(!drops.forget("f0", in: nil))
        #expect(!drops.forget("f9999", in: nil))
    }

    @Test("one that is touched again is not complete, whenever it was")
    func touched() throws {
        let drops = CompleteDrops()
        drops.note("early", in: nil, isComplete: true)
        drops.note("early", in: "shop", isComplete: true)
        for number in 0..<4_096 { drops.note(try name(number), in: nil, isComplete: true) }
        drops.note("early", in: nil, isComplete: false)
        #expect(!drops.forget("early", in: nil))
        #expect(drops.forget("early", in: "shop"))
    }
}
