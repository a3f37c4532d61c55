/// Who has the process to itself: a suspect row, a suspect drop, or nobody; and who is collecting drops meanwhile.
///
/// All times are milliseconds on the boot clock. A crash loses this value and nothing with it.
package struct Solitude: Hashable, Sendable {
    /// How long others are stopped at a time, at most: 10 s.
    package static let longestStop: Int64 = 10_000

    /// When claims were stopped for a suspect drop; `nil` while they are not.
    package private(set) var dropBegan: Int64?
    /// How many tasks are collecting drops.
    package private(set) var collectingCount = 0

    /// When claims go on, whatever becomes of the suspect drop; `nil` while they are not stopped.
    package func claimsGoOn(after now: Int64) -> Int64? {
        dropBegan.map { $0 + Self.longestStop }.flatMap { $0 > now ? $0 : nil }
    }

    mutating func collectingBegan() { collectingCount += 1 }
    mutating func collectingEnded() { collectingCount = max(0, collectingCount - 1) }
    mutating func dropBegan(at now: Int64) { dropBegan = now }
    mutating func dropEnded() { dropBegan = nil }
}
