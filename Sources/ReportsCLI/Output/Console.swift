import Diagnosis
import DurableIO
import Glibc
import Reports

/// The process's streams, and what kind of thing they are.
enum Console {
    static let isTerminal = isatty(STDOUT_FILENO) == 1
    static let errorIsTerminal = isatty(STDERR_FILENO) == 1

    /// A line on stdout, flushed: what it says is true when it is read.
    static func print(_ line: String) {
        write(Array((line + "\n").utf8))
    }

    static func print(_ object: JSONObject) {
        var bytes = JSONValue.object(object).utf8Bytes
        bytes.append(UInt8(ascii: "\n"))
        write(bytes)
    }

    static func write(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { write($0, to: STDOUT_FILENO) }
    }

    static func write(_ bytes: UnsafeRawBufferPointer) {
        write(bytes, to: STDOUT_FILENO)
    }

    /// One line on stderr, fit for a terminal.
    static func complain(_ message: String) {
        complainPlainly("reports: " + Printable.text(message))
    }

    static func complainPlainly(_ text: String) {
        Array((text + "\n").utf8).withUnsafeBytes { write($0, to: STDERR_FILENO) }
    }

    /// A line that the next one overwrites; on a terminal only.
    static func progress(_ text: String) {
        guard errorIsTerminal else { return }
        Array(("\r\u{1b}[K" + Printable.text(text)).utf8).withUnsafeBytes { write($0, to: STDERR_FILENO) }
    }

    static func endProgress() {
        guard errorIsTerminal else { return }
        Array("\r\u{1b}[K".utf8).withUnsafeBytes { write($0, to: STDERR_FILENO) }
    }

    /// Ends the process at once, its output written.
    ///
    /// Not by `exit`: a thread may still be in the system's resolver, and nothing of what a library does at the end of
    /// a process may be seen or waited for.
    static func leave(_ status: Int32) -> Never {
        fflush(nil)
        _exit(status)
    }

    /// What to do when whoever reads the output has gone: a command that only looks has nothing more to do, one that
    /// works goes on and ends with its own status.
    nonisolated(unsafe) static var endsWithItsReader = false

    /// The status of a command whose output cannot be written.
    nonisolated(unsafe) static var statusWhenUnprintable = ExitStatus.cannotWrite

    private static func write(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) {
        var rest = bytes
        while !rest.isEmpty {
            let count = Glibc.write(descriptor, rest.baseAddress, rest.count)
            if count < 0 {
                if errno == EINTR { continue }
                guard descriptor == STDOUT_FILENO else { return }
                if errno != EPIPE { cannotPrint(errno) }
                if endsWithItsReader { _exit(ExitStatus.done) }
                return
            }
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
    }

    /// What was to be printed is lost, and the status must not say otherwise.
    private static func cannotPrint(_ error: Int32) -> Never {
        complain("cannot write to standard output: \(String(cString: strerror(error)))")
        _exit(statusWhenUnprintable)
    }
}
