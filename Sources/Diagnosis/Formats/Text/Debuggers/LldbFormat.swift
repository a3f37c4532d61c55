/// What lldb wrote about a program that stopped.
///
/// ```
/// (lldb) target create "shopd" --core "core.3144"
/// * thread #1, name = 'shopd', stop reason = signal SIGSEGV: invalid address (fault address: 0x18)
///   * frame #0: 0x000055d1c2a1f3b4 shopd`settle(id=7) at ledger.c:12:3
///     frame #1: 0x00007f0c6f4c1d7f libc.so.6`__libc_start_main + 133
///   thread #2, name = 'pool'
///     frame #0: 0x00007f0c6f4c1d7f libc.so.6`poll + 77
/// ```
/// Source: `thread-format` and `frame-format` of lldb's settings.
enum LldbFormat: TextFormat {
    static let marks: [LineMark] = [.beginning("* thread #")]

    static func read(_ text: CapturedText, at places: [Int]) -> TextFinding? {
        for place in places {
            guard let reason = text.lines[place].after("stop reason = ") else { continue }
            let threads = self.threads(in: text.lines[place...])
            guard let thread = threads.first, !thread.frames.isEmpty else { continue }
            let cause = self.cause(reason)
            let before = text.lines[..<place].suffix(64)
            var crash = Crash(
                program: self.program(in: before) ?? NativeStack.program(of: thread.frames) ?? text.origin?.name,
                process: before.lazy.compactMap { $0.dropping("Process ")?.leadingDigits?.decimalNumber }.first,
                cause: cause ?? Crash.Cause(type: "stop", message: reason.text))
            crash.threads = threads
            let isCrash = cause != nil
            return TextFinding(
                diagnosis: Diagnosis(
                    format: "lldb", contentType: ContentType.text, kind: isCrash ? .crash : .diagnostic,
                    summary: crash.summary(subject: "lldb"), crash: crash),
                severity: isCrash ? .fatal : .finding, line: place)
        }
        return nil
    }

    /// The fault; `nil` for breakpoints, steps and signals that people send.
    private static func cause(_ reason: ArraySlice<UInt8>) -> Crash.Cause? {
        let faults = ["SIGSEGV", "SIGABRT", "SIGBUS", "SIGFPE", "SIGILL", "SIGTRAP", "SIGSYS"]
        let digits = (reason.after("address: 0x") ?? reason.after("address=0x"))?.prefix { $0.hexValue != nil }
        let address = digits?.hexNumber
        if let rest = reason.dropping("signal ") {
            let name = rest.prefix { $0.isLetter }.text
            guard faults.contains(name) else { return nil }
            return Crash.Cause(type: name, message: rest.after(": ")?.text, signal: name, address: address)
        }
        guard
            reason.starts(with: "EXC_".utf8) || reason.starts(with: "hit program assert".utf8)
                || reason.starts(with: "Fatal error".utf8)
        else { return nil }
        let type = reason.before(" (") ?? reason.before(": ") ?? reason
        let message = reason.between("(", ")") ?? reason.after(": ")
        return Crash.Cause(type: type.text, message: message?.text, address: address)
    }

    /// `(lldb) target create "shopd"`, or `Process 3144 launched: '/srv/shop/bin/shopd' (x86_64)`.
    private static func program(in lines: ArraySlice<ArraySlice<UInt8>>) -> String? {
        for line in lines.reversed() {
            if let path = line.between("target create \"", "\""), !path.isEmpty { return path.lastPathComponent.text }
            if let path = line.between(" launched: '", "'") { return path.lastPathComponent.text }
        }
        return nil
    }

    private static func threads(in lines: ArraySlice<ArraySlice<UInt8>>) -> [Crash.Thread] {
        var threads: [Crash.Thread] = []
        for line in lines {
            let rest = line.drop { $0.isBlank || $0 == UInt8(ascii: "*") }
            if let number = rest.dropping("thread #")?.leadingDigits {
                // With a star it is where the program has stopped, maybe once more.
                let isNextStop = line.first == UInt8(ascii: "*") && !threads.isEmpty
                guard threads.count < TextBounds.threadCount, !isNextStop else { break }
                let name = rest.between("name = '", "'")
                threads.append(
                    Crash.Thread(
                        name: name?.text, number: number.decimalNumber, isCrashed: threads.isEmpty, frames: []))
            } else if let last = threads.indices.last, let frame = self.frame(rest),
                threads[last].frames.count < TextBounds.frameCount
            {
                threads[last].frames.append(frame)
            } else if line.starts(with: "(lldb)".utf8), !threads.allSatisfy(\.frames.isEmpty) {
                break
            }
        }
        return threads
    }

    /// `frame #0: 0x000055d1c2a1f3b4 shopd`settle(id=7) at ledger.c:12:3`
    private static func frame(_ line: ArraySlice<UInt8>) -> Crash.Frame? {
        guard let digits = line.dropping("frame #")?.leadingDigits,
            let rest = line[digits.endIndex...].dropping(": "), let tick = rest.firstIndex(of: UInt8(ascii: "`"))
        else { return nil }
        let address = rest.prefix { $0 != 0x20 }
        let module = rest[address.endIndex..<max(address.endIndex, tick)].trimmed.text
        var symbol = rest[(tick + 1)...]
        let location = symbol.lastRange(of: " at ").flatMap { SourceLocation(symbol[$0.upperBound...]) }
        if location != nil, let mark = symbol.lastRange(of: " at ") { symbol = symbol[..<mark.lowerBound] }
        // The values of arguments are in the brackets of a function whose source is known.
        if let opening = symbol.firstIndex(of: UInt8(ascii: "(")), symbol[opening...].contains(UInt8(ascii: "=")) {
            symbol = symbol[..<opening]
        }
        symbol = symbol.droppingSuffix(" [inlined]") ?? symbol
        let function = FunctionName.plain(symbol)
        return Crash.Frame(
            function: function, file: location?.file, line: location?.line, column: location?.column,
            module: module.nonEmpty, address: address.hexNumber,
            isOwn: NativeOwnership.isOwn(function: function, file: location?.file, module: module.nonEmpty))
    }
}
