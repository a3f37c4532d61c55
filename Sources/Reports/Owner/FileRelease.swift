package import Background
package import DurableIO

extension ReportSpool {
    /// Puts a report's file where its settled state wants it: away, or into `parked/`.
    ///
    /// Called only after the commit that settled the report has returned (``ReportSender/didSettle(_:)``), evicted it
    /// (``LimitKeeper``) or carried out a person's order to remove it (``OrderActions``), in the report's turn, and with
    /// a look at the row in that turn. After a crash in between, the next owner does it (``Reconciliation``).
    package func release(_ id: ContentHash, as state: TransferState) throws(FileSystemError) {
        let name = StoredReport.name(of: id)
        if state.isParked {
            guard try files.metadata(of: name, in: queued) != nil else { return }
            try files.renameReplacing(name, in: queued, to: name, in: parked)
        } else {
            // Both: a damaged copy may lie in the one while sound bytes came into the other.
            try files.remove(name, in: queued)
            try files.remove(name, in: parked)
        }
    }
}
