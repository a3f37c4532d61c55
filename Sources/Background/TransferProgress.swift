/// The progress of a transfer, in bytes.
public struct TransferProgress: Hashable, Sendable {
    /// The bytes that are done. For an upload these are the bytes that the connection has taken in the current attempt.
    /// For a download they are the bytes on disk.
    public var completedByteCount: UInt64
    /// The size of the whole, in bytes; `nil` while the server has not told it.
    public var totalByteCount: UInt64?

    /// Makes a progress value.
    package init(completedByteCount: UInt64, totalByteCount: UInt64?) {
        self.completedByteCount = completedByteCount
        self.totalByteCount = totalByteCount
    }
}
