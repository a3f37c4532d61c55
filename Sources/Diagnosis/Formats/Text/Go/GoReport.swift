/// What the Go runtime wrote when a program ended: why, and the stacks of its goroutines.
struct GoReport {
    private(set) var cause: Crash.Cause
    let kind: Diagnosis.Kind
    let threads: [Crash.Thread]

    /// How many lines may stand between the first line and the first goroutine: a message of many lines, the
    /// runtime's own stack.
    private static let maximumPreambleLength = 256

    /// Reads the report that begins with the first of some lines; `nil` where none does.
    init?(_ lines: ArraySlice<ArraySlice<UInt8>>) {
        guard let title = lines.first, let (cause, kind) = Self.cause(in: title, lines.dropFirst()) else { return nil }
        let preamble = lines.prefix(Self.maximumPreambleLength)
        // Another report's goroutines are not this one's.
        let ownLineCount = title.starts(with: "unexpected".utf8) ? 2 : 1
        let next = preamble.dropFirst(ownLineCount).firstIndex(where: GoStack.isTitle) ?? preamble.endIndex
        let start = preamble[..<next].firstIndex { GoStack.header($0) != nil }
        let signal = preamble[..<(start ?? next)].firstIndex { $0.starts(with: "[signal ".utf8) }
        // Without any goroutine the stack may have been switched off, but then the program's end is told by its
        // launcher or by the signal.
        let isEnd = preamble[..<next].dropFirst().contains { $0.starts(with: "exit status 2".utf8) }
        guard start != nil || signal != nil || isEnd else { return nil }
        self.cause = cause
        self.kind = kind
        let threads = start.map { start in
            // A server that recovered has written one stack.
            GoStack.goroutines(
                in: lines[start...], isCrash: kind != .hang, limit: kind == .diagnostic ? 1 : TextBounds.threadCount)
        }
        self.threads = threads ?? []
        if let signal { self.add(signal: lines[signal]) }
    }

    /// The cause by the first line, and what kind of report it begins.
    private static func cause(
        in title: ArraySlice<UInt8>, _ lines: ArraySlice<ArraySlice<UInt8>>
    ) -> (Crash.Cause, Diagnosis.Kind)? {
        for type in ["panic", "fatal error"] {
            guard let value = title.dropping("\(type): ") else { continue }
            return (Crash.Cause(type: type, message: self.message(value, lines)), .crash)
        }
        if title.starts(with: "unexpected fault address ".utf8) {
            guard lines.first?.starts(with: "fatal error: fault".utf8) == true else { return nil }
            let address = title.after("address ")?.hexNumber
            return (Crash.Cause(type: "fatal error", message: title.text, address: address), .crash)
        }
        if let value = title.after("http: panic serving ")?.after(": ") {
            return (Crash.Cause(type: "panic", message: value.text), .diagnostic)
        }
        return self.signalCause(in: title, lines)
    }

    /// `SIGQUIT: quit`, with the program counter in the next line.
    private static func signalCause(
        in title: ArraySlice<UInt8>, _ lines: ArraySlice<ArraySlice<UInt8>>
    ) -> (Crash.Cause, Diagnosis.Kind)? {
        guard let colon = title.range(of: ": "), title.starts(with: "SIG".utf8),
            title[..<colon.lowerBound].allSatisfy({ (0x41...0x5a).contains($0) }),
            lines.first?.starts(with: "PC=0x".utf8) == true
        else { return nil }
        let signal = title[..<colon.lowerBound].text
        // These two are sent to a program that does not answer, to see where it is. A library that aborts sends the
        // second one to itself, which the signal's code tells.
        let code = lines.first?.after("sigcode=")?.leadingDigits
        let isRequested =
            signal == "SIGQUIT" || (signal == "SIGABRT" && (code.map { $0.elementsEqual("0".utf8) } ?? true))
        var cause = Crash.Cause(type: signal, message: title[colon.upperBound...].text, signal: signal)
        cause.address = lines.first?.after("addr=")?.prefix { !$0.isBlank }.hexNumber
        return (cause, isRequested ? .hang : .crash)
    }

    /// The value of the panic, which may have several lines, and the panics that followed while it was handled.
    private static func message(_ value: ArraySlice<UInt8>, _ lines: ArraySlice<ArraySlice<UInt8>>) -> String {
        let marks = [" [recovered]", " [recovered, repanicked]"]
        var message = [marks.lazy.compactMap { value.droppingSuffix($0) }.first ?? value]
        for line in lines.prefix(TextBounds.messageLineCount) {
            guard !line.isEmpty, !line.starts(with: "[signal ".utf8), GoStack.header(line) == nil,
                !GoStack.isTitle(line), !line.starts(with: "exit status ".utf8),
                !line.starts(with: "runtime stack:".utf8)
            else { break }
            message.append(line)
        }
        return message.map(\.text).joined(separator: "\n")
    }

    /// `[signal SIGSEGV: segmentation violation code=0x1 addr=0x18 pc=0x45f2a3]`
    private mutating func add(signal line: ArraySlice<UInt8>) {
        guard let rest = line.dropping("[signal ") else { return }
        let name = rest.prefix { !$0.isBlank && $0 != UInt8(ascii: ":") && $0 != UInt8(ascii: "]") }
        self.cause.signal = name.text
        self.cause.address = rest.after("addr=")?.prefix { !$0.isBlank && $0 != UInt8(ascii: "]") }.hexNumber
        let code = rest.after("code=")?.prefix { !$0.isBlank && $0 != UInt8(ascii: "]") }
        switch (name.text, code?.hexNumber) {
        case ("SIGSEGV", 1): self.cause.code = "SEGV_MAPERR"
        case ("SIGSEGV", 2): self.cause.code = "SEGV_ACCERR"
        default: self.cause.code = code?.text
        }
    }
}
