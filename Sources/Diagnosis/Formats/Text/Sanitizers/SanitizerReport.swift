/// What a sanitizer found.
struct SanitizerReport {
    /// The sanitizer, for example `AddressSanitizer`.
    let tool: String
    /// The fault as a summary names it.
    let fault: String
    let cause: Crash.Cause
    /// Whether the program ended by it.
    let isFatal: Bool
    private(set) var program: String?
    private(set) var process: Int64?
    private(set) var threads: [Crash.Thread] = []
    private(set) var images: [Crash.Image] = []

    /// How many lines may stand between the first line of a report and its stack.
    private static let maximumPreambleLength = 24

    /// Reads the report that begins with the first of some lines; `nil` where none does.
    init?(_ lines: ArraySlice<ArraySlice<UInt8>>) {
        guard let first = lines.first, let title = SanitizerTitle(first) else { return nil }
        let behind = lines.dropFirst()
        let stack = NumberedStack(in: behind, within: Self.maximumPreambleLength)
        let summary = Array("SUMMARY: \(title.tool): ".utf8)
        let hasEnd = behind.prefix(256).prefix { SanitizerTitle($0) == nil }.contains { $0.starts(with: summary) }
        // A line that only quotes a title has neither.
        guard !stack.frames.isEmpty || hasEnd else { return nil }
        self.tool = title.tool
        self.fault = title.fault
        self.isFatal = title.isFatal
        self.process = title.process
        self.program = title.program ?? stack.program
        let preamble = behind[..<(stack.line ?? behind.startIndex)]
        let access = preamble.lazy.map(Self.withoutProcess).first { !$0.isEmpty }
        let message = access.map { ($0.droppingSuffix(":") ?? $0).text } ?? title.description.text
        self.cause = Crash.Cause(
            type: title.type, message: message, signal: title.signal,
            address: title.address ?? access?.after(" at 0x").flatMap { $0.prefix { $0.hexValue != nil }.hexNumber })
        self.add(stack, thread: Self.threadNumber(in: title.description) ?? access.flatMap(Self.threadNumber))
    }

    private mutating func add(_ stack: NumberedStack, thread: Int64?) {
        guard !stack.frames.isEmpty else { return }
        var frames = stack.frames
        // The runtime of the sanitizers subtracts what leads from the return to the call.
        for index in frames.indices { frames[index].isReturnAddress = false }
        self.threads = [Crash.Thread(number: thread, isCrashed: true, frames: frames)]
        self.images = stack.images
    }

    /// A line without `==27204==` in front.
    private static func withoutProcess(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let line = line.trimmed
        guard let rest = line.dropping("=="), let end = rest.lastRange(of: "==") else { return line }
        return rest[end.upperBound...].trimmed
    }

    /// The number in `thread T2` or at the end of ` sp 0x7ffd09d2cba0 T0)`.
    private static func threadNumber(in text: ArraySlice<UInt8>) -> Int64? {
        let number = text.after(" thread T") ?? text.lastRange(of: " T").map { text[$0.upperBound...] }
        return number?.leadingDigits?.decimalNumber
    }

    // MARK: - Forms of their own

    /// `FILE:LINE:COLUMN: runtime error: MESSAGE`, with or without a stack.
    init?(undefinedBehaviour lines: ArraySlice<ArraySlice<UInt8>>) {
        guard let first = lines.first, let separator = first.range(of: ": runtime error: "),
            first.first?.isBlank == false, let location = SourceLocation(first[..<separator.lowerBound]),
            let column = location.column, !location.file.contains(" ")
        else { return nil }
        let message = first[separator.upperBound...].text
        let stack = NumberedStack(in: lines.dropFirst(), within: 1)
        self.tool = "UndefinedBehaviorSanitizer"
        self.fault = message
        self.cause = Crash.Cause(type: "runtime error", message: message)
        // There is nothing to go on with behind such a point: `execution reached an unreachable program point`.
        self.isFatal = message.hasPrefix("execution reached ")
        self.program = stack.program
        self.add(stack, thread: nil)
        guard stack.frames.isEmpty else { return }
        let frame = Crash.Frame(
            file: location.file, line: location.line, column: column,
            isOwn: NativeOwnership.isOwn(function: nil, file: location.file))
        self.threads = [Crash.Thread(isCrashed: true, frames: [frame])]
    }

    /// `SUMMARY: AddressSanitizer: heap-use-after-free /srv/till.cpp:8:79 in till::settle(int)`
    init?(summary line: ArraySlice<UInt8>) {
        guard let rest = line.dropping("SUMMARY: "), let colon = rest.range(of: "Sanitizer: "),
            rest[..<colon.lowerBound].allSatisfy(\.isLetter), let symbol = rest.range(of: " in "),
            let blank = rest[colon.upperBound..<max(colon.upperBound, symbol.lowerBound)].lastIndex(of: 0x20),
            let location = SourceLocation(rest[(blank + 1)..<symbol.lowerBound])
        else { return nil }
        let function = FunctionName.plain(rest[symbol.upperBound...])
        self.tool = rest[..<colon.lowerBound].text + "Sanitizer"
        self.fault = rest[colon.upperBound..<blank].trimmed.text
        self.cause = Crash.Cause(type: self.fault)
        self.isFatal = !["Thread", "Leak", "UndefinedBehavior"].contains(rest[..<colon.lowerBound].text)
        let frame = Crash.Frame(
            function: function, file: location.file, line: location.line, column: location.column,
            isOwn: NativeOwnership.isOwn(function: function, file: location.file))
        self.threads = [Crash.Thread(isCrashed: true, frames: [frame])]
    }

    /// GWP-ASan, which has a title that says nothing, and the fault in the line below:
    /// `Use After Free at 0x7feccab26000 (0 bytes into a 41-byte allocation) by thread 31027 here:`.
    init?(guardedAllocation lines: ArraySlice<ArraySlice<UInt8>>) {
        guard lines.first?.starts(with: "*** GWP-ASan detected a memory error".utf8) == true,
            let fault = lines.dropFirst().first, let place = fault.range(of: " at 0x")
        else { return nil }
        self.tool = "GWP-ASan"
        self.fault = fault[..<place.lowerBound].text
        self.cause = Crash.Cause(
            type: self.fault, message: (fault.droppingSuffix(" here:") ?? fault).text, signal: "SIGSEGV",
            address: fault[place.upperBound...].prefix { $0.hexValue != nil }.hexNumber)
        self.isFatal = true
        let stack = lines.dropFirst(2).prefix(TextBounds.frameCount).prefix { $0.trimmed.first == UInt8(ascii: "#") }
        let frames = stack.compactMap { line in
            line.trimmed.after(" ").flatMap(BacktraceSymbolsFrame.read) ?? NumberedFrame(line)?.frame
        }
        let thread = fault.after(" by thread ")?.leadingDigits?.decimalNumber
        self.threads = frames.isEmpty ? [] : [Crash.Thread(number: thread, isCrashed: true, frames: frames)]
        self.program = NativeStack.program(of: frames)
    }
}
