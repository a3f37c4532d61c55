import Synchronization

/// The memory of a ``MemberWriter``: zlib's state, its output window and a block, some 650 KiB.
///
/// To allocate and clear it costs more than to compress a report of 4 KiB, so one that is done with is kept for the
/// next.
final class MemberWorkspace {
    var deflater: Deflater
    /// Collects chunks until a block is whole.
    let block: UnsafeMutableRawBufferPointer

    private init(_ deflater: consuming Deflater, blockByteCount: Int) {
        self.deflater = deflater
        block = .allocate(byteCount: blockByteCount, alignment: 16)
    }

    deinit {
        block.deallocate()
    }

    // MARK: - Keeping one

    private struct Kept: @unchecked Sendable {
        /// - Safety: nobody else has a reference to it.
        var workspace: MemberWorkspace?
    }
    private static let kept = Mutex(Kept())

    /// The one that is kept, empty again, or a new one. The deflater's level is any.
    static func borrow(blockByteCount: Int) throws(ZlibError) -> MemberWorkspace {
        let kept = kept.withLock { kept in
            let workspace = Kept(workspace: kept.workspace)
            kept.workspace = nil
            return workspace
        }
        guard let workspace = kept.workspace, workspace.block.count == blockByteCount else {
            return MemberWorkspace(try Deflater(level: .balanced), blockByteCount: blockByteCount)
        }
        workspace.deflater.reset()
        return workspace
    }

    /// Gives it back, in whatever state it is. One at most is kept.
    static func giveBack(_ workspace: MemberWorkspace) {
        let given = Kept(workspace: workspace)
        kept.withLock { $0 = given }
    }
}
