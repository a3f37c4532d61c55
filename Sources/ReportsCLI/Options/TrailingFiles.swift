/// The files at the end of a command line, taken out of the parser's hands.
///
/// For each value of a repeated argument the parser goes through all those before it: 5,000 files would cost a second,
/// and 100,000 several minutes.
enum TrailingFiles {
    /// Cuts off what is surely files, whatever options there are: of the words at the end that do not begin with a
    /// dash, all but the first two. The first may be the value of an option, and the second lets the parser see that
    /// there are files.
    static func split(_ arguments: [String]) -> (parsed: [String], files: [String]) {
        let end = arguments.lastIndex { $0.hasPrefix("-") && $0 != "-" } ?? 0
        // Where no option stands, the first word is the command.
        let kept = min(end + 3, arguments.count)
        return (Array(arguments[..<kept]), Array(arguments[kept...]))
    }
}
