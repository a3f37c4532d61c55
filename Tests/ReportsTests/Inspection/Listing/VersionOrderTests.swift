import Testing

@testable import Reports

@Suite("The order of versions")
struct VersionOrderTests {
    /// Each of these comes before the next one.
    static let ordered = [
        "", "0.9", "1", "1.0~beta", "1.0-alpha", "1.0-alpha.2", "1.0-alpha.10", "1.0-rc1", "1.0-rc2", "1.0", "1.0-1",
        "1.0.0", "1.0.1", "1.9", "1.10", "2.01", "2.1", "2.1+build5", "2.1.0", "10.0",
        "20261128094500123456789012345678901234567890", "99999999999999999999999999999999999999999999999", "main",
        "v1.2", "v1.10", "ä",
    ]

    @Test("numbers count as numbers, and what is published before a version comes before it")
    func order() {
        for (left, first) in Self.ordered.enumerated() {
            for (right, second) in Self.ordered.enumerated() {
                #expect(VersionOrder.areInOrder(first, second) == (left < right), "\(first) and \(second)")
            }
        }
        #expect(Self.ordered.shuffled().sorted(by: VersionOrder.areInOrder) == Self.ordered)
    }
}
