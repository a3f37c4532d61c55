/// The message that a native program writes before it aborts, in the words of the library that makes it abort.
///
/// The signal that follows says nothing, so a format that finds an abort asks here for the lines before it.
enum AbortMessage {
    /// How many lines before an abort are looked at.
    private static let maximumDistance = 48

    /// The message nearest to a line, before it.
    static func cause(before end: Int, in lines: [ArraySlice<UInt8>]) -> Crash.Cause? {
        for index in lines[..<end].suffix(self.maximumDistance).indices.reversed() {
            let rest = lines[index..<end]
            if let cause = GlibcAbortFormat.cause(rest) ?? TerminateFormat.cause(rest) { return cause }
            if let assertion = FailedAssertion(rest) { return assertion.cause }
            if let check = FailedCheck(lines[index]) { return check.cause }
        }
        return nil
    }
}
