/// How far a transfer has come.
public struct TransferProgress: Hashable, Sendable {
    /// In bytes: of a file sent, what the connection has taken in this attempt; of one fetched, what is on disk.
    public var completedByteCount: UInt64
    /// In bytes; `nil` while the server has not said it.
    public var totalByteCount: UInt64?

    /// Puts the two together.
    package init(completedByteCount: UInt64, totalByteCount: UInt64?) {
        self.completedByteCount = completedByteCount
        self.totalByteCount = totalByteCount
    }
}
