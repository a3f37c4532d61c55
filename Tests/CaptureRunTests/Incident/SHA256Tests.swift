import Digests
import DurableIO
import TestSupport
import Testing

@testable import CaptureRun

/// The hash that `reports-run` computes itself.
@Suite("SHA-256 without a library")
struct SHA256Tests {
    @Test("it is that of swift-crypto, for each length around the blocks, in one piece or two")
    func everyLength() {
        var generator = SeededGenerator(seed: 7)
        for length in 0..<260 {
            let bytes = (0..<length).map { _ in UInt8.random(in: 0...255, using: &generator) }
            let expected = ContentHash(of: bytes).bytes
            var whole = SHA256()
            whole.update(bytes)
            #expect(whole.finish() == expected)
            let cut = Int.random(in: 0...length, using: &generator)
            var halves = SHA256()
            halves.update(Array(bytes[..<cut]))
            halves.update(Array(bytes[cut...]))
            #expect(halves.finish() == expected)
        }
    }

    @Test("it goes on after it was asked, and through blocks of 64 KiB")
    func large() {
        let block = (0..<1 << 16).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
        var (hash, bytes) = (SHA256(), [UInt8]())
        for _ in 0..<3 {
            hash.update(block)
            bytes += block
            #expect(hash.finish() == ContentHash(of: bytes).bytes)
        }
    }
}
