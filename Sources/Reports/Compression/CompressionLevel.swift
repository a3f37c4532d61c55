/// How much work deflate spends on a run of bytes; the raw value is zlib's level.
package enum CompressionLevel: Int32, Hashable, Sendable {
    /// Copied as it is, plus 5 bytes for each 32 to 64 KiB.
    case stored = 0
    /// Twice as fast as ``balanced`` and a quarter to a tenth larger.
    case fast = 1
    /// zlib's own default.
    case balanced = 6
}
