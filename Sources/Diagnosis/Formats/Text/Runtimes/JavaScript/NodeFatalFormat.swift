/// A fatal error of V8 or of Node.js itself: out of memory, a failed check, a misuse by an addon.
///
/// ```
/// [90:0x6d2c000]   184211 ms: Mark-Compact 4044.1 (4131.0) -> 4040.9 (4131.2) MB, 1842.02 / 0.00 ms
///
/// FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory
/// ----- Native stack trace -----
///
///  1: 0xb8d0a3 node::OOMErrorHandler(char const*, v8::OOMDetails const&) [node]
///
/// ----- JavaScript stack trace -----
///
/// 1: settle (/srv/shop/till.js:2:47)
/// ```
/// A failed check of V8 is `# Fatal error in , line 0` and `# Check failed: EXPRESSION.`; one of Node.js is
/// `  #  Assertion failed: EXPRESSION`. Source: `src/node_errors.cc`, `src/debug_utils.cc`, V8's `base/logging.cc`.
enum NodeFatalFormat: TextFormat {
    static let marks: [LineMark] = [
        .beginning("FATAL ERROR: "), .beginning("# Fatal "), .beginning("  #  Assertion failed: "),
        .beginning(nativeStack),
    ]

    private static let nativeStack = "----- Native stack trace -----"

    /// How many lines behind the title are looked at for the beginning of a stack.
    private static let distance = 16

    static func read(_ text: CapturedText, at places: [Int]) -> TextFinding? {
        for place in places {
            let rest = text.lines[(place + 1)...]
            guard let cause = self.cause(text.lines[place], rest),
                let start = rest.prefix(self.distance).firstIndex(where: self.isStack)
            else { continue }
            var crash = RuntimeCrash(
                format: "node-fatal", subject: "node", runtime: Crash.Runtime(name: "Node.js"), cause: cause,
                threads: [Crash.Thread(isCrashed: true, frames: self.frames(in: text.lines[start...]))],
                severity: .fatal, line: place)
            crash.process = self.process(before: place, in: text.lines)
            return crash.finding(in: text)
        }
        return nil
    }

    private static func cause(_ line: ArraySlice<UInt8>, _ rest: ArraySlice<ArraySlice<UInt8>>) -> Crash.Cause? {
        if let message = line.dropping("FATAL ERROR: ") {
            return Crash.Cause(type: "FATAL ERROR", message: message.text)
        }
        if let check = line.dropping("  #  Assertion failed: ") {
            return Crash.Cause(type: "Assertion failed", message: check.text)
        }
        // A program that calls `process.abort()` has nothing to say before its stack.
        if line.starts(with: self.nativeStack.utf8) { return Crash.Cause(type: "abort", signal: "SIGABRT") }
        if line.starts(with: "# Fatal error in ".utf8) {
            let message = rest.prefix(4).lazy.compactMap { $0.dropping("# ")?.trimmed }.first { !$0.isEmpty }
            return message.map { Crash.Cause(type: "Fatal error", message: $0.text) }
        }
        return line.dropping("# Fatal ").map { Crash.Cause(type: "Fatal error", message: $0.text) }
    }

    private static func isStack(_ line: ArraySlice<UInt8>) -> Bool {
        line.starts(with: self.nativeStack.utf8) || line.starts(with: "==== C stack trace ====".utf8)
            || self.nativeFrame(line) != nil
    }

    /// The native frames, then those of the program.
    private static func frames(in lines: ArraySlice<ArraySlice<UInt8>>) -> [Crash.Frame] {
        var frames: [Crash.Frame] = []
        for line in lines {
            if let frame = self.nativeFrame(line) ?? self.scriptFrame(line) {
                frames.append(frame)
            } else if !line.isBlank, !line.starts(with: "-----".utf8), !line.starts(with: "====".utf8) {
                break
            }
        }
        return frames
    }

    /// ` 1: 0xADDRESS FUNCTION [MODULE]`
    private static func nativeFrame(_ line: ArraySlice<UInt8>) -> Crash.Frame? {
        let content = line.trimmed
        guard let number = content.leadingDigits, let rest = content[number.endIndex...].dropping(": 0x") else {
            return nil
        }
        let digits = rest.prefix { $0.hexValue != nil }
        guard let address = digits.hexNumber else { return nil }
        let behind = rest[digits.endIndex...]
        let module = behind.droppingSuffix("]").flatMap { inner in
            inner.lastRange(of: " [").map { (name: inner[..<$0.lowerBound], path: inner[$0.upperBound...]) }
        }
        let isAddon = module?.path.droppingSuffix(".node") != nil && module?.path.contains("/node_modules/") == false
        return Crash.Frame(
            function: (module?.name ?? behind).trimmed.text.nonEmpty, module: module?.path.text, address: address,
            isOwn: isAddon)
    }

    /// `1: FUNCTION (FILE:LINE:COLUMN)`
    private static func scriptFrame(_ line: ArraySlice<UInt8>) -> Crash.Frame? {
        guard let number = line.leadingDigits, let call = line[number.endIndex...].dropping(": ") else { return nil }
        return JavaScriptStack.call(call)
    }

    /// The process in the lines of the garbage collector, `[PROCESS:0xISOLATE]`, which stand before running out of
    /// memory.
    private static func process(before place: Int, in lines: [ArraySlice<UInt8>]) -> Int64? {
        for line in lines[max(0, place - 2 * self.distance)..<place].reversed() {
            guard let rest = line.dropping("["), let number = rest.leadingDigits,
                rest[number.endIndex...].starts(with: ":0x".utf8)
            else { continue }
            return number.decimalNumber
        }
        return nil
    }
}
