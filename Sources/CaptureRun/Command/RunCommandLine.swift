import DurableIO

/// What somebody wants of `reports-run`.
package enum RunCommandLine: Equatable, Sendable {
    case help
    case version
    /// To run a program.
    /// - `commandIndex`: where in the words the program's name stands.
    case run(RunOptions, commandIndex: Int)

    /// Words that make no sense, said in a line for a person.
    package struct Misuse: Error, Equatable, CustomStringConvertible {
        package let description: String

        init(_ description: String) {
            self.description = description
        }
    }

    /// Reads a command line by hand: a package for it would cost more time at start and more bytes than all the rest.
    /// - Parameter words: without the program's own name.
    /// - Throws: ``Misuse``, for the caller to be told.
    package init(_ words: [String]) throws(Misuse) {
        var reader = Reader(words: words)
        self = try reader.read()
    }

    private struct Reader {
        let words: [String]
        var index = 0
        var options = RunOptions()

        mutating func read() throws(Misuse) -> RunCommandLine {
            while index < words.count {
                let word = words[index]
                if word == "--" {
                    index += 1
                    break
                }
                guard word.hasPrefix("-"), word != "-" else { break }
                index += 1
                if word == "--help" || word == "-h" { return .help }
                if word == "--version" { return .version }
                try readOption(word)
            }
            guard index < words.count else { throw Misuse("there is no program to run") }
            guard !words[index].isEmpty else { throw Misuse("the program's name is empty") }
            options.command = Array(words[index...])
            return .run(options, commandIndex: index)
        }

        private mutating func readOption(_ word: String) throws(Misuse) {
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            let name = parts[0]
            if let set = RunOptionTable.flags[name] {
                guard parts.count == 1 else { throw Misuse("\(name) takes no value") }
                set(&options)
            } else if let set = RunOptionTable.values[name] {
                if parts.count == 1 {
                    guard index < words.count else { throw Misuse("\(name) needs a value") }
                    try set(words[index], &options)
                    index += 1
                } else {
                    try set(parts[1], &options)
                }
            } else {
                let names = Array(RunOptionTable.flags.keys) + RunOptionTable.values.keys + ["--help", "--version"]
                let meant = NearestName.of(name, among: names.sorted()).map { "; did you mean \($0)?" } ?? ""
                throw Misuse("there is no option \(QuotedText(name, limit: 60))\(meant)")
            }
        }
    }
}
