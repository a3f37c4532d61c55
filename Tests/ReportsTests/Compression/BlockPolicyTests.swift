import Reports
import Testing

@Suite("The block policy")
struct BlockPolicyTests {
    let policy = BlockPolicy.standard

    @Test func smallPayloadsAreNotSampled() {
        #expect(!policy.needsSample(at: 0, byteCount: 0))
        #expect(!policy.needsSample(at: 0, byteCount: 131_072))
        #expect(policy.needsSample(at: 0, byteCount: 131_073))
        #expect(policy.needsSample(at: 262_144, byteCount: 1))
    }

    @Test("Level 6 for the first 64 MiB, level 1 beyond, however far")
    func levels() {
        #expect(policy.level(at: 0, shrinks: true) == .balanced)
        #expect(policy.level(at: (64 << 20) - 1, shrinks: true) == .balanced)
        #expect(policy.level(at: 64 << 20, shrinks: true) == .fast)
        #expect(policy.level(at: 1 << 40, shrinks: true) == .fast)
        #expect(policy.level(at: 0, shrinks: false) == .stored)
        #expect(policy.level(at: .max, shrinks: false) == .stored)
        #expect(policy.balancedByteCount % UInt64(policy.blockByteCount) == 0)
    }

    @Test func threePercentIsWorthIt() {
        #expect(policy.isWorthwhile(sampled: 10_000, compressed: 9_700))
        #expect(!policy.isWorthwhile(sampled: 10_000, compressed: 9_701))
    }

    @Test("A sample lies within its block and covers a small one", arguments: [0, 1, 6_143, 6_144, 6_145, 262_144])
    func samplePieces(byteCount: Int) {
        let (first, second, third) = policy.samplePieces(ofBlock: byteCount)
        #expect(first.lowerBound == 0 && third.upperBound == byteCount)
        #expect(first.upperBound <= second.lowerBound && second.upperBound <= third.lowerBound)
        #expect(first.count + second.count + third.count == min(byteCount, 6_144))
    }
}

@Suite("The wire form")
struct WireFormTests {
    @Test func leavesTheHeaderOut() throws {
        let form = try #require(WireForm(headerByteCount: 100, fileByteCount: 1_100))
        #expect(form.range == 100..<1_100)
        #expect(form.byteCount == 1_010)
        #expect(WireForm.prefix == [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff])
    }

    @Test func countsBeyondFourGibibytes() throws {
        let form = try #require(WireForm(headerByteCount: 60_000, fileByteCount: 1 << 40))
        #expect(form.byteCount == (1 << 40) - 60_000 + 10)
    }

    @Test func theTrailerCountsModuloFourGibibytes() {
        let trailer = WireForm.trailer(checksum: 0x0403_0201, payloadByteCount: (1 << 32) + 5)
        #expect(trailer == [1, 2, 3, 4, 5, 0, 0, 0])
    }

    @Test func needsAWholeMember() {
        #expect(WireForm(headerByteCount: 100, fileByteCount: 110) != nil)
        #expect(WireForm(headerByteCount: 100, fileByteCount: 109) == nil)
        #expect(WireForm(headerByteCount: 100, fileByteCount: 0) == nil)
        #expect(WireForm(headerByteCount: -1, fileByteCount: 100) == nil)
    }
}
