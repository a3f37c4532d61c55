/// `NODE_OPTIONS` as Node reads it: words between blanks, in which quotes keep blanks together, and a backslash within
/// quotes protects a character. In the name of an option `_` is `-`.
enum NodeOptions {
    private static let places = ["--report-directory", "--report-dir", "--diagnostic-dir"]
    private static let occasions = ["report-uncaught-exception", "report-on-fatalerror"]

    /// The value with which Node writes reports into a directory. An option that is there already, for or against, is
    /// the user's word, and so is a place.
    static func value(_ old: String?, _ directory: String) -> String {
        let given = old.map { words($0).map(name) } ?? []
        var options = old.map { $0.isEmpty ? [] : [$0] } ?? []
        for occasion in occasions where !given.contains("--\(occasion)") && !given.contains("--no-\(occasion)") {
            options.append("--\(occasion)")
        }
        if !places.contains(where: given.contains) { options.append("--report-directory=\(quoted(directory))") }
        return options.concatenated(by: " ")
    }

    private static func words(_ text: String) -> [String] {
        var words: [String] = []
        var (word, isQuoted, isProtected) = ("", false, false)
        for character in text {
            if isProtected {
                word.append(character)
                isProtected = false
            } else if character == "\\", isQuoted {
                isProtected = true
            } else if character == "\"" {
                isQuoted.toggle()
            } else if character == " ", !isQuoted {
                words.append(word)
                word = ""
            } else {
                word.append(character)
            }
        }
        return words + [word]
    }

    /// The option of a word: what stands before its value.
    private static func name(_ word: String) -> String {
        String(word.prefix { $0 != "=" }.map { $0 == "_" ? "-" : $0 })
    }

    private static func quoted(_ text: String) -> String {
        guard text.contains(where: { " \"\\".contains($0) }) else { return text }
        return "\"" + text.map { "\"\\".contains($0) ? "\\\($0)" : "\($0)" }.joined() + "\""
    }
}
