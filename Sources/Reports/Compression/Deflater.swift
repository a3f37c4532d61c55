import CZlib

/// A streaming compressor to raw deflate (RFC 1951): no header, no checksum.
///
/// Memory is fixed at about 270 KiB for zlib and one output window. Output is handed out whenever the window is full
/// and at ``finish(to:)``, never byte by byte. After an error of the output the stream has lost bytes: drop the value,
/// or ``reset()`` it.
package struct Deflater: ~Copyable {
    /// zlib keeps the address of its stream and checks it, so the stream may not move with this value.
    private let stream: UnsafeMutablePointer<z_stream>
    private let window: UnsafeMutableRawBufferPointer
    private var level: CompressionLevel

    /// Prepares an empty stream.
    ///
    /// - Parameters:
    ///   - level: The level of the first byte.
    ///   - windowByteCount: The size in bytes of the largest piece handed to an output. The default is 128 KiB.
    /// - Throws: ``ZlibError/Code/outOfMemory``.
    package init(level: CompressionLevel, windowByteCount: Int = 128 << 10) throws(ZlibError) {
        precondition(windowByteCount > 0 && windowByteCount <= Zlib.maximumStep)
        let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        stream.initialize(to: z_stream())
        let status = czlib_deflate_init(stream, level.rawValue, Zlib.rawWindowBits)
        guard status == Z_OK else {
            let error = ZlibError(status: status, detail: stream.pointee.msg)
            stream.deallocate()
            throw error
        }
        self.stream = stream
        self.window = .allocate(byteCount: windowByteCount, alignment: 16)
        self.level = level
        openWindow()
    }

    deinit {
        deflateEnd(stream)
        stream.deallocate()
        window.deallocate()
    }

    /// Compresses bytes, which are no longer needed once this returns.
    package mutating func write<Failure>(
        _ bytes: UnsafeRawBufferPointer, to output: (UnsafeRawBufferPointer) throws(Failure) -> Void
    ) throws(CompressionFailure<Failure>) {
        defer { Zlib.clearInput(of: stream) }
        var rest = bytes
        while !rest.isEmpty {
            let taken = Zlib.setInput(of: stream, from: rest)
            while stream.pointee.avail_in > 0 {
                try step(Z_NO_FLUSH, to: output)
            }
            rest = UnsafeRawBufferPointer(rebasing: rest[taken...])
        }
    }

    /// Compresses what follows at another level.
    ///
    /// Bytes written before are brought out at their own level first, which ends a deflate block: some 5 bytes.
    package mutating func setLevel<Failure>(
        _ level: CompressionLevel, to output: (UnsafeRawBufferPointer) throws(Failure) -> Void
    ) throws(CompressionFailure<Failure>) {
        guard level != self.level else { return }
        while true {
            let free = stream.pointee.avail_out
            let status = deflateParams(stream, level.rawValue, Z_DEFAULT_STRATEGY)
            if status == Z_OK { break }
            // Z_BUF_ERROR asks for room, and comes again until all is out; anything else is final.
            guard status == Z_BUF_ERROR, stream.pointee.avail_out < free || free < window.count else {
                throw .zlib(ZlibError(status: status, detail: stream.pointee.msg))
            }
            try drain(to: output)
        }
        self.level = level
        if stream.pointee.avail_out == 0 { try drain(to: output) }
    }

    /// Brings out all that was written, up to a byte boundary, and hands it out: 4 to 6 bytes more. Anything may follow
    /// there: more of this stream, or another one.
    package mutating func flush<Failure>(
        to output: (UnsafeRawBufferPointer) throws(Failure) -> Void
    ) throws(CompressionFailure<Failure>) {
        while true {
            let status = deflate(stream, Z_SYNC_FLUSH)
            // Z_BUF_ERROR says that nothing was left to bring out.
            guard status == Z_OK || status == Z_BUF_ERROR else {
                throw .zlib(ZlibError(status: status, detail: stream.pointee.msg))
            }
            // A window that is full when deflate returns may hide that there is more to come.
            let isFilled = stream.pointee.avail_out == 0
            try drain(to: output)
            if !isFilled { return }
        }
    }

    /// Ends the stream and hands out all that is left of it.
    ///
    /// An empty stream becomes two bytes. Any later write is an error until ``reset()``.
    package mutating func finish<Failure>(
        to output: (UnsafeRawBufferPointer) throws(Failure) -> Void
    ) throws(CompressionFailure<Failure>) {
        while try step(Z_FINISH, to: output) != Z_STREAM_END {}
        try drain(to: output)
    }

    /// Starts a new, empty stream at the level last set, without a new allocation.
    ///
    /// Output not yet handed out is lost.
    package mutating func reset() {
        deflateReset(stream)
        Zlib.clearInput(of: stream)
        openWindow()
    }

    /// Runs deflate once and empties the window if that filled it, so that every step finds room.
    @discardableResult
    private mutating func step<Failure>(
        _ flush: Int32, to output: (UnsafeRawBufferPointer) throws(Failure) -> Void
    ) throws(CompressionFailure<Failure>) -> Int32 {
        let status = deflate(stream, flush)
        guard status == Z_OK || status == Z_STREAM_END else {
            throw .zlib(ZlibError(status: status, detail: stream.pointee.msg))
        }
        if stream.pointee.avail_out == 0 { try drain(to: output) }
        return status
    }

    private mutating func drain<Failure>(
        to output: (UnsafeRawBufferPointer) throws(Failure) -> Void
    ) throws(CompressionFailure<Failure>) {
        let filled = window.count - Int(stream.pointee.avail_out)
        guard filled > 0 else { return }
        do throws(Failure) {
            try output(UnsafeRawBufferPointer(rebasing: window[..<filled]))
        } catch {
            throw .output(error)
        }
        openWindow()
    }

    private func openWindow() {
        stream.pointee.next_out = window.baseAddress?.assumingMemoryBound(to: UInt8.self)
        stream.pointee.avail_out = UInt32(window.count)
    }
}
