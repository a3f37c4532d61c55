import Glibc

/// A line of the kernel's log about a process that died.
package struct KernelLine: Hashable, Sendable {
    package let text: String
    /// Whether the kernel has killed the process for want of memory.
    package let isMemoryKill: Bool
}

/// The kernel's log, in which it tells of faults, and of kills for want of memory.
package enum KernelLog {
    /// How many records are read at most, and for how long, in milliseconds. A record is a line.
    private static let recordCount = 200_000
    private static let patience = 200
    /// The log's clock and that of this process may be set apart by 500 in a million, the most by which a clock is slewed,
    /// and by what passes in the meantime, in milliseconds.
    private static let clockQuotient = 2_000
    private static let clockPause = 10_000

    /// Finds the last line about a program that has died of a fault, or by SIGKILL. Never waits for one.
    /// - Parameters:
    ///   - program: its number.
    ///   - name: what the kernel calls it (``ProgramProcess/kernelName``).
    ///   - end: how it ended, a moment ago.
    /// - Returns: `nil` also where the log may not be read, as in most containers.
    package static func line(about program: Int32, name: String?, _ end: ProgramEnd) -> KernelLine? {
        guard let name, case .signalled(let signal, _) = end.status,
            Signal.faults.contains(signal) || signal == Signal.kill, knowsOurNumbers
        else { return nil }
        return line(about: program, name: name, since: now() - Int(end.uptimeMilliseconds))
    }

    /// The kernel tells of processes by their numbers in the first namespace, which is known by this inode.
    private static var knowsOurNumbers: Bool { ProcessFacts.target("/proc/self/ns/pid") == "pid:[4026531836]" }

    /// Finds the last line about a process.
    /// - Parameters:
    ///   - pid: the number of the process. Others have had it before.
    ///   - name: of the process.
    ///   - start: when it was started, in milliseconds of the monotonic clock.
    ///   - path: of the log. Tests put another file in its place.
    /// - Returns: `nil` where there is none.
    static func line(about pid: Int32, name: String, since start: Int, path: String = "/dev/kmsg") -> KernelLine? {
        let raw = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        guard raw >= 0 else { return nil }
        defer { _ = close(raw) }
        let process = Process(pid, name)
        let oldest = start - clockPause - now() / clockQuotient
        var found: KernelLine?
        var buffer = [CChar](repeating: 0, count: 8_192)
        let end = now() + patience
        for count in 0..<recordCount {
            let length = read(raw, &buffer, buffer.count - 1)
            // A record that was overwritten meanwhile (EPIPE) is followed by the next one.
            if length < 0, errno == EPIPE || errno == EINTR { continue }
            guard length > 0 else { break }
            if count.isMultiple(of: 256), now() > end { break }
            buffer[length] = 0
            // Of most records this is all that is done.
            guard strstr(buffer, process.digits) != nil else { continue }
            let text = String(decoding: buffer[..<length].map(UInt8.init(bitPattern:)), as: UTF8.self)
            for record in text.split(separator: "\n").compactMap(Record.init) where record.milliseconds >= oldest {
                if let line = process.line(in: record.text) { found = line }
            }
        }
        return found
    }

    /// `6,1234,987654321,-;shopd[2740]: segfault at 0 ip …`: the kernel's own. Lines that begin with a blank belong to the
    /// one before.
    struct Record {
        let milliseconds: Int
        let text: Substring

        /// - Returns: `nil` for what a process has written into the log.
        init?(_ line: Substring) {
            guard line.first != " ", let mark = line.firstIndex(of: ";") else { return nil }
            let fields = line[..<mark].split(separator: ",")
            // Priorities from 8 on are those of processes.
            guard fields.count >= 3, let priority = Int(fields[0]), priority < 8, let microseconds = Int(fields[2])
            else { return nil }
            (milliseconds, text) = (microseconds / 1_000, line[line.index(after: mark)...])
        }
    }

    /// A process as the kernel tells of it.
    struct Process {
        let digits: String
        private let name: String

        /// - Parameters:
        ///   - pid: its number.
        ///   - name: what the kernel calls it.
        init(_ pid: Int32, _ name: String) {
            digits = "\(pid)"
            // As the log has bytes that are no plain text.
            self.name = name.utf8.prefix(15).reduce(into: "") { text, byte in
                let isPlain = (0x20..<0x7f).contains(byte) && byte != UInt8(ascii: "\\")
                text += isPlain ? String(Unicode.Scalar(byte)) : "\\x" + hex(byte >> 4) + hex(byte & 15)
            }
        }

        /// - Returns: `nil` for a text that is not about the process.
        func line(in text: Substring) -> KernelLine? {
            let isMemoryKill =
                text.contains("Killed process \(digits) (\(name))")
                || text.hasPrefix("oom-kill:") && text.contains("task=\(name),pid=\(digits),")
            guard isMemoryKill || isFault(text) else { return nil }
            return KernelLine(text: String(text), isMemoryKill: isMemoryKill)
        }

        private func isFault(_ text: Substring) -> Bool {
            let faults = ["segfault at", "general protection", "trap ", "traps:", "bad frame", "error ", "unhandled "]
            let text = text.hasPrefix("traps: ") ? text.dropFirst(7) : text
            let subject = "\(name)[\(digits)]"
            return text.hasPrefix(subject) && faults.contains { text.dropFirst(subject.count).contains($0) }
        }
    }

    private static func now() -> Int { Int(MonotonicTime.now) }
}

private func hex(_ digit: UInt8) -> String { String(digit, radix: 16) }
