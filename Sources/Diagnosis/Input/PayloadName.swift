/// The name a payload was dropped under, and what well-known writers put into it.
///
/// Names are bytes and may be anything. They are only asked for what the payload does not tell itself.
struct PayloadName: Sendable, Hashable {
    /// A process, as far as a file name tells.
    struct Process: Sendable, Hashable {
        /// The kernel's short name of the process, at most 15 bytes long.
        let command: String
        let identifier: String
        /// When the process crashed, in milliseconds since 1970 UTC, if the name tells.
        var crashedAt: Int64?
    }

    private let bytes: ArraySlice<UInt8>

    init(_ bytes: some Collection<UInt8>) {
        // No file system allows longer names; what is longer is not looked at.
        self.bytes = Array(bytes.prefix(1_024))[...]
    }

    /// The name without `.gz`.
    var withoutGzipSuffix: PayloadName {
        PayloadName(self.bytes.droppingSuffix(".gz") ?? self.bytes)
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

    /// The process of a core dump kept by systemd: `core.COMMAND.UID.BOOT.PID.MICROSECONDS`, and the suffix of whatever
    /// compression systemd was built with.
    ///
    /// systemd writes a dot, a slash, a space or a backslash in the command as `\xNN`. Names of other patterns are not
    /// guessed at: the boot must be hexadecimal digits, and the others decimal ones.
    var systemdCoreProcess: Process? {
        var name = self.bytes
        if let suffix = Self.compressions.first(where: { name.droppingSuffix($0) != nil }) {
            name = name.droppingSuffix(suffix) ?? name
        }
        let parts = name.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count >= 6, parts.first?.text == "core" else { return nil }
        let (numbers, command) = (parts.suffix(4), parts[1..<(parts.count - 4)])
        guard let user = numbers.first, let time = numbers.last, let boot = numbers.dropFirst().first,
            let process = numbers.dropLast().last
        else { return nil }
        guard [user, process, time].allSatisfy({ !$0.isEmpty && $0.allSatisfy(\.isDigit) }), boot.count >= 16,
            boot.allSatisfy({ $0.hexValue != nil }), command.contains(where: { !$0.isEmpty })
        else { return nil }
        // 1971 to 9999: a smaller or larger number is not one of microseconds.
        let microseconds = time.decimalNumber.flatMap {
            (31_536_000_000_000..<253_402_300_800_000_000).contains($0) ? $0 : nil
        }
        return Process(
            command: Self.unescaped(Array(command.joined(separator: ".".utf8))), identifier: process.text,
            crashedAt: microseconds.map { $0 / 1_000 })
    }

    /// The text with each `\xNN` as the byte that it stands for.
    private static func unescaped(_ escaped: [UInt8]) -> String {
        var rest = escaped[...]
        var bytes: [UInt8] = []
        while let first = rest.first {
            if let digits = rest.dropping("\\x")?.prefix(2), digits.count == 2, let value = digits.hexNumber {
                bytes.append(UInt8(truncatingIfNeeded: value))
                rest = rest.dropFirst(4)
            } else {
                bytes.append(first)
                rest = rest.dropFirst()
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension PayloadName {
    private static let compressions = [".gz", ".zst", ".xz", ".lz4", ".bz2", ".lzma"]
    private static let crashSuffixes = [".core", ".dmp", ".mdmp", ".ips", ".mxdiagnostic"]
    private static let sourceSuffixes = [
        ".adoc", ".c", ".cc", ".cpp", ".cs", ".diff", ".el", ".ex", ".exs", ".go", ".h", ".hpp", ".java", ".js", ".kt",
        ".lua", ".m", ".mm", ".patch", ".php", ".pl", ".pm", ".py", ".rb", ".rs", ".rst", ".sh", ".swift", ".ts",
    ]
    private static let crashWords = ["crash", "panic", "hs_err_pid", "minidump", "tombstone", "vmcore"]

    /// Whether it is the name of a source file or manual. No program gives such a name to what it leaves behind.
    var isOfSource: Bool {
        !self.isOfCrash && Self.sourceSuffixes.contains { self.bytes.droppingSuffix($0) != nil }
    }

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

extension PayloadName.Process: CustomStringConvertible {
    var description: String { "\(self.command)[\(self.identifier)]" }
}

extension ArraySlice<UInt8> {
    /// Takes the decimal digits off the end; `nil` if there are none.
    fileprivate mutating func removingTrailingNumber() -> ArraySlice<UInt8>? {
        let start = self.lastIndex { !$0.isDigit }.map { $0 + 1 } ?? self.startIndex
        guard start < self.endIndex else { return nil }
        let digits = self[start...]
        self = self[..<start]
        return digits
    }
}
