package import DurableIO

/// The private directory of one run: the program's runtime writes into it, and it stays behind when this process dies
/// before it has told of the program's end.
package struct RunDirectory: ~Copyable {
    /// Its absolute path, without spaces, commas and quotes.
    package let path: String
    /// Names the incident in annotations and in the names of its files: a UUID.
    package let incident: String

    /// Makes the directory for a run, in `runs/` of the caller's own spool, or hidden in `incoming/` of a spool that is
    /// open to the drops of all users.
    /// - Returns: the directory, locked by this process.
    /// - Throws: what keeps the run from being told of, in words for a person.
    package static func make(for options: RunOptions) throws(RunTrouble) -> RunDirectory {
        throw RunTrouble("not built yet")
    }

    /// Writes down what has been started, for the next owner if this process dies. Nothing is synced.
    package func note(_ start: ProgramStart) {}

    /// A file of the directory in which the end of standard error outlives this process; opened for reading and
    /// writing, and empty.
    /// - Returns: `nil` where there can be none.
    package func makeStderrFile() -> OwnedDescriptor? { nil }

    /// Ends the run: makes the reports of a death that is to be told of, drops them into the spool, and removes the
    /// directory. Nothing is synced where nothing is told.
    /// - Returns: what was dropped, by the names of the drops; empty where the end was nothing to tell of.
    /// - Throws: what keeps a report from being dropped. The directory then stays, for the next owner.
    package consuming func conclude(
        _ end: ProgramEnd, of start: ProgramStart, _ stderr: StderrExcerpt, memory: MemoryWatch, _ options: RunOptions
    ) throws(RunTrouble) -> [String] {
        []
    }
}

/// What keeps a run from being told of. It never keeps the program from running.
package struct RunTrouble: Error, CustomStringConvertible {
    package let description: String

    package init(_ description: String) {
        self.description = description
    }
}
