import DurableIO

/// The pace at which a large file is written back to the disk while the program still writes the file.
///
/// After each 16 MiB, the program tells the kernel to write these bytes to the disk. While the program writes the next
/// 16 MiB, it stops after each 1 MiB, and waits until 1 MiB of the previous 16 MiB is on the disk. So at most 32 MiB of
/// the file are only in memory. The sync at the file's end, or another sync on the same file system, then does not wait
/// for gigabytes. This makes nothing durable: the sync must still follow.
struct WriteBackPace {
    private static let windowByteCount: UInt64 = 16 << 20
    private static let stepByteCount: UInt64 = 1 << 20

    private var started: UInt64 = 0
    private var finished: UInt64 = 0

    /// Starts the write-back of bytes that were written, and waits for earlier bytes.
    /// - Parameters:
    ///   - publication: the file.
    ///   - written: the number of bytes that were written to the file in all.
    /// - Throws: the errors of the disk.
    mutating func go(on publication: Publication, written: UInt64) throws(FileSystemError) {
        if written - started >= Self.windowByteCount {
            try publication.startWriteBack(in: started..<written)
            started = written
        }
        while finished + Self.windowByteCount + Self.stepByteCount <= written {
            let end = finished + Self.stepByteCount
            try publication.finishWriteBack(in: finished..<end)
            finished = end
        }
    }
}
