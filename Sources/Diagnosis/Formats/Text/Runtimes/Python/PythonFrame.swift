/// One frame of a Python stack: `  File "PATH", line N, in FUNCTION`.
///
/// `faulthandler` leaves out the second comma, and the place of a syntax error has no function.
struct PythonFrame {
    let frame: Crash.Frame

    init?(_ line: ArraySlice<UInt8>) {
        guard let rest = line.dropping("  File \""), let end = rest.lastRange(of: "\", line ") else { return nil }
        let tail = rest[end.upperBound...]
        guard let number = tail.leadingDigits else { return nil }
        let behind = tail[number.endIndex...]
        let function = behind.dropping(", in ") ?? behind.dropping(" in ")
        guard function != nil || behind.isBlank else { return nil }
        let file = rest[..<end.lowerBound].text
        self.frame = Crash.Frame(
            function: function?.trimmed.text.nonEmpty, file: file, line: number.decimalNumber,
            isOwn: Self.isOwn(file: file))
    }

    /// The line of source code that stands below a frame, with a deeper indentation; `nil` for marks under one, and for
    /// any other line.
    static func sourceLine(_ line: ArraySlice<UInt8>) -> String? {
        guard let text = line.dropping("    ")?.trimmed, !text.isEmpty, !line.isCaretLine,
            !text.starts(with: "[Previous line repeated ".utf8)
        else { return nil }
        return text.text
    }

    /// Whether it is a file of the program, and neither of the standard library nor of an installed package.
    private static func isOwn(file: String) -> Bool {
        let path = Array(file.utf8.map { $0 == UInt8(ascii: "\\") ? UInt8(ascii: "/") : $0 })[...]
        if path.starts(with: "<frozen ".utf8) || path.starts(with: "<__array_function__".utf8) { return false }
        if self.version(in: path) != nil { return false }
        return !self.folders.contains { path.contains($0) }
    }

    /// Windows has the standard library in `Lib`, beside the interpreter.
    private static let folders = ["/site-packages/", "/dist-packages/", "/Lib/", "/lib/pypy"]

    /// The version of the interpreter in the path of its standard library: `/lib/python3.12/`, `python312.zip`.
    static func version(in path: ArraySlice<UInt8>) -> String? {
        for folder in ["/lib/python", "/lib64/python"] {
            guard let rest = path.after(folder), rest.first?.isDigit == true else { continue }
            let version = rest.prefix { $0.isDigit || $0 == UInt8(ascii: ".") }
            return version.text.nonEmpty
        }
        return nil
    }

    /// The runtime, with the version that the paths of a stack tell.
    static func runtime(of frames: some Sequence<Crash.Frame>) -> Crash.Runtime {
        for frame in frames.prefix(Crash.Bounds.frameCount) {
            guard let file = frame.file, let version = self.version(in: Array(file.utf8)[...]) else { continue }
            return Crash.Runtime(name: "Python", version: version)
        }
        return Crash.Runtime(name: "Python")
    }
}
