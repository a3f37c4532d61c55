import Glibc

/// The line of the kernel's log about a process that died.
enum KernelLog {
    /// How many records are read at most, and for how long, in milliseconds. A record is a line.
    private static let recordCount = 20_000
    private static let patience = 50

    /// The last line about the process: of a fault, or of a kill for want of memory.
    ///
    /// Never waits for a line. `nil` where the log may not be read, as in most containers.
    /// The process is known by its number and by what the kernel calls it: the first 15 bytes of its file's name.
    static func line(about pid: Int32, name: String, path: String = "/dev/kmsg") -> String? {
        let raw = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        guard raw >= 0 else { return nil }
        defer { _ = close(raw) }
        var found: String?
        var buffer = [UInt8](repeating: 0, count: 8_192)
        let end = now() + patience
        for count in 0..<recordCount {
            let length = read(raw, &buffer, buffer.count)
            // A record that was overwritten meanwhile (EPIPE) is followed by the next one.
            if length < 0, errno == EPIPE { continue }
            guard length > 0 else { break }
            if count.isMultiple(of: 256), now() > end { break }
            let record = String(decoding: buffer[..<length], as: UTF8.self)
            if let text = message(of: record), isAbout(pid, name, text) { found = text }
        }
        return found
    }

    /// `6,1234,987654321,-;shopd[2740]: segfault at 0 ip …`, and lines that begin with a blank.
    static func message(of record: String) -> String? {
        guard let mark = record.firstIndex(of: ";") else { return nil }
        let text = record[record.index(after: mark)...].prefix { $0 != "\n" }
        return text.isEmpty ? nil : String(text)
    }

    static func isAbout(_ pid: Int32, _ name: String, _ text: String) -> Bool {
        let comm = String(decoding: name.utf8.prefix(15), as: UTF8.self)
        let faults = ["segfault at", "general protection", "trap ", "traps:", "bad frame", "error "]
        if text.contains("\(comm)[\(pid)]"), faults.contains(where: { text.contains($0) }) { return true }
        return text.contains("Killed process \(pid) (\(comm)") || text.contains("task=\(comm),pid=\(pid),")
    }

    private static func now() -> Int {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return time.tv_sec * 1_000 + time.tv_nsec / 1_000_000
    }
}
