import DurableIO
import Glibc

/// What happens to a program's standard error, by what it is.
package enum StderrPlan: Equatable {
    /// It is left alone, and nothing is known of it afterwards.
    case leave
    /// It is a file that can be opened for reading, which is read afterwards from here on.
    case read(from: WrittenFile.Start)
    /// The journal has it.
    case askJournal(invocation: String)
    /// It is copied on its way.
    case tee

    /// - Parameters:
    ///   - mode: what the command line asks for.
    ///   - descriptor: the program's standard error.
    ///   - journal: where the journal is, and whether this process may read it.
    ///   - descriptors: where the descriptors of this process can be opened.
    init(
        _ mode: RunOptions.StderrMode, descriptor: Int32, journal: JournalAccess = JournalAccess(),
        descriptors: String = WrittenFile.descriptors
    ) {
        var facts = stat()
        // A closed one has a directory in its place, which nobody can write.
        guard mode != .none, fstat(descriptor, &facts) == 0, facts.st_mode & S_IFMT != S_IFDIR else {
            self = .leave
            return
        }
        if mode == .tee {
            self = .tee
        } else if isatty(descriptor) == 1 {
            // A person is there. Behind a pipe programs use no colours, and the order of their outputs is lost.
            self = .leave
        } else if WrittenFile.opened(descriptor, in: descriptors) != nil {
            self = .read(from: WrittenFile.Start(of: descriptor, size: Int64(facts.st_size)))
        } else if let invocation = journal.invocation(behind: facts) {
            self = .askJournal(invocation: invocation)
        } else {
            self = .tee
        }
    }
}

/// Whether standard error goes to the journal of systemd, and whether that can be read.
struct JournalAccess {
    /// `$JOURNAL_STREAM`: device and inode of the stream that the service manager has connected with the journal.
    var stream = Environment.value("JOURNAL_STREAM")
    /// `$INVOCATION_ID`: which run of which unit this is.
    var invocation = Environment.value("INVOCATION_ID")
    /// Where the journal's files are, in a directory with the machine's id as its name.
    var directories = ["/var/log/journal", "/run/log/journal"]
    var machineFile = "/etc/machine-id"
    var program = "/usr/bin/journalctl"

    /// The unit's invocation, if the stream is the journal's and can be read back.
    func invocation(behind facts: stat) -> String? {
        guard facts.st_mode & S_IFMT == S_IFSOCK, stream == "\(facts.st_dev):\(facts.st_ino)" else { return nil }
        guard let invocation, access(program, X_OK) == 0, canRead else { return nil }
        // It becomes a word of a command line.
        return invocation.utf8.count == 32 && invocation.allSatisfy(\.isHexDigit) ? invocation : nil
    }

    private var canRead: Bool {
        guard let machine = SmallFile.text(machineFile)?.prefix(32) else { return false }
        return directories.contains { access("\($0)/\(machine)/system.journal", R_OK) == 0 }
    }
}
