package import DurableIO
import NIOCore
import Synchronization

/// The bytes of a request: some that are given, then a range of a source.
package struct TransferBody: Sendable {
    package var prefix: [UInt8]
    package var source: any BodySource
    package var offset: UInt64
    /// Of the source's part, in bytes.
    package var length: UInt64

    package init(prefix: [UInt8] = [], source: any BodySource, offset: UInt64 = 0, length: UInt64) {
        self.prefix = prefix
        self.source = source
        self.offset = offset
        self.length = length
    }

    /// A range of a file.
    package init(prefix: [UInt8] = [], directory: Directory, name: EntryName, offset: UInt64, length: UInt64) {
        self.init(prefix: prefix, source: FileBody(directory: directory, name: name), offset: offset, length: length)
    }

    package var byteCount: UInt64 { UInt64(prefix.count) + length }

    /// Part of these bytes.
    func slice(at start: UInt64, count: UInt64) -> TransferBody {
        var slice = self
        let skipped = min(start, UInt64(prefix.count))
        slice.prefix = Array(prefix.dropFirst(Int(skipped)).prefix(Int(min(count, UInt64(prefix.count)))))
        slice.offset = offset + (start - skipped)
        slice.length = count - UInt64(slice.prefix.count)
        return slice
    }
}

/// What a body's bytes are read from: any of them, at any time, and again.
package protocol BodySource: Sendable {
    /// For messages.
    var path: String { get }
    /// - Returns: the number of bytes read; 0 at the end.
    func read(
        into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64, files: any FileSystem
    ) throws(FileSystemError) -> Int
}

/// The bytes of a file as they lie there; opened at the first read and closed with the last body that it is the source of.
package final class FileBody: BodySource {
    private let directory: Directory
    private let name: EntryName
    private let descriptor = Mutex<SharedDescriptor?>(nil)

    package init(directory: Directory, name: EntryName) {
        self.directory = directory
        self.name = name
    }

    package var path: String { directory.path(of: name) }

    package func read(
        into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64, files: any FileSystem
    ) throws(FileSystemError) -> Int {
        try files.read(opened(files).file, into: buffer, at: offset)
    }

    private func opened(_ files: any FileSystem) throws(FileSystemError) -> SharedDescriptor {
        if let open = descriptor.withLock({ $0 }) { return open }
        let open = SharedDescriptor(try files.openFile(name, in: directory))
        descriptor.withLock { $0 = open }
        return open
    }
}

/// Bytes in memory, as they were read when they were checked.
package struct BytesBody: BodySource {
    private let bytes: [UInt8]
    private let directory: Directory
    private let name: EntryName

    /// - Parameters:
    ///   - bytes: all of them.
    ///   - directory: where they were read.
    ///   - name: of the file.
    package init(_ bytes: [UInt8], directory: Directory, name: EntryName) {
        self.bytes = bytes
        self.directory = directory
        self.name = name
    }

    package var path: String { directory.path(of: name) }

    package func read(
        into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64, files: any FileSystem
    ) throws(FileSystemError) -> Int {
        guard offset < UInt64(bytes.count) else { return 0 }
        let rest = bytes[Int(offset)...].prefix(buffer.count)
        buffer.copyBytes(from: rest)
        return rest.count
    }
}

/// Reads of a body that come out short are an error: the file was cut meanwhile.
enum BodyReader {
    /// The whole of a small body in one buffer.
    static func all(of body: TransferBody, files: any FileSystem) throws(FileSystemError) -> ByteBuffer {
        var buffer = ByteBuffer(bytes: body.prefix)
        var rest = try read(Int(body.length), at: body.offset, of: body, files: files)
        buffer.writeBuffer(&rest)
        return buffer
    }

    static func read(
        _ count: Int, at offset: UInt64, of body: TransferBody, files: any FileSystem
    ) throws(FileSystemError) -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.reserveCapacity(count)
        var done = 0
        while done < count {
            let got = try readOnce(
                count - done, at: offset + UInt64(done), of: body.source, into: &buffer, files: files)
            guard got > 0 else { throw FileSystemError(.read, body.source.path, .noData) }
            done += got
        }
        return buffer
    }

    private static func readOnce(
        _ count: Int, at offset: UInt64, of source: any BodySource, into buffer: inout ByteBuffer,
        files: any FileSystem
    ) throws(FileSystemError) -> Int {
        // The buffer's closure cannot throw typed errors, so the result is carried out by hand.
        var result: Result<Int, FileSystemError> = .success(0)
        buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: count) { space in
            let target = UnsafeMutableRawBufferPointer(rebasing: space.prefix(count))
            do throws(FileSystemError) {
                let got = try source.read(into: target, at: offset, files: files)
                result = .success(got)
                return got
            } catch {
                result = .failure(error)
                return 0
            }
        }
        return try result.get()
    }
}
