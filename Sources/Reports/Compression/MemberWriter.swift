/// Where a ``MemberWriter`` puts what it makes: a stored file, and a digest of what will be sent.
///
/// Both sequences are handed out in order, in pieces of at most 128 KiB that are valid during the call only.
package protocol MemberSink: ~Copyable {
    associatedtype Failure: Error

    /// Takes the next bytes of the stored member: header, deflate stream, trailer.
    mutating func writeMember(_ bytes: UnsafeRawBufferPointer) throws(Failure)

    /// Takes the next bytes of the ``WireForm``: its constant header, then the same deflate stream and trailer.
    mutating func writeWire(_ bytes: UnsafeRawBufferPointer) throws(Failure)
}

/// The compressing pass over one payload: chunks in, one gzip member out, and the wire form beside it.
///
/// Knows nothing of files. Memory is fixed: one block, one output window and zlib's state, about 1 MiB at most; no
/// allocation per chunk, and few per member (``MemberWorkspace``). The value is of use only until its first error: then
/// the member is worthless, and so is the writer. The record of the header stays zeros; whoever owns the file fills it
/// in.
package struct MemberWriter: ~Copyable {
    /// What a finished pass amounts to.
    package struct Summary: Hashable, Sendable {
        /// The size of the payload in bytes.
        package let payloadByteCount: UInt64
        /// The size of the wire form in bytes.
        package let wireByteCount: UInt64
    }

    private let policy: BlockPolicy
    private let workspace: MemberWorkspace
    /// Made for the first block that needs it: most reports are too small to be sampled.
    private var sampler: BlockSampler?
    /// How much of the workspace's block is filled.
    private var blockFill = 0
    /// How many bytes of the payload were compressed; those in the block come on top.
    private var compressedByteCount: UInt64 = 0
    private var bodyByteCount: UInt64 = 0
    private var checksum: UInt32 = 0

    /// Begins a member: writes both headers.
    ///
    /// - Parameters:
    ///   - header: The header of the stored member.
    ///   - policy: How hard to compress.
    ///   - sink: Takes the bytes, here and in each later call the same.
    /// - Throws: What the sink throws, or zlib for want of memory.
    package init<Sink: MemberSink & ~Copyable>(
        header: GzipMemberHeader, policy: BlockPolicy = .standard, to sink: inout Sink
    ) throws(CompressionFailure<Sink.Failure>) {
        try header.encoded().handOut { bytes throws(Sink.Failure) in try sink.writeMember(bytes) }
        try WireForm.prefix.handOut { bytes throws(Sink.Failure) in try sink.writeWire(bytes) }
        do throws(ZlibError) {
            workspace = try MemberWorkspace.borrow(blockByteCount: policy.blockByteCount)
        } catch {
            throw .zlib(error)
        }
        self.sampler = nil
        self.policy = policy
    }

    deinit {
        MemberWorkspace.giveBack(workspace)
    }

    /// Adds the next bytes of the payload, as many as there are.
    ///
    /// Chunks of ``BlockPolicy/blockByteCount`` or more are compressed where they lie; smaller ones are copied once.
    package mutating func write<Sink: MemberSink & ~Copyable>(
        _ payload: UnsafeRawBufferPointer, to sink: inout Sink
    ) throws(CompressionFailure<Sink.Failure>) {
        let block = workspace.block
        var rest = payload
        while !rest.isEmpty {
            let taken = min(rest.count, block.count - blockFill)
            let piece = UnsafeRawBufferPointer(rebasing: rest[..<taken])
            rest = UnsafeRawBufferPointer(rebasing: rest[taken...])
            if taken == block.count {
                try compress(piece, to: &sink)
                continue
            }
            UnsafeMutableRawBufferPointer(rebasing: block[blockFill...]).copyMemory(from: piece)
            blockFill += taken
            if blockFill == block.count { try compressFilledBlock(to: &sink) }
        }
    }

    /// Ends the member: the rest of the payload, the end of the deflate stream and the trailer.
    package consuming func finish<Sink: MemberSink & ~Copyable>(
        to sink: inout Sink
    ) throws(CompressionFailure<Sink.Failure>) -> Summary {
        if blockFill > 0 { try compressFilledBlock(to: &sink) }
        var written = 0
        // The stream proper ends at a byte boundary, and two bytes end it for a reader, whatever the level was. Other
        // bytes can be put in their place without looking for the stream's last block, as ``SplicedMember`` puts bytes
        // before it.
        try workspace.deflater.flush { bytes throws(Sink.Failure) in
            written += bytes.count
            try sink.writeBody(bytes)
        }
        try workspace.deflater.setLevel(.balanced) { bytes throws(Sink.Failure) in
            written += bytes.count
            try sink.writeBody(bytes)
        }
        try workspace.deflater.finish { bytes throws(Sink.Failure) in
            written += bytes.count
            try sink.writeBody(bytes)
        }
        let trailer = WireForm.trailer(checksum: checksum, payloadByteCount: compressedByteCount)
        try trailer.handOut { bytes throws(Sink.Failure) in try sink.writeBody(bytes) }
        bodyByteCount += UInt64(written + trailer.count)
        return Summary(
            payloadByteCount: compressedByteCount,
            wireByteCount: UInt64(WireForm.prefix.count) + bodyByteCount)
    }

    private mutating func compressFilledBlock<Sink: MemberSink & ~Copyable>(
        to sink: inout Sink
    ) throws(CompressionFailure<Sink.Failure>) {
        try compress(UnsafeRawBufferPointer(rebasing: workspace.block[..<blockFill]), to: &sink)
        blockFill = 0
    }

    private mutating func compress<Sink: MemberSink & ~Copyable>(
        _ bytes: UnsafeRawBufferPointer, to sink: inout Sink
    ) throws(CompressionFailure<Sink.Failure>) {
        let level: CompressionLevel
        do throws(ZlibError) {
            level = try self.level(of: bytes)
        } catch {
            throw .zlib(error)
        }
        var written = 0
        try workspace.deflater.setLevel(level) { bytes throws(Sink.Failure) in
            written += bytes.count
            try sink.writeBody(bytes)
        }
        try workspace.deflater.write(bytes) { bytes throws(Sink.Failure) in
            written += bytes.count
            try sink.writeBody(bytes)
        }
        checksum = Zlib.crc32(checksum, bytes)
        compressedByteCount += UInt64(bytes.count)
        bodyByteCount += UInt64(written)
    }

    private mutating func level(of block: UnsafeRawBufferPointer) throws(ZlibError) -> CompressionLevel {
        guard policy.needsSample(at: compressedByteCount, byteCount: block.count) else {
            return policy.level(at: compressedByteCount, shrinks: true)
        }
        if sampler == nil { sampler = try BlockSampler(policy: policy) }
        let shrinks = try sampler?.shrinks(block) ?? true
        return policy.level(at: compressedByteCount, shrinks: shrinks)
    }
}

extension MemberSink where Self: ~Copyable {
    /// Hands out what file and wire have in common.
    fileprivate mutating func writeBody(_ bytes: UnsafeRawBufferPointer) throws(Failure) {
        try writeMember(bytes)
        try writeWire(bytes)
    }
}

extension [UInt8] {
    fileprivate func handOut<Failure>(
        to output: (UnsafeRawBufferPointer) throws(Failure) -> Void
    ) throws(CompressionFailure<Failure>) {
        do throws(Failure) {
            try withUnsafeBufferPointer { bytes throws(Failure) in try output(UnsafeRawBufferPointer(bytes)) }
        } catch {
            throw .output(error)
        }
    }
}
