import Synchronization

/// The marks of an owner's life that are of no use any more, so that the ledger holds no more of them than a group's.
final class SourceMarks: Sendable {
    private let unlinked = Mutex<[String]>([])
    private let areAllKept = Mutex(false)

    /// Their sources are gone, which is durable: nobody will meet them again.
    func noteUnlinked(_ marks: [String]) {
        unlinked.withLock { $0 += marks }
    }

    /// Some sources are gone, and may be there again after a power cut.
    func keepAll() { areAllKept.withLock { $0 = true } }

    /// Whether an empty room at an orderly end means that no mark is of use.
    var mayBeForgotten: Bool { areAllKept.withLock { !$0 } }

    /// Those to be forgotten in the next commit. What is not forgotten for an error goes at an orderly end.
    func takeUnlinked() -> [String] {
        unlinked.withLock { marks in
            defer { marks = [] }
            return marks
        }
    }
}
