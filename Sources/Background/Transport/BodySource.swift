package import DurableIO
import Synchronization

/// Something that the bytes of a request are read from: any of them, at any time, and again.
package protocol BodySource: Sendable {
    /// For messages.
    var path: String { get }
    /// - Returns: the number of bytes read; 0 at the end.
    func read(
        into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64, files: any FileSystem
    ) throws(FileSystemError) -> Int
}

/// The bytes of a file as they lie there; opened at the first read, and closed with the last body that is made of them.
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
