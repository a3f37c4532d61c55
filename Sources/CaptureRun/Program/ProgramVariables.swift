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
    package init(hiddenBacktrace: String?) {
        var next = clinux_environment()
        while let entry = next?.pointee {
            if let text = String(validatingCString: entry) { texts.append(text) } else { others.append(entry) }
            next = next?.successor()
        }
        if let hiddenBacktrace { texts.append("SWIFT_BACKTRACE=\(hiddenBacktrace)") }
    }

    /// Leaves none.
    mutating func removeAll() { (texts, others) = ([], []) }

    func list() -> WordList { WordList(texts, followedBy: others) }
}
