/// An exception that a program in Ada did not handle.
///
/// ```
/// raised CONSTRAINT_ERROR : till.adb:12 index check failed
/// ```
/// Source: `a-except.adb` and `a-elchha.adb` of GNAT.
enum AdaExceptionFormat: TextFormat {
    static let marks: [LineMark] = [.beginning("raised ")]

    static func read(_ text: CapturedText, at places: [Int]) -> TextFinding? {
        for place in places {
            guard let rest = text.lines[place].dropping("raised "), let colon = rest.range(of: " : ") else { continue }
            let name = rest[..<colon.lowerBound]
            let isName = name.allSatisfy { (0x41...0x5a).contains($0) || $0.isDigit || $0 == 0x5f || $0 == 0x2e }
            guard !name.isEmpty, isName else { continue }
            let message = rest[colon.upperBound...]
            let program = text.lines[..<place].last?.between("Execution of ", " terminated by unhandled exception")
            var crash = Crash(
                program: program?.lastPathComponent.text ?? text.origin?.name, process: text.origin?.process,
                cause: Crash.Cause(type: name.text, message: message.text))
            crash.runtime = Crash.Runtime(name: "GNAT")
            if let location = SourceLocation(message.prefix { !$0.isBlank }) {
                let frame = Crash.Frame(file: location.file, line: location.line, isOwn: true)
                crash.threads = [Crash.Thread(isCrashed: true, frames: [frame])]
            }
            return TextFinding(crash, format: "ada-exception", subject: "ada", severity: .exception, line: place)
        }
        return nil
    }
}
