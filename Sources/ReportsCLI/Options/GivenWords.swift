import CStartup

/// The words of the command line as the kernel gave them, which may be any bytes.
///
/// Swift's `CommandLine` reads them from `/proc`, and has none where that is missing.
enum GivenWords {
    /// With the program's own name.
    static var raw: [UnsafeMutablePointer<CChar>] {
        var words: [UnsafeMutablePointer<CChar>] = []
        var next = cstartup_words() ?? CommandLine.unsafeArgv
        while let word = next.pointee {
            words.append(word)
            next += 1
        }
        return words
    }

    /// Without the program's own name, and repaired where they are no UTF-8.
    static var texts: [String] { raw.dropFirst().map { String(cString: $0) } }
}
