import Background
package import DurableIO
import Synchronization

/// A stored report's payload, inflated while it is sent: for servers that do not decode.
///
/// Reading on from where the last read ended goes on inflating, so that a body that is sent from end to end, in parts
/// or whole, is inflated once; reading anywhere before begins again. That the stored bytes are whole is checked before.
package final class InflatedBody: BodySource {
    private let directory: Directory
    private let name: EntryName
    /// Where in the file the deflate stream begins.
    private let start: UInt64
    private let reading = Mutex<Reading?>(nil)

    package init(directory: Directory, name: EntryName, headerByteCount: Int) {
        self.directory = directory
        self.name = name
        start = UInt64(headerByteCount)
    }

    package var path: String { directory.path(of: name) }

    package func read(
        into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64, files: any FileSystem
    ) throws(FileSystemError) -> Int {
        let bytes = try bytes(buffer.count, at: offset, files: files)
        buffer.copyBytes(from: bytes)
        return bytes.count
    }

    private static let stepByteCount = 64 << 10

    /// At least one byte, unless the payload ends at `offset`.
    private func bytes(_ count: Int, at offset: UInt64, files: any FileSystem) throws(FileSystemError) -> [UInt8] {
        let result: Result<[UInt8], FileSystemError> = reading.withLock { reading in
            // Whatever fails half way begins again at the next read.
            var current = reading.take()
            do throws(FileSystemError) {
                var open: Reading
                if let earlier = current.take(), earlier.position <= offset {
                    open = earlier
                } else {
                    open = try Reading(file: files.openFile(name, in: directory), at: start, path: path)
                }
                while open.position < offset {
                    let skipped = min(Self.stepByteCount, Int(clamping: offset - open.position))
                    if try open.next(skipped, files: files).isEmpty { break }
                }
                let bytes = try open.next(min(count, Self.stepByteCount), files: files)
                reading = consume open
                return .success(bytes)
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    /// One way through the file.
    private struct Reading: ~Copyable {
        private let file: OwnedDescriptor
        private let path: String
        private var inflater: Inflater
        /// Of the payload, how much has been inflated.
        private(set) var position: UInt64 = 0
        /// Of the file, where the next read begins.
        private var fileOffset: UInt64
        /// Read and not yet inflated.
        private var input: ArraySlice<UInt8> = []

        init(file: consuming OwnedDescriptor, at start: UInt64, path: String) throws(FileSystemError) {
            do {
                inflater = try Inflater(.raw, windowByteCount: 1)
            } catch {
                throw FileSystemError(.open, path, .noMemory)
            }
            self.file = file
            self.path = path
            fileOffset = start
        }

        /// - Returns: no more than `limit` bytes; none at the end.
        mutating func next(_ limit: Int, files: any FileSystem) throws(FileSystemError) -> [UInt8] {
            while true {
                if input.isEmpty { try fill(files) }
                let given = input
                var step = Inflater.Step(consumed: 0, produced: 0)
                let bytes = [UInt8](unsafeUninitializedCapacity: limit) { space, count in
                    step = given.withUnsafeBytes { inflater.step($0, into: UnsafeMutableRawBufferPointer(space)) }
                    count = step.produced
                }
                guard step.error == nil else { throw FileSystemError(.read, path, .noData) }
                input = given.dropFirst(step.consumed)
                position += UInt64(bytes.count)
                if !bytes.isEmpty || given.isEmpty || inflater.isAtEnd { return bytes }
            }
        }

        private mutating func fill(_ files: any FileSystem) throws(FileSystemError) {
            let bytes = try files.read(file, limit: InflatedBody.stepByteCount, at: fileOffset)
            fileOffset += UInt64(bytes.count)
            input = bytes[...]
        }
    }
}
