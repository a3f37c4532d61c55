import DurableIO
import Glibc

/// What this process says of itself on standard error, which is the program's as well.
enum RunMessages {
    /// A line that leaves the program as it is: not said where nobody reads, for the program must not wait for it.
    static func say(_ text: String) {
        var entry = pollfd(fd: STDERR_FILENO, events: Int16(POLLOUT), revents: 0)
        guard poll(&entry, 1, 0) > 0, entry.revents & Int16(POLLOUT | POLLERR) == Int16(POLLOUT) else { return }
        // As much as a pipe takes at once when it takes anything.
        let line = "reports-run: \(Printable.text(text))".utf8.prefix(1_000)
        write(line + [UInt8(ascii: "\n")], to: STDERR_FILENO)
    }

    /// Says why the program is not run.
    static func refuse(_ text: String, status: Int32) -> Int32 {
        write(Array("reports-run: \(text)\n".utf8), to: STDERR_FILENO)
        return status
    }

    static func write(_ bytes: [UInt8], to descriptor: Int32) {
        bytes.withUnsafeBytes { bytes in
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = Glibc.write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                if count == -1, errno == EINTR { continue }
                guard count > 0 else { return }
                rest = rest.dropFirst(count)
            }
        }
    }
}
