/// The first line of a sanitizer's report: `==27204==ERROR: AddressSanitizer: heap-buffer-overflow on address 0x…`.
struct SanitizerTitle {
    /// The sanitizer, for example `AddressSanitizer`.
    let tool: String
    /// What stands behind the sanitizer's name.
    let description: ArraySlice<UInt8>
    let process: Int64?
    let program: String?
    private let isWarning: Bool

    init?(_ line: ArraySlice<UInt8>) {
        let line = line.prefix(4_096)
        guard line.first == UInt8(ascii: "=") || line.first == UInt8(ascii: "W"),
            let name = line.range(of: "Sanitizer: ") ?? line.range(of: "Sanitizer CHECK failed: "),
            let level = line.range(of: "ERROR: ") ?? line.range(of: "WARNING: ") ?? Self.levelOfCheck(in: line),
            level.upperBound < name.lowerBound, line[level.upperBound..<name.lowerBound].allSatisfy(\.isLetter)
        else { return nil }
        self.tool = line[level.upperBound..<name.lowerBound].text + "Sanitizer"
        self.isWarning = line[level].first == UInt8(ascii: "W")
        let behindTool = name.lowerBound + "Sanitizer".utf8.count
        self.description = line[behindTool...].drop { $0 == UInt8(ascii: ":") || $0 == 0x20 }
        // `==PID==`, or with `log_exe_name` `==EXE==PID==`.
        let fields = line[..<level.lowerBound].split(separator: UInt8(ascii: "="))
        let number = fields.last?.decimalNumber
        guard level.lowerBound == line.startIndex || number != nil else { return nil }
        self.process = number ?? self.description.after("(pid=")?.leadingDigits?.decimalNumber
        self.program = fields.count > 1 ? fields[0].text : nil
        guard self.process != nil else { return nil }
    }

    /// A check of the sanitizer itself has failed, which some versions give no level: `==7==AddressSanitizer CHECK …`.
    private static func levelOfCheck(in line: ArraySlice<UInt8>) -> Range<Int>? {
        guard line.contains("CHECK failed: "), let digits = line.dropping("==")?.leadingDigits,
            line[digits.endIndex...].starts(with: "==".utf8)
        else { return nil }
        return (digits.endIndex + 2)..<(digits.endIndex + 2)
    }

    // MARK: - The fault

    private static let signals: Set<String> = ["SEGV", "BUS", "FPE", "ILL", "ABRT", "TRAP"]

    /// Titles that are sentences, and the names that the sanitizer's own summary has for them.
    private static let names = [
        ("attempting double-free", "double-free"), ("attempting free on address which was not malloc()-ed", "bad-free"),
        ("requested allocation size", "allocation-size-too-big"), ("allocator is out of memory", "out-of-memory"),
        ("out of memory", "out-of-memory"), ("calloc parameters overflow", "calloc-overflow"),
        ("CHECK failed", "CHECK failed"), ("attempting to call malloc_usable_size", "bad-malloc_usable_size"),
    ]

    /// The name of the fault.
    var type: String {
        if let name = Self.names.first(where: { self.description.starts(with: $0.0.utf8) }) { return name.1 }
        let ends = [" on ", " (", ": ", " in thread", " by thread", " at 0x"].compactMap {
            self.description.range(of: $0)
        }
        let end = ends.map(\.lowerBound).min() ?? self.description.endIndex
        return self.description[..<end].trimmed.text.nonEmpty ?? "error"
    }

    /// The fault as a summary names it.
    var fault: String {
        let type = self.type
        return self.description.starts(with: "\(type) on unknown address".utf8) ? "\(type) on unknown address" : type
    }

    var signal: String? {
        let type = self.type
        if type == "stack-overflow" { return "SIGSEGV" }
        return Self.signals.contains(type) ? "SIG\(type)" : nil
    }

    /// The address of the fault, where the title has one.
    var address: UInt64? {
        let marks = ["on unknown address 0x", "on address 0x", " on 0x", "malloc()-ed: 0x"]
        let rest = marks.lazy.compactMap { self.description.after($0) }.first
        return rest?.prefix { $0.hexValue != nil }.hexNumber
    }

    /// Whether the sanitizer ends the program for such a fault, as far as nobody has told it otherwise.
    ///
    /// Leaks are found when the program has ended by itself, and what the thread sanitizer warns of lets it go on.
    var isFatal: Bool {
        switch self.tool {
        case "LeakSanitizer", "TypeSanitizer", "NumericalStabilitySanitizer": false
        case "ThreadSanitizer": !self.isWarning
        default: true
        }
    }
}
