import CZlib

/// Takes one gzip member apart while it arrives.
///
/// zlib checks the trailer: a member with a wrong CRC or length never finishes.
struct GzipInflater: ~Copyable {
    /// Whether the end of the member has been seen and its trailer was right.
    private(set) var isFinished = false

    // On the heap, because zlib remembers the address of its stream and a Swift variable has none to rely on.
    private let stream: UnsafeMutablePointer<z_stream>
    private let window: UnsafeMutableBufferPointer<UInt8>

    /// - Throws: `Problem` when there is no memory for the decoder.
    init() throws {
        let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        stream.initialize(to: z_stream())
        // 15 bits of window; 16 more ask for gzip and nothing else.
        guard czlib_inflate_init(stream, 15 + 16) == Z_OK else {
            stream.deallocate()
            throw Problem(status: .internalServerError, check: "gzip", detail: "The decoder could not be started.")
        }
        self.stream = stream
        window = .allocate(capacity: 128 << 10)
    }

    deinit {
        inflateEnd(stream)
        stream.deallocate()
        window.deallocate()
    }

    /// Inflates the next bytes of the body and hands the result on, in pieces of at most 128 KiB.
    ///
    /// - Throws: `Problem` when this is not gzip, is damaged, or when anything follows the member.
    mutating func decode(_ input: UnsafeRawBufferPointer, into payload: inout PayloadWriter) throws {
        guard let start = input.bindMemory(to: UInt8.self).baseAddress, !input.isEmpty else { return }
        guard !isFinished else { throw Self.trailingBytes }
        stream.pointee.next_in = UnsafeMutablePointer(mutating: start)
        stream.pointee.avail_in = UInt32(input.count)
        repeat {
            stream.pointee.next_out = window.baseAddress
            stream.pointee.avail_out = UInt32(window.count)
            let status = inflate(stream, Z_NO_FLUSH)
            let produced = window.count - Int(stream.pointee.avail_out)
            try payload.write(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(window)[..<produced]))
            switch status {
            case Z_STREAM_END:
                isFinished = true
                guard stream.pointee.avail_in == 0 else { throw Self.trailingBytes }
                return
            case Z_OK, Z_BUF_ERROR:
                // Z_BUF_ERROR says only that this round had nothing to do: the output had ended with the window.
                break
            default:
                let reason = stream.pointee.msg.map { String(cString: $0) } ?? "zlib status \(status)"
                throw Problem(check: "gzip", detail: "The body is not sound gzip: \(reason).")
            }
        } while stream.pointee.avail_in > 0 || stream.pointee.avail_out == 0
    }

    private static var trailingBytes: Problem {
        Problem(check: "gzip", detail: "The body goes on after its first gzip member.")
    }
}
