/// What was kept of a program's standard error: from the first mark of a crash on, and the end.
package struct StderrExcerpt: Sendable, Equatable {
    /// How much the program has written, in bytes.
    package var byteCount: UInt64 = 0
    /// What follows the first mark of a crash, from the beginning of its line; empty where there was none.
    package var head: [UInt8] = []
    /// Where ``head`` begins in what the program has written; `nil` where there is none.
    package var headOffset: UInt64?
    /// Where the last mark of the group that ``head`` begins with began; `nil` where that is not known.
    package var latestMarkOffset: UInt64?
    /// The last bytes. They may overlap with ``head``.
    package var tail: [UInt8] = []

    package init() {}
}
