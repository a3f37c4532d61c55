import Background
import Digests
import DurableIO
import Synchronization

/// A stored report's deflate stream as it lies in its file, checked on its way to the server.
///
/// Read from end to end it is hashed while it is sent, and its last piece is not given out before the digest is known:
/// a server never has the whole of a damaged report. Read in any other order all of it is checked first.
final class CheckedBody: BodySource {
    private let bytes: FileBody
    /// In the file.
    private let range: Range<UInt64>
    /// Of the wire form.
    private let digest: ContentHash
    private let check = Mutex(Check(position: 0))

    private struct Check {
        var hasher = ContentHash.Hasher()
        /// In the file, up to where it is hashed.
        var position: UInt64
        var isSound = false

        init(position: UInt64) {
            self.position = position
            hasher.update(WireForm.prefix)
        }

        mutating func add(_ bytes: UnsafeRawBufferPointer) {
            hasher.update(bytes)
            position += UInt64(bytes.count)
        }
    }

    init(directory: Directory, name: EntryName, report: StoredReport) {
        bytes = FileBody(directory: directory, name: name)
        let start = UInt64(report.headerByteCount)
        range = start..<start + report.wireSize - UInt64(WireForm.prefix.count)
        digest = report.wireHash
    }

    var path: String { bytes.path }

    func read(
        into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64, files: any FileSystem
    ) throws(FileSystemError) -> Int {
        let (isSound, position) = check.withLock { check in
            // From the beginning, for the first time or once more.
            if offset == range.lowerBound, !check.isSound { check = Check(position: offset) }
            return (check.isSound, check.position)
        }
        guard !isSound, offset == position else {
            if !isSound { try checkAll(files) }
            return try bytes.read(into: buffer, at: offset, files: files)
        }
        let count = try bytes.read(into: buffer, at: offset, files: files)
        try check(UnsafeRawBufferPointer(rebasing: buffer[..<count]), at: offset)
        return count
    }

    private func check(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(FileSystemError) {
        let isDamaged = check.withLock { check in
            // Somebody else reads, too, and was faster.
            guard check.position == offset, !check.isSound else { return !check.isSound }
            check.add(bytes)
            guard check.position >= range.upperBound || bytes.isEmpty else { return false }
            check.isSound = check.hasher.finish() == digest
            return !check.isSound
        }
        if isDamaged { throw damage }
    }

    private func checkAll(_ files: any FileSystem) throws(FileSystemError) {
        var check = Check(position: range.lowerBound)
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 16)
        defer { buffer.deallocate() }
        while case let count = try bytes.read(into: buffer, at: check.position, files: files), count > 0 {
            check.add(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            if Task.isCancelled { throw FileSystemError(.read, path, .canceled) }
        }
        check.isSound = check.hasher.finish() == digest
        guard check.isSound else { throw damage }
        self.check.withLock { [check] in $0 = check }
    }

    private var damage: FileSystemError { FileSystemError(.read, path, .badMessage) }
}
