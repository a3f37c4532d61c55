import DurableIO

/// The name a payload was dropped under, and what well-known writers put into it.
///
/// Names are bytes and may be anything. They are only asked for what the payload does not tell itself.
struct ReportFileName: Sendable, Hashable {
    /// A process, as far as a file name tells.
    struct Process: Sendable, Hashable {
        /// The kernel's short name of the process, at most 15 bytes long.
        let command: String
        let identifier: String
    }

    private let bytes: ArraySlice<UInt8>

    init(_ bytes: some Collection<UInt8>) {
        // No file system allows longer names; what is longer is not looked at.
        self.bytes = Array(bytes.prefix(1_024))[...]
    }

    /// The name without `.gz`.
    var withoutGzipSuffix: ReportFileName {
        ReportFileName(self.bytes.droppingSuffix(".gz") ?? self.bytes)
    }

    /// The process of a Swift backtrace: `NAME-PID-SECONDS.MICROSECONDS[-COUNT].json` or `.log`.
    var swiftProcess: Process? {
        guard var rest = self.bytes.droppingSuffix(".json") ?? self.bytes.droppingSuffix(".log") else { return nil }
        guard var last = rest.removingTrailingNumber() else { return nil }
        if rest.last == UInt8(ascii: "-") {
            rest.removeLast()
            guard let number = rest.removingTrailingNumber() else { return nil }
            last = number
        }
        guard !last.isEmpty, rest.popLast() == UInt8(ascii: "."), rest.removingTrailingNumber() != nil,
            rest.popLast() == UInt8(ascii: "-"), let process = rest.removingTrailingNumber(),
            rest.popLast() == UInt8(ascii: "-"), !rest.isEmpty
        else { return nil }
        return Process(command: rest.text, identifier: process.text)
    }

    /// The process of a core dump kept by systemd: `core.COMMAND.UID.BOOT.PID.MICROSECONDS.zst`.
    var systemdCoreProcess: Process? {
        let parts = self.bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count >= 7, parts.first?.text == "core", parts.last?.text == "zst" else { return nil }
        let process = parts[parts.count - 3]
        guard !process.isEmpty, process.allSatisfy(\.isASCIIDigit) else { return nil }
        let command = parts[1..<(parts.count - 5)].joined(separator: ".".utf8)
        return Process(command: String(decoding: Array(command), as: UTF8.self), identifier: process.text)
    }
}

extension ReportFileName {
    private static let compressions = [".gz", ".zst", ".xz", ".lz4", ".bz2"]
    private static let crashSuffixes = [".core", ".dmp", ".mdmp", ".ips", ".mxdiagnostic"]
    private static let crashWords = ["crash", "panic", "hs_err_pid"]

    /// Whether it is a name that crashing programs, their runtimes or the kernel give to what they leave behind.
    var isOfCrash: Bool {
        if self.swiftProcess != nil { return true }
        var name = self.bytes.map { (0x41...0x5a).contains($0) ? $0 | 0x20 : $0 }[...]
        for suffix in Self.compressions { name = name.droppingSuffix(suffix) ?? name }
        if name.elementsEqual("core".utf8) || name.starts(with: "core.".utf8) { return true }
        return Self.crashSuffixes.contains { name.droppingSuffix($0) != nil }
            || Self.crashWords.contains { name.contains($0) }
    }
}

extension ReportFileName.Process: CustomStringConvertible {
    var description: String { "\(self.command)[\(self.identifier)]" }
}

extension ArraySlice<UInt8> {
    /// Takes the decimal digits off the end; `nil` if there are none.
    fileprivate mutating func removingTrailingNumber() -> ArraySlice<UInt8>? {
        let start = self.lastIndex { !$0.isASCIIDigit }.map { $0 + 1 } ?? self.startIndex
        guard start < self.endIndex else { return nil }
        let digits = self[start...]
        self = self[..<start]
        return digits
    }
}
