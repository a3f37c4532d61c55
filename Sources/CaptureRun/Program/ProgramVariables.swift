import CLinux
import Glibc

/// The variables that a program gets.
///
/// Values may be any bytes. Those that are no UTF-8 are handed on as they are, and nobody changes them.
package struct ProgramVariables: ~Copyable {
    /// Those that are UTF-8, `NAME=VALUE`.
    package var texts: [String] = []
    private var others: [UnsafeMutablePointer<CChar>] = []

    /// This process's own variables.
    /// - Parameter hiddenBacktrace: the value of `SWIFT_BACKTRACE` that was hidden from this process's own runtime.
    package init(hiddenBacktrace: UnsafePointer<CChar>?) {
        var next = clinux_environment()
        while let entry = next?.pointee {
            add(entry)
            next = next?.successor()
        }
        guard let hiddenBacktrace, let name = strdup("SWIFT_BACKTRACE=") else { return }
        // Lives as long as the process, as all variables do.
        guard let entry = realloc(name, strlen(name) + strlen(hiddenBacktrace) + 1) else { return }
        add(strcat(entry.assumingMemoryBound(to: CChar.self), hiddenBacktrace))
    }

    private mutating func add(_ entry: UnsafeMutablePointer<CChar>) {
        if let text = String(validatingCString: entry) { texts.append(text) } else { others.append(entry) }
    }

    /// Leaves none.
    mutating func removeAll() { (texts, others) = ([], []) }

    /// The others, as texts that stand for them.
    var repairedOthers: [String] { others.map { String(cString: $0) } }

    func list() -> WordList { WordList(texts, followedBy: others) }
}
