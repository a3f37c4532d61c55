import DurableIO
import Testing

@testable import Reports

@Suite("The order of entries")
struct EntryOrderTests {
    private func names(_ numbers: some Sequence<Int>) -> [EntryName] {
        numbers.compactMap { EntryName("entry-\(String(repeating: "0", count: $0 < 10 ? 1 : 0))\($0)") }
    }

    @Test("crashes come first, the newest before the others, and without any that is none")
    func crashesFirst() {
        var order = EntryOrder()
        let (others, crashes) = (names(10..<14), names(20..<23))
        order.add(crashes: zip([5, 9, 7], crashes).map { (collectedAt: $0, name: $1) })
        order.add(others)
        #expect(order.next(2) == [crashes[1], crashes[2]])
        #expect(order.next(100) == [crashes[0]])
        #expect(order.next(3) == Array(others[..<3]))
        #expect(order.next(3) == [others[3]])
        #expect(order.isEmpty)
    }

    @Test("a name that is held is held once; one that was handed out may come again")
    func once() {
        var order = EntryOrder()
        let name = names(1..<2)
        order.add(name + name)
        order.add(name)
        order.add(crashes: [(collectedAt: 1, name: name[0])])
        #expect(!order.wants(name[0]))
        #expect(order.next(10) == name)
        #expect(order.wants(name[0]))
        order.add(name)
        #expect(order.next(10) == name)
    }

    @Test("what comes later stands behind what is there")
    func later() {
        var order = EntryOrder()
        let (first, second) = (names(5..<8), names(1..<3))
        order.add(first)
        #expect(order.next(1) == [first[0]])
        order.add(second)
        #expect(order.next(10) == first[1...] + second)
    }
}
