import Synchronization

/// The marks of sources that this owner has unlinked, so that the ledger can forget these marks soon.
///
/// A source mark is the ledger's note that a drop or an entry was enrolled (``SourceMark``). With the mark, a later
/// owner that finds the source again only unlinks the source.
final class SourceMarks: Sendable {
    private let unlinked = Mutex<[String]>([])
    private let areAllKept = Mutex(false)

    /// Records marks whose sources are durably unlinked. No owner will find these sources again.
    func noteUnlinked(_ marks: [String]) {
        unlinked.withLock { $0 += marks }
    }

    /// Records that some sources are unlinked, but may be back after a power cut.
    func keepAll() { areAllKept.withLock { $0 = true } }

    /// Whether the owner may forget all marks at an orderly end, when no source is left.
    var mayBeForgotten: Bool { areAllKept.withLock { !$0 } }

    /// Takes the marks to be forgotten in the next commit. If that commit fails, the ledger keeps these marks until an
    /// orderly end at which no source is left.
    func takeUnlinked() -> [String] {
        unlinked.withLock { marks in
            defer { marks = [] }
            return marks
        }
    }
}
