/// What Android's log writes before a line, in the forms of `logcat` and of Android Studio.
///
/// ```
/// 11-28 08:21:40.123  3144  3144 F DEBUG   : MESSAGE
/// 11-28 08:21:40.123 F/DEBUG   ( 3144): MESSAGE
/// F/DEBUG   ( 3144): MESSAGE
/// 2026-11-28 08:21:40.123  3144-3144  DEBUG  pid-3144  A  MESSAGE
/// 2026-11-28 08:21:40.123 3144-3144/com.example.shop E/AndroidRuntime: MESSAGE
/// ```
struct LogcatPrefix {
    let tag: ByteView
    let process: Int64?
    /// The tag and the process as they stand in the line.
    let mark: ByteView

    /// Takes the prefix off a line, if it is there.
    init?(_ scanner: inout LineScanner) {
        var copy = scanner
        let hasTime = copy.takeLogcatTime()
        let prefix = (hasTime ? Self.columns(&copy) ?? Self.studio(&copy) : nil) ?? Self.brief(&copy)
        guard let prefix else { return nil }
        self = prefix
        scanner = copy
    }

    private init(tag: ByteView, process: ByteView, mark: ByteView) {
        self.tag = tag
        self.process = process.decimalNumber
        self.mark = mark
    }

    /// ` 3144  3144 F DEBUG   : `, and with a user's number before the process.
    private static func columns(_ scanner: inout LineScanner) -> LogcatPrefix? {
        var copy = scanner
        var numbers: [ByteView] = []
        copy.skipBlanks()
        let start = copy.rest.startIndex
        while numbers.count < 3, let digits = copy.rest.leadingDigits {
            numbers.append(digits)
            copy.accept(to: digits.endIndex)
            copy.skipBlanks()
        }
        guard numbers.count >= 2, Self.takeLevel(&copy), copy.accept(0x20), let tag = Self.takeTag(&copy, end: ":")
        else {
            return nil
        }
        let mark = scanner.rest[start..<tag.endIndex]
        scanner = copy
        return LogcatPrefix(tag: tag, process: numbers[numbers.count - 2], mark: mark)
    }

    /// `F/DEBUG   ( 3144): `. The tag is at least eight characters wide there, and the number five.
    private static func brief(_ scanner: inout LineScanner) -> LogcatPrefix? {
        var copy = scanner
        let start = copy.rest.startIndex
        guard Self.takeLevel(&copy), copy.accept(UInt8(ascii: "/")), let tag = Self.takeTag(&copy, end: "("),
            copy.rest.startIndex - start >= 11
        else { return nil }
        let column = copy.rest.startIndex
        copy.skipBlanks()
        guard let process = copy.rest.leadingDigits, process.endIndex - column >= 5 else { return nil }
        copy.accept(to: process.endIndex)
        let mark = scanner.rest[start..<process.endIndex]
        guard copy.accept("):") else { return nil }
        _ = copy.accept(0x20)
        scanner = copy
        return LogcatPrefix(tag: tag, process: process, mark: mark)
    }

    /// ` 3144-3144  DEBUG  pid-3144  A  ` of newer, ` 3144-3144/com.example.shop E/AndroidRuntime: ` of older versions.
    private static func studio(_ scanner: inout LineScanner) -> LogcatPrefix? {
        var copy = scanner
        copy.skipBlanks()
        guard let process = copy.rest.leadingDigits else { return nil }
        copy.accept(to: process.endIndex)
        guard copy.accept(UInt8(ascii: "-")), copy.takeDigits(1...7) else { return nil }
        if copy.accept(UInt8(ascii: "/")) {
            guard copy.takeWord() != nil, Self.takeLevel(&copy), copy.accept(UInt8(ascii: "/")),
                let tag = Self.takeTag(&copy, end: ":")
            else { return nil }
            let mark = scanner.rest[process.startIndex..<tag.endIndex]
            scanner = copy
            return LogcatPrefix(tag: tag, process: process, mark: mark)
        }
        copy.skipBlanks()
        guard let tag = copy.takeWord() else { return nil }
        copy.skipBlanks()
        guard copy.takeWord() != nil else { return nil }
        copy.skipBlanks()
        let mark = scanner.rest[process.startIndex..<tag.endIndex]
        guard Self.takeLevel(&copy), copy.accept("  ") || copy.rest.isEmpty else { return nil }
        scanner = copy
        return LogcatPrefix(tag: tag, process: process, mark: mark)
    }

    private static func takeLevel(_ scanner: inout LineScanner) -> Bool {
        guard let level = scanner.rest.first, "VDIWEFA".utf8.contains(level) else { return false }
        return scanner.accept(level)
    }

    /// The tag, which is padded with blanks, up to a character and one blank behind a colon.
    private static func takeTag(_ scanner: inout LineScanner, end: Unicode.Scalar) -> ByteView? {
        let byte = UInt8(truncatingIfNeeded: end.value)
        let padded = scanner.rest.prefix(128).prefix { $0 >= 0x20 && $0 != byte }
        guard scanner.rest[padded.endIndex...].first == byte, !padded.trimmed.isEmpty else { return nil }
        scanner.accept(to: padded.endIndex + 1)
        if end == ":" { _ = scanner.accept(0x20) }
        return padded.trimmed
    }
}

extension LineScanner {
    /// `11-28 08:21:40.123 `, or with a year before it.
    fileprivate mutating func takeLogcatTime() -> Bool {
        self.takeAll {
            let dash = UInt8(ascii: "-")
            _ = $0.takeAll { $0.takeDigits(4...4) && $0.accept(dash) }
            guard $0.takeDigits(2...2), $0.accept(dash), $0.takeDigits(2...2), $0.accept(0x20), $0.takeTimeOfDay()
            else {
                return false
            }
            _ = $0.takeAll {
                guard $0.accept(0x20), $0.accept(UInt8(ascii: "+")) || $0.accept(dash) else { return false }
                return $0.takeDigits(4...4)
            }
            return $0.accept(0x20)
        }
    }
}
