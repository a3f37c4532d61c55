import Glibc

/// Who holds an owner lock and since when, as the 64 bytes of its file say.
///
/// The owner writes `pid start-ticks wall-milliseconds boot-id`, padded with blanks, over the same bytes each time, so
/// that a full disk does not keep it from doing so. Nothing is decided by them: an owner that died leaves them behind,
/// and a reader believes them only while the lock is held and a process of that number has that start time.
package struct LockHolder: Hashable, Sendable {
    package let processID: Int32
    /// When it took the lock by the wall clock, in milliseconds since the epoch.
    package let sinceMilliseconds: Int64
    /// When the process was started, in clock ticks after the boot: a number that is given out anew has another.
    private let startTicks: UInt64
    /// As much of the boot's identifier as fits.
    private let bootID: String

    static let byteCount = 64
    /// The rest is for three numbers, which come to at most 51 characters with their blanks.
    private static let bootIDLength = 12

    /// This process.
    /// - Returns: `nil` where it cannot tell its own start time.
    init?(clock: any SystemClock) {
        guard let ticks = Self.startTicks(of: getpid()) else { return nil }
        processID = getpid()
        sinceMilliseconds = clock.wallMilliseconds
        startTicks = ticks
        bootID = String(clock.bootID.prefix(Self.bootIDLength))
    }

    init?(bytes: [UInt8]) {
        guard bytes.count == Self.byteCount else { return nil }
        let words = String(decoding: bytes, as: UTF8.self).split { $0 == " " || $0 == "\n" }
        guard words.count == 4, let processID = Int32(words[0]), let ticks = UInt64(words[1]),
            let since = Int64(words[2])
        else { return nil }
        self.processID = processID
        startTicks = ticks
        sinceMilliseconds = since
        bootID = String(words[3])
    }

    var bytes: [UInt8] {
        let line = Array("\(processID) \(startTicks) \(sinceMilliseconds) \(bootID)".utf8.prefix(Self.byteCount - 1))
        return line + [UInt8](repeating: UInt8(ascii: " "), count: Self.byteCount - 1 - line.count) + [0x0a]
    }

    /// Whether the process that wrote this lives.
    func isAlive(_ clock: any SystemClock) -> Bool {
        clock.bootID.hasPrefix(bootID) && Self.startTicks(of: processID) == startTicks
    }

    /// The 22nd word of `/proc/PID/stat`; the second is a name in parentheses, which may hold anything.
    private static func startTicks(of processID: Int32) -> UInt64? {
        let path = "/proc/\(processID)/stat"
        let raw = open(path, O_RDONLY | O_CLOEXEC)
        guard raw >= 0 else { return nil }
        let file = OwnedDescriptor(adopting: raw, path: path)
        var bytes = [UInt8](repeating: 0, count: 1_024)
        let count = Glibc.read(file.raw, &bytes, bytes.count)
        guard count > 0, let end = bytes.prefix(count).lastIndex(of: UInt8(ascii: ")")) else { return nil }
        let words = bytes[(end + 1)..<count].split(separator: UInt8(ascii: " "))
        return words.count > 19 ? UInt64(String(decoding: words[19], as: UTF8.self)) : nil
    }
}

extension LockHolder: CustomStringConvertible {
    /// For messages: `process 4711, since 2026-03-15T08:00:00Z`.
    package var description: String {
        "process \(processID), since \(RFC3339.string(milliseconds: sinceMilliseconds))"
    }

    /// The same after the word "process" in a message, with the blank before it; nothing where the holder is not known.
    package static func words(_ holder: LockHolder?) -> String {
        holder.map { " (pid \($0.processID), since \(RFC3339.string(milliseconds: $0.sinceMilliseconds)))" } ?? ""
    }
}
