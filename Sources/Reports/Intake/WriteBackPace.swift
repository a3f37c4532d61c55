import DurableIO

/// The pace at which a large file gets to the disk while it is written.
///
/// Each 16 MiB that were written are handed to the disk, and writing waits for what was handed over 16 MiB ago, in
/// steps of 1 MiB. So the file has at most 32 MiB in memory alone, and the sync at its end, or another one of the same
/// file system, does not wait for gigabytes. This makes nothing durable: the sync has to follow all the same.
struct WriteBackPace {
    private static let windowByteCount: UInt64 = 16 << 20
    private static let stepByteCount: UInt64 = 1 << 20

    private var started: UInt64 = 0
    private var finished: UInt64 = 0

    /// To be called when more was written.
    /// - Parameters:
    ///   - publication: the file.
    ///   - written: how many bytes of it have been written in all.
    /// - Throws: when the disk fails.
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
