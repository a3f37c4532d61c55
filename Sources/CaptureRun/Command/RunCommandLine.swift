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
    /// - Parameters:
    ///   - words: without the program's own name.
    ///   - repaired: the places of those that are no UTF-8, and of which a text was made all the same. Texts of a report
    ///     may be; what names something must not.
    /// - Throws: ``Misuse``, for the caller to be told.
    package init(_ words: [String], repaired: Set<Int> = []) throws(Misuse) {
        var reader = Reader(words: words, repaired: repaired)
        self = try reader.read()
    }

    private struct Reader {
        let words: [String]
        let repaired: Set<Int>
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
                var value = parts.last ?? ""
                if parts.count == 1 {
                    guard index < words.count else { throw Misuse("\(name) needs a value") }
                    value = words[index]
                    index += 1
                }
                try set(value, &options)
                try noteRepair(of: name, isRepaired: repaired.contains(index - 1))
            } else {
                let names = Array(RunOptionTable.flags.keys) + RunOptionTable.values.keys + ["--help", "--version"]
                let meant = NearestName.of(name, among: names.sorted()).map { "; did you mean \($0)?" } ?? ""
                throw Misuse("there is no option \(QuotedText(name, limit: 60))\(meant)")
            }
        }

        /// The spool alone may be of any bytes without a word: a spool keeps no program from running.
        private mutating func noteRepair(of name: String, isRepaired: Bool) throws(Misuse) {
            if name == "--spool" {
                options.hasForeignSpool = isRepaired
            } else if name == "--env", isRepaired {
                throw Misuse("--env: the name of the variable is no UTF-8")
            }
        }
    }
}
