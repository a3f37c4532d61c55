/// A random number generator that gives the same numbers for the same seed, on every machine: SplitMix64
/// (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014).
package struct SeededGenerator: RandomNumberGenerator, Sendable {
    private var state: UInt64

    package init(seed: UInt64) {
        state = seed
    }

    package mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }

    /// Bytes that do not shrink, in whole words of eight.
    package mutating func noise(_ byteCount: Int) -> [UInt8] {
        var words = [UInt64](repeating: 0, count: byteCount / 8)
        for index in words.indices { words[index] = next() }
        return words.withUnsafeBytes { Array($0) }
    }
}
