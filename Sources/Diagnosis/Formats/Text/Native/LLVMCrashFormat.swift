/// The crash of a compiler that is built with LLVM: clang, swift-frontend, and their relatives.
///
/// ```
/// PLEASE submit a bug report to https://github.com/llvm/llvm-project/issues/ and include the crash backtrace.
/// Stack dump:
/// 0.      Program arguments: /usr/bin/swift-frontend -frontend -c main.swift
/// 1.      While evaluating request TypeCheckSourceFileRequest(source_file "main.swift")
///  #0 0x000056093b1a7c28 llvm::sys::PrintStackTrace(llvm::raw_ostream&, int) (/usr/bin/swift-frontend+0x7c28)
///  #1 0x000056093b1a5e0e swift::TypeChecker::typeCheck(swift::Decl*) (/usr/bin/swift-frontend+0x5e0e)
/// ```
/// Source: `PrettyStackTrace.cpp` and `Signals.cpp` of LLVM.
enum LLVMCrashFormat: TextFormat {
    static let marks: [LineMark] = [.beginning("Stack dump:")]

    static func read(_ text: CapturedText, at places: [Int]) -> TextFinding? {
        for place in places {
            let following = text.lines[(place + 1)...]
            guard let arguments = following.first?.dropping("0.\tProgram arguments: ") else { continue }
            let context = following.prefix(64).prefix { $0.first?.isDigit == true && $0.contains(".\t") }
            let stack = NumberedStack(in: following, within: 68)
            var cause =
                AbortMessage.cause(before: place, in: text.lines)
                ?? Crash.Cause(type: self.signal(in: text.lines[context.endIndex...]) ?? "compiler crash")
            if cause.type.hasPrefix("SIG") { cause.signal = cause.type }
            if cause.message == nil, context.count > 1 { cause.message = context.last?.after(".\t")?.text }
            let command = (arguments.dropping("\"") ?? arguments).prefix { !$0.isBlank && $0 != UInt8(ascii: "\"") }
            var crash = Crash(program: command.lastPathComponent.text.nonEmpty, cause: cause)
            crash.images = stack.images
            if !stack.frames.isEmpty { crash.threads = [Crash.Thread(isCrashed: true, frames: stack.frames)] }
            return TextFinding(crash, format: "llvm-crash", subject: "compiler", line: place)
        }
        return nil
    }

    /// What the driver of the compiler says about the end of it.
    private static func signal(in lines: ArraySlice<ArraySlice<UInt8>>) -> String? {
        for line in lines.prefix(512) {
            if let words = line.after("unable to execute command: "), let death = ShellWords.death(in: words) {
                return death.signal
            }
            if let number = line.after("command failed due to signal ")?.leadingDigits, number.count <= 2 {
                return number.decimalNumber.map { SignalName.linux(Int($0)) }
            }
        }
        return nil
    }
}
