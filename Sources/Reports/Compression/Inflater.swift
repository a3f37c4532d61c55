import CZlib

/// A streaming decompressor of exactly one deflate stream or one gzip member, in fixed memory.
///
/// A gzip member is checked against its own CRC-32 and length; bytes after its end are an error, so a stored member
/// that passes is whole and nothing else. Memory is about 40 KiB for zlib and one output window.
package struct Inflater: ~Copyable {
    /// What surrounds the compressed bytes.
    package enum Wrapper: Hashable, Sendable {
        /// Nothing: RFC 1951.
        case raw
        /// One member: RFC 1952.
        case gzip
    }

    /// zlib keeps the address of its stream and checks it, so the stream may not move with this value.
    private let stream: UnsafeMutablePointer<z_stream>
    private let window: UnsafeMutableRawBufferPointer

    /// Whether the end mark (and, for gzip, a trailer that agrees) has been read.
    package private(set) var isAtEnd = false

    /// Prepares to inflate.
    ///
    /// - Parameters:
    ///   - wrapper: What surrounds the compressed bytes.
    ///   - windowByteCount: The size in bytes of the largest piece handed to an output. The default is 128 KiB.
    /// - Throws: ``ZlibError/Code/outOfMemory``.
    package init(_ wrapper: Wrapper, windowByteCount: Int = 128 << 10) throws(ZlibError) {
        precondition(windowByteCount > 0 && windowByteCount <= Zlib.maximumStep)
        let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        stream.initialize(to: z_stream())
        let status = czlib_inflate_init(stream, wrapper == .raw ? Zlib.rawWindowBits : Zlib.gzipWindowBits)
        guard status == Z_OK else {
            let error = ZlibError(status: status, detail: stream.pointee.msg)
            stream.deallocate()
            throw error
        }
        self.stream = stream
        self.window = .allocate(byteCount: windowByteCount, alignment: 16)
    }

    deinit {
        inflateEnd(stream)
        stream.deallocate()
        window.deallocate()
    }

    /// Inflates bytes, which are no longer needed once this returns, and hands out all they yield.
    ///
    /// Data handed out before an error is what the sender wrote up to there, unless the bytes were altered on purpose:
    /// only ``finish()`` says that everything agrees.
    package mutating func write<Failure>(
        _ bytes: UnsafeRawBufferPointer, to output: (UnsafeRawBufferPointer) throws(Failure) -> Void
    ) throws(CompressionFailure<Failure>) {
        var rest = bytes
        var isWindowFull = false
        // A full window may leave bytes inside zlib after the last of the input is taken: ask once more.
        while !rest.isEmpty || (isWindowFull && !isAtEnd) {
            guard !isAtEnd else { throw .zlib(ZlibError(.trailingBytes, "bytes after the end of the stream")) }
            let step = step(rest, into: window)
            rest = UnsafeRawBufferPointer(rebasing: rest[step.consumed...])
            isWindowFull = step.produced == window.count
            try deliver(step.produced, to: output)
            if let error = step.error { throw .zlib(error) }
        }
    }

    /// Confirms that the stream was whole.
    ///
    /// - Throws: ``ZlibError/Code/truncated`` if the end mark has not been read.
    package consuming func finish() throws(ZlibError) {
        guard isAtEnd else { throw ZlibError(.truncated, "the stream ends before its end mark") }
    }

    private func deliver<Failure>(
        _ byteCount: Int, to output: (UnsafeRawBufferPointer) throws(Failure) -> Void
    ) throws(CompressionFailure<Failure>) {
        guard byteCount > 0 else { return }
        do throws(Failure) {
            try output(UnsafeRawBufferPointer(rebasing: window[..<byteCount]))
        } catch {
            throw .output(error)
        }
    }

    /// What one call of inflate did; bytes produced before an error are good as far as zlib can tell.
    struct Step {
        var consumed: Int
        var produced: Int
        var error: ZlibError?
    }

    /// Runs inflate until the input is used up, the output is full, or the stream ends.
    mutating func step(_ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer) -> Step {
        let given = Zlib.setInput(of: stream, from: input)
        defer { Zlib.clearInput(of: stream) }
        let room = min(output.count, Zlib.maximumStep)
        stream.pointee.next_out = output.baseAddress?.assumingMemoryBound(to: UInt8.self)
        stream.pointee.avail_out = UInt32(room)
        let status = inflate(stream, Z_NO_FLUSH)
        var step = Step(
            consumed: given - Int(stream.pointee.avail_in),
            produced: room - Int(stream.pointee.avail_out))
        switch status {
        case Z_STREAM_END: isAtEnd = true
        // Z_BUF_ERROR says that nothing moved, for want of input or of room: the caller sees that as well.
        case Z_OK, Z_BUF_ERROR: break
        default: step.error = ZlibError(status: status, detail: stream.pointee.msg)
        }
        return step
    }

    /// Makes ready for the next member of a file that has several.
    mutating func reset() {
        inflateReset(stream)
        isAtEnd = false
    }
}
