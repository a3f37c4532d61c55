import Background
import DurableIO
import Synchronization

/// By what a source of a report is known again: a producer's entry, or a drop that was taken.
///
/// It is remembered in the commit that counts the source. An owner that dies between that commit and the unlinking
/// leaves the source behind; the next one then only unlinks it. Text without a name in it.
enum SourceMark {
    /// What nonces of marks begin with, and no file name can.
    static let prefix = "source/"

    /// Its name holds 128 random bits.
    static func of(entry: EntryName) -> String { prefix + entry.description }

    /// A drop in `taken/`. The time of its last change, which nobody can set, tells it from a later copy that happens to
    /// get its inode, size and time; the rename into `taken/` is such a change.
    static func of(taken facts: FileMetadata) -> String {
        prefix + "\(facts.inode)-\(facts.size)-\(facts.modified)-\(facts.changed)"
    }
}

/// The marks of an owner's life that are of no use any more, so that the ledger holds no more of them than a group's.
final class SourceMarks: Sendable {
    private let unlinked = Mutex<[String]>([])

    /// Their sources are gone, which is durable: nobody will meet them again.
    func noteUnlinked(_ marks: [String]) {
        unlinked.withLock { $0 += marks }
    }

    /// Those to be forgotten in the next commit. What is not forgotten for an error goes at an orderly end.
    func takeUnlinked() -> [String] {
        unlinked.withLock { marks in
            defer { marks = [] }
            return marks
        }
    }
}
