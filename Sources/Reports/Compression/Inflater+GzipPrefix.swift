extension Inflater {
    /// The beginning of what a gzip file holds, for telling its format.
    ///
    /// The file may be cut anywhere, have several members, be damaged further on or be followed by anything: all of
    /// these end the result early. Memory beyond the result is what zlib needs, about 40 KiB, however much the whole
    /// would inflate to.
    ///
    /// - Parameters:
    ///   - bytes: The first bytes of the file.
    ///   - limit: The most bytes to return.
    /// - Returns: At most `limit` bytes, none if the cut comes before the first; `nil` if the bytes are not gzip, or
    ///   are damaged before they yield anything.
    package static func gzipPrefix(_ bytes: ArraySlice<UInt8>, limit: Int) -> [UInt8]? {
        guard bytes.starts(with: WireForm.prefix.prefix(2)),
            var inflater = try? Inflater(.gzip, windowByteCount: 1)
        else { return nil }
        // Deflate yields at most 258 bytes for 2 bits, so a short prefix never reserves all of a large limit.
        let capacity = min(max(limit, 0), bytes.count * 1_032)
        var isDamaged = false
        let prefix = [UInt8](unsafeUninitializedCapacity: capacity) { buffer, count in
            bytes.withUnsafeBytes { input in
                count = inflater.fill(UnsafeMutableRawBufferPointer(buffer), from: input, isDamaged: &isDamaged)
            }
        }
        return isDamaged && prefix.isEmpty ? nil : prefix
    }

    /// Inflates member after member until the output is full or the input has no more to give.
    ///
    /// - Returns: How many bytes were written.
    private mutating func fill(
        _ output: UnsafeMutableRawBufferPointer, from input: UnsafeRawBufferPointer, isDamaged: inout Bool
    ) -> Int {
        var consumed = 0
        var produced = 0
        while consumed < input.count, produced < output.count {
            if isAtEnd { reset() }
            let step = step(
                UnsafeRawBufferPointer(rebasing: input[consumed...]),
                into: UnsafeMutableRawBufferPointer(rebasing: output[produced...]))
            consumed += step.consumed
            produced += step.produced
            isDamaged = step.error != nil
            if isDamaged || step.consumed + step.produced == 0 { break }
        }
        return produced
    }
}
