/// The return addresses on a stack whose functions keep frame pointers: each frame begins with the address of the next
/// one, and the return address stands behind it.
///
/// Compilers for ARM64 and Swift's for all processors keep them. Where a function keeps none, the chain leads nowhere,
/// which is noticed: a frame is aligned, lies farther out than the one before and holds an address of code.
struct FramePointerWalk {
    /// The most frames that are followed.
    static let frameCount = 64
    /// The most bytes of one frame.
    private static let frameByteCount: UInt64 = 1 << 20

    /// The bytes of a pointer.
    let wordByteCount: UInt64
    /// Reads a pointer in the process's memory.
    let word: (UInt64) -> UInt64?
    /// Whether an address is one of code.
    let isCode: (UInt64) -> Bool

    /// - Parameters:
    ///   - first: the innermost frame.
    ///   - stack: the stack pointer.
    /// - Returns: the return addresses, the innermost one first.
    func returnAddresses(from first: UInt64, stack: UInt64) -> [UInt64] {
        var addresses: [UInt64] = []
        var (frame, lower) = (first, stack)
        while addresses.count < Self.frameCount, frame % self.wordByteCount == 0, frame >= lower,
            frame - lower <= Self.frameByteCount, frame < .max - self.wordByteCount,
            let next = self.word(frame), let address = self.word(frame + self.wordByteCount), self.isCode(address)
        {
            addresses.append(address)
            lower = frame + self.wordByteCount
            frame = next
        }
        return addresses
    }
}
