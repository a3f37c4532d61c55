/// The end of a fuzzing run with libFuzzer.
///
/// ```
/// ==27500== ERROR: libFuzzer: timeout after 25 seconds
///     #0 0x52f1a1 in __sanitizer_print_stack_trace (/srv/fuzz/parse_fuzzer+0x52f1a1)
///     #3 0x55a8d2 in skip_blanks /srv/shop/src/header.c:17:12
/// SUMMARY: libFuzzer: timeout
/// ```
/// Where a sanitizer has found the fault, its report stands in this one's place. Source: `FuzzerLoop.cpp`.
enum LibFuzzerFormat: TextFormat {
    static let marks: [LineMark] = [.beginning("==")]

    static let words = ["libFuzzer"]

    static func read(_ text: CapturedText, at places: [Int]) -> TextFinding? {
        for place in places {
            guard let rest = text.lines[place].dropping("=="), let digits = rest.leadingDigits,
                let fault = rest[digits.endIndex...].dropping("== ERROR: libFuzzer: ")
            else { continue }
            let stack = self.stack(in: text.lines[(place + 1)...], of: fault)
            let type = (fault.before(" after ") ?? fault.before(" (") ?? fault).text
            var crash = Crash(
                program: stack.program ?? text.origin?.name, process: digits.decimalNumber,
                cause: Crash.Cause(type: type, message: fault.text))
            crash.images = stack.images
            if type == "deadly signal", let reason = AbortMessage.cause(before: place, in: text.lines) {
                crash.cause.message = reason.sentence
            }
            if !stack.frames.isEmpty { crash.threads = [Crash.Thread(isCrashed: true, frames: stack.frames)] }
            let subject = crash.subject().map { "\($0) " } ?? ""
            return TextFinding(
                diagnosis: Diagnosis(
                    format: "libfuzzer", contentType: ContentType.text, kind: type == "timeout" ? .hang : .crash,
                    summary: "\(subject)libFuzzer: \(fault.text)\(crash.place?.place ?? "")", crash: crash),
                severity: .fatal, line: place)
        }
        return nil
    }

    /// The stack right below the title. What follows the title for memory that has run out are allocations, unless a
    /// single one was too large: `out-of-memory (malloc(4294967296))`. Then a hint and the stack of that one follow.
    private static func stack(in lines: ArraySlice<ArraySlice<UInt8>>, of fault: ArraySlice<UInt8>) -> NumberedStack {
        NumberedStack(in: lines, within: fault.contains("(malloc(") ? 5 : 2)
    }
}
