import Background
import TestSupport
import Testing

struct RetryPolicyTests {
    static let seeds = UInt64(0)..<500

    private func delays(failures: Int, retryAfter: Int64?, policy: RetryPolicy = RetryPolicy()) -> [Int64] {
        Self.seeds.map { seed in
            var generator = SeededGenerator(seed: seed)
            return policy.delay(failures: failures, retryAfter: retryAfter, using: &generator)
        }
    }

    @Test("The defaults are the documented ones")
    func defaults() {
        let policy = RetryPolicy()
        #expect(policy.base == 5_000)
        #expect(policy.cap == 3_600_000)
        #expect(policy.maximumRetryAfter == 86_400_000)
        #expect(policy.maximumCharges == 12)
        #expect(policy.maximumWindow == 16)
        #expect(policy.maximumAge == 2_592_000_000)
    }

    @Test(
        "Without Retry-After a wait lies in the upper half of a bound that doubles from 5 s to 1 h",
        arguments: [
            (1, 5_000), (2, 10_000), (3, 20_000), (4, 40_000), (5, 80_000), (6, 160_000), (7, 320_000), (8, 640_000),
            (9, 1_280_000), (10, 2_560_000), (11, 3_600_000), (12, 3_600_000), (62, 3_600_000), (63, 3_600_000),
            (64, 3_600_000), (65, 3_600_000), (1_000, 3_600_000), (Int.max, 3_600_000), (0, 5_000), (Int.min, 5_000),
        ] as [(Int, Int64)])
    func backoff(failures: Int, bound: Int64) {
        let waits = delays(failures: failures, retryAfter: nil)
        #expect(waits.allSatisfy { (bound / 2...bound).contains($0) })
        // 500 draws from an even spread reach near both ends.
        #expect((waits.min() ?? .max) < bound * 53 / 100)
        #expect((waits.max() ?? .min) > bound * 97 / 100)
        #expect(Set(waits).count > 350)
    }

    @Test(
        "Retry-After is a floor, never a ceiling",
        arguments: [0, 1, 999, 1_000, 5_000, 29_999, 30_000, 30_001, 3_600_000, 86_399_999, 86_400_000] as [Int64],
        [1, 2, 3, 11, 100])
    func floor(retryAfter: Int64, failures: Int) {
        let bound: Int64 = min(3_600_000, 5_000 << (min(failures, 20) - 1))
        let floor = max(retryAfter, 1_000, failures >= 2 ? bound / 2 : 0)
        let spread = retryAfter < 30_000 ? retryAfter / 10 : retryAfter / 2
        let ceiling = max(retryAfter, 1_000, failures >= 2 ? bound : 0) + spread
        #expect(delays(failures: failures, retryAfter: retryAfter).allSatisfy { (floor...ceiling).contains($0) })
    }

    @Test("Clients told the same time do not come back together")
    func spread() {
        let short = delays(failures: 1, retryAfter: 20_000)
        #expect(short.allSatisfy { (20_000...22_000).contains($0) })
        #expect((short.max() ?? 0) - (short.min() ?? 0) > 1_900)
        let long = delays(failures: 1, retryAfter: 60_000)
        #expect(long.allSatisfy { (60_000...90_000).contains($0) })
        #expect((long.max() ?? 0) - (long.min() ?? 0) > 29_000)
        #expect(Set(long).count > 450)
    }

    @Test("A first failure is not made to wait longer than the server asks, a second is")
    func firstFailure() {
        #expect(delays(failures: 1, retryAfter: 0).allSatisfy { $0 == 1_000 })
        #expect(delays(failures: 2, retryAfter: 0).allSatisfy { (5_000...10_000).contains($0) })
    }

    @Test("A Retry-After outside its range is brought into it", arguments: [86_400_001, 1 << 40, Int64.max])
    func hugeRetryAfter(retryAfter: Int64) {
        #expect(delays(failures: 1, retryAfter: retryAfter).allSatisfy { (86_400_000...129_600_000).contains($0) })
        #expect(delays(failures: 1, retryAfter: -retryAfter).allSatisfy { $0 == 1_000 })
    }

    @Test("A policy at the ends of its range does not trap")
    func strangePolicies() {
        let endless = RetryPolicy(base: .max, cap: .max, maximumRetryAfter: .max)
        #expect(delays(failures: 3, retryAfter: .max, policy: endless).allSatisfy { $0 == .max })
        #expect(delays(failures: 3, retryAfter: nil, policy: endless).allSatisfy { $0 >= .max / 2 })
        let backwards = RetryPolicy(base: .min, cap: .min, maximumRetryAfter: .min)
        #expect(delays(failures: 3, retryAfter: nil, policy: backwards).allSatisfy { $0 == 0 })
        #expect(delays(failures: 3, retryAfter: 5, policy: backwards).allSatisfy { $0 == 1_000 })
    }

    @Test("The same numbers from the generator give the same wait")
    func isDeterministic() {
        #expect(delays(failures: 4, retryAfter: nil) == delays(failures: 4, retryAfter: nil))
    }
}
