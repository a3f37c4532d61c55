import Reports

/// Bytes to compress, the same in every run.
enum SamplePayload {
    /// Text that shrinks to a fifth, as log lines and JSON do.
    static func text(_ byteCount: Int, seed: UInt64 = 1) -> [UInt8] {
        var noise = Noise(state: seed)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(byteCount + 64)
        while bytes.count < byteCount {
            let number = noise.next()
            bytes += Array("{\"thread\": \(number % 97), \"frame\": \(number % 10_007), \"image\": \"libshop\"}\n".utf8)
        }
        return Array(bytes.prefix(byteCount))
    }

    /// Bytes without any order.
    static func random(_ byteCount: Int, seed: UInt64 = 2) -> [UInt8] {
        var noise = Noise(state: seed)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(byteCount + 8)
        while bytes.count < byteCount {
            withUnsafeBytes(of: noise.next()) { bytes.append(contentsOf: $0) }
        }
        return Array(bytes.prefix(byteCount))
    }

    static func zeros(_ byteCount: Int) -> [UInt8] { [UInt8](repeating: 0, count: byteCount) }

    /// Text, noise and zeros in turn, in stretches that do not agree with any block.
    static func mixed(_ byteCount: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        var turn = 0
        while bytes.count < byteCount {
            let count = 300_000 + turn * 70_001
            switch turn % 3 {
            case 0: bytes += text(count, seed: UInt64(turn + 1))
            case 1: bytes += random(count, seed: UInt64(turn + 1))
            default: bytes += zeros(count)
            }
            turn += 1
        }
        return Array(bytes.prefix(byteCount))
    }
}

/// A small generator (SplitMix64): seeded, so that a failure comes again.
private struct Noise: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}

/// Keeps what a member writer hands out, and fails on demand.
struct RecordingMemberSink: MemberSink {
    struct Full: Error, Equatable {}

    var member: [UInt8] = []
    var wire: [UInt8] = []
    var largestPiece = 0
    var capacity = Int.max

    mutating func writeMember(_ bytes: UnsafeRawBufferPointer) throws(Full) {
        guard member.count + bytes.count <= capacity else { throw Full() }
        largestPiece = max(largestPiece, bytes.count)
        member.append(contentsOf: bytes)
    }

    mutating func writeWire(_ bytes: UnsafeRawBufferPointer) throws(Full) {
        wire.append(contentsOf: bytes)
    }
}

extension GzipMemberHeader {
    static func sample(name: String? = "core.1234", properties: String = #"{"v":1}"#) throws -> GzipMemberHeader {
        try GzipMemberHeader(
            name: name.map { Array($0.utf8) }, properties: Array(properties.utf8), modificationTime: 1_700_000_000)
    }
}

/// Compresses a payload the way a collector does.
func makeMember(
    _ payload: [UInt8], header: GzipMemberHeader? = nil, policy: BlockPolicy = .standard, chunk: Int = 64 << 10,
    capacity: Int = .max
) throws -> (sink: RecordingMemberSink, summary: MemberWriter.Summary) {
    var sink = RecordingMemberSink(capacity: capacity)
    var writer = try MemberWriter(header: header ?? .sample(), policy: policy, to: &sink)
    try payload.withUnsafeBytes { bytes in
        for start in stride(from: 0, to: bytes.count, by: chunk) {
            try writer.write(
                UnsafeRawBufferPointer(rebasing: bytes[start..<min(start + chunk, bytes.count)]), to: &sink)
        }
    }
    let summary = try writer.finish(to: &sink)
    return (sink, summary)
}

/// Compresses to raw deflate, each run of bytes at its own level.
func deflated(_ runs: [(CompressionLevel, [UInt8])], windowByteCount: Int = 128 << 10) throws -> [UInt8] {
    var output: [UInt8] = []
    var deflater = try Deflater(level: .balanced, windowByteCount: windowByteCount)
    for (level, bytes) in runs {
        try deflater.setLevel(level) { output.append(contentsOf: $0) }
        try bytes.withUnsafeBytes { bytes in try deflater.write(bytes) { output.append(contentsOf: $0) } }
    }
    try deflater.finish { output.append(contentsOf: $0) }
    return output
}

/// Inflates all of a stream and asks whether it was whole.
func inflated(
    _ bytes: [UInt8], _ wrapper: Inflater.Wrapper, chunk: Int = .max, windowByteCount: Int = 128 << 10
) throws -> [UInt8] {
    var output: [UInt8] = []
    var inflater = try Inflater(wrapper, windowByteCount: windowByteCount)
    try bytes.withUnsafeBytes { bytes in
        var rest = bytes[...]
        while !rest.isEmpty {
            let piece = UnsafeRawBufferPointer(rebasing: rest.prefix(chunk))
            try inflater.write(piece) { output.append(contentsOf: $0) }
            rest = rest.dropFirst(chunk)
        }
    }
    try inflater.finish()
    return output
}

/// The code of zlib's part in an error, if it had one.
func zlibCode(of body: () throws -> Void) -> ZlibError.Code? {
    do {
        try body()
        return nil
    } catch let error as ZlibError {
        return error.code
    } catch CompressionFailure<Never>.zlib(let error) {
        return error.code
    } catch {
        return nil
    }
}
