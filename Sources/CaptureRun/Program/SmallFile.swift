import Glibc

/// A file of the kernel's, read whole.
enum SmallFile {
    private static let chunkByteCount = 8 << 10

    /// - Returns: no more than so many bytes of its beginning; `nil` when it cannot be read.
    static func bytes(_ path: String, limit: Int = 64 << 10) -> [UInt8]? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes: [UInt8] = []
        return withUnsafeTemporaryAllocation(byteCount: chunkByteCount, alignment: 1) { buffer in
            while bytes.count < limit {
                let count = read(file, buffer.baseAddress, min(buffer.count, limit - bytes.count))
                if count == -1, errno == EINTR { continue }
                guard count >= 0 else { return nil }
                if count == 0 { break }
                bytes += UnsafeRawBufferPointer(buffer).prefix(count)
            }
            return bytes
        }
    }

    /// The same as text.
    static func text(_ path: String) -> String? {
        bytes(path).map { String(decoding: $0, as: UTF8.self) }
    }
}
