/// Compresses a small part of a block, to learn whether the whole is worth it.
///
/// One small stream is kept and started anew for each block: a sample costs less than 0.1 ms, no allocation.
struct BlockSampler: ~Copyable {
    private var deflater: Deflater
    private let policy: BlockPolicy

    init(policy: BlockPolicy) throws(ZlibError) {
        self.deflater = try Deflater(level: .fast, windowByteCount: 8 << 10)
        self.policy = policy
    }

    /// Whether the pieces of `block`, compressed in one stream, shrink enough.
    mutating func shrinks(_ block: UnsafeRawBufferPointer) throws(ZlibError) -> Bool {
        let (first, second, third) = policy.samplePieces(ofBlock: block.count)
        var compressed = 0
        do throws(CompressionFailure<Never>) {
            deflater.reset()
            try deflater.write(UnsafeRawBufferPointer(rebasing: block[first])) { compressed += $0.count }
            try deflater.write(UnsafeRawBufferPointer(rebasing: block[second])) { compressed += $0.count }
            try deflater.write(UnsafeRawBufferPointer(rebasing: block[third])) { compressed += $0.count }
            try deflater.finish { compressed += $0.count }
        } catch {
            switch error {
            case .zlib(let error): throw error
            }
        }
        let sampled = first.count + second.count + third.count
        return policy.isWorthwhile(sampled: sampled, compressed: compressed)
    }
}
