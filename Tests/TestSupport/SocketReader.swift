import Glibc

/// Buffered reading from a socket: lines and pieces.
final class SocketReader {
    private let descriptor: Int32
    private var buffer = [UInt8](repeating: 0, count: 64 * 1_024)
    private var unread = 0..<0

    init(_ descriptor: Int32) {
        self.descriptor = descriptor
    }

    /// The next line without its end; `nil` if the connection ends first, or the line is longer than 256 KiB.
    func line() -> String? {
        var bytes: [UInt8] = []
        while bytes.count < 256 * 1_024, fill() {
            let piece = buffer[unread]
            guard let end = piece.firstIndex(of: UInt8(ascii: "\n")) else {
                bytes += piece
                unread = 0..<0
                continue
            }
            bytes += piece[..<end]
            unread = end + 1..<unread.upperBound
            if bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
            return String(decoding: bytes, as: UTF8.self)
        }
        return nil
    }

    /// Hands over at least one and at most `limit` bytes; returns their number, 0 at the end of the connection.
    func take(_ limit: Int, _ body: (ArraySlice<UInt8>) -> Void) -> Int {
        guard limit > 0, fill() else { return 0 }
        let count = min(limit, unread.count)
        body(buffer[unread.prefix(count)])
        unread = unread.dropFirst(count)
        return count
    }

    /// Waits for bytes if none are left; `false` when there will be none.
    private func fill() -> Bool {
        guard unread.isEmpty else { return true }
        var count = 0
        repeat {
            count = buffer.withUnsafeMutableBytes { recv(descriptor, $0.baseAddress, $0.count, 0) }
        } while count < 0 && errno == EINTR
        unread = 0..<max(0, count)
        return count > 0
    }
}

/// The body of a request, read piece by piece out of its framing (RFC 9112, sections 6 and 7).
struct BodyReader {
    enum Progress: Equatable {
        /// As much as was asked for has been read, and there is more.
        case more
        case end
        /// The connection ended inside the body.
        case truncated
        case malformed(String)
    }

    private enum Framing {
        case length(Int)
        case chunkSize
        case chunk(Int)
        case chunkEnd
        case trailers
        case ended(Progress)
    }

    private var framing: Framing

    /// Finds the framing; a request without any has no body. Contradictions are `malformed` when the body is read.
    init(_ headers: HeaderFields) {
        let lengths = headers.values("Content-Length")
        let isChunked = headers.has("chunked", in: "Transfer-Encoding")
        switch (lengths.count, isChunked) {
        case (0, true): framing = .chunkSize
        case (0, false): framing = .length(0)
        case (1, false):
            let length = lengths.first.flatMap { Int($0) } ?? -1
            framing = length >= 0 ? .length(length) : .ended(.malformed("Content-Length: \(lengths)"))
        default: framing = .ended(.malformed("Content-Length: \(lengths), chunked: \(isChunked)"))
        }
    }

    /// Whether there is nothing to read.
    var isEmpty: Bool {
        if case .length(0) = framing { true } else { false }
    }

    /// Reads up to `limit` bytes of the body, or until `body` wants no more for now.
    mutating func read(
        upTo limit: Int, from reader: SocketReader, _ body: (ArraySlice<UInt8>) -> Bool
    ) -> Progress {
        var left = limit
        var wantsMore = true
        while wantsMore {
            switch framing {
            case .ended(let progress): return progress
            case .length(0): framing = .ended(.end)
            case .chunk(0): framing = .chunkEnd
            case .length, .chunk:
                guard left > 0 else { return .more }
                left -= takePiece(atMost: left, from: reader) { wantsMore = body($0) }
            case .chunkSize, .chunkEnd, .trailers: readFramingLine(from: reader)
            }
        }
        return .more
    }

    /// Reads bytes of content and returns their number.
    private mutating func takePiece(
        atMost limit: Int, from reader: SocketReader, _ body: (ArraySlice<UInt8>) -> Void
    ) -> Int {
        var count = 0
        switch framing {
        case .length(let rest):
            count = reader.take(min(limit, rest), body)
            framing = .length(rest - count)
        case .chunk(let rest):
            count = reader.take(min(limit, rest), body)
            framing = .chunk(rest - count)
        case .chunkSize, .chunkEnd, .trailers, .ended: return 0
        }
        if count == 0 { framing = .ended(.truncated) }
        return count
    }

    private mutating func readFramingLine(from reader: SocketReader) {
        guard let line = reader.line() else {
            framing = .ended(.truncated)
            return
        }
        switch framing {
        case .chunkSize:
            let size = Int(trimmed(line.prefix { $0 != ";" }), radix: 16) ?? -1
            if size < 0 {
                framing = .ended(.malformed("chunk size: \(line)"))
            } else {
                framing = size == 0 ? .trailers : .chunk(size)
            }
        case .chunkEnd: framing = line.isEmpty ? .chunkSize : .ended(.malformed("after a chunk: \(line)"))
        case .trailers: if line.isEmpty { framing = .ended(.end) }
        case .length, .chunk, .ended: break
        }
    }
}
