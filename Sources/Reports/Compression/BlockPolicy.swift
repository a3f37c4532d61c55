/// Decides for each block of a payload how hard to compress it: pure arithmetic, the bytes are looked at elsewhere.
///
/// Two wishes meet here. Payloads that are compressed already (archives, images, encrypted dumps) should cost hardly
/// more than a copy, and a core dump of gigabytes should not keep a core busy for minutes. The decision depends on
/// nothing but the payload, so the same payload gives the same bytes with the same zlib.
package struct BlockPolicy: Hashable, Sendable {
    /// What reports use: 256 KiB blocks, sampled above 128 KiB, level 6 for the first 64 MiB and level 1 after that.
    package static let standard = BlockPolicy()

    /// The size of a block in bytes; only the last one is shorter.
    package var blockByteCount = 256 << 10
    /// The largest payload, in bytes, that is never sampled: deflate stores by itself what does not shrink.
    package var unsampledByteCount = 128 << 10
    /// The number of leading bytes compressed at ``CompressionLevel/balanced``.
    package var balancedByteCount: UInt64 = 64 << 20
    /// The size in bytes of each of the three pieces that make a sample: 2 KiB, or most of the time that a block of
    /// noise costs would go into its sample.
    package var samplePieceByteCount = 2 << 10

    /// Whether a block has to be sampled before it is compressed.
    ///
    /// - Parameters:
    ///   - offset: Where the block begins in the payload.
    ///   - byteCount: The size of the block. A short first block is the whole payload.
    /// - Returns: `false` for a whole payload that is small.
    package func needsSample(at offset: UInt64, byteCount: Int) -> Bool {
        offset > 0 || byteCount > unsampledByteCount
    }

    /// The level of the block at `offset`.
    ///
    /// - Parameters:
    ///   - offset: Where the block begins in the payload.
    ///   - shrinks: What the sample said; `true` without one.
    /// - Returns: The level for all of the block.
    package func level(at offset: UInt64, shrinks: Bool) -> CompressionLevel {
        guard shrinks else { return .stored }
        return offset < balancedByteCount ? .balanced : .fast
    }

    /// The parts of a block that stand for all of it: its beginning, its middle and its end, or all of a small block.
    ///
    /// Three places, because a header of text before noise, or of noise before text, would deceive any one.
    package func samplePieces(ofBlock byteCount: Int) -> (Range<Int>, Range<Int>, Range<Int>) {
        let piece = samplePieceByteCount
        guard byteCount > 3 * piece else { return (0..<byteCount, byteCount..<byteCount, byteCount..<byteCount) }
        let middle = (byteCount - piece) / 2
        return (0..<piece, middle..<(middle + piece), (byteCount - piece)..<byteCount)
    }

    /// Whether a sample shrank by the 3 % that make compressing worth its time.
    package func isWorthwhile(sampled: Int, compressed: Int) -> Bool {
        compressed * 100 <= sampled * 97
    }
}
