/// The traceback of a Python exception that nobody caught.
enum PythonTracebackFormat {
    static func recognize(_ head: PayloadHead) -> Recognition? {
        guard head.title.starts(with: "Traceback (most recent call last):".utf8) else { return nil }
        var frame: PythonFrame?
        var error: ArraySlice<UInt8>?
        for line in head.lines {
            if let next = PythonFrame(line) {
                frame = next
                error = nil
            } else if error == nil, frame != nil, let first = line.first, first > 0x20 {
                // The first line that is not indented any more ends this traceback; another one may follow.
                error = line
            }
        }
        return Recognition(
            format: "python-traceback", contentType: ContentType.text, kind: .crash,
            summary: "python: \(error?.text ?? "traceback")\(frame?.place ?? "")")
    }
}

/// What Python's `faulthandler` writes at a fatal signal, or when its time runs out.
enum PythonFaultFormat {
    static func recognize(_ head: PayloadHead) -> Recognition? {
        let title = head.title
        let isTimeout = title.starts(with: "Timeout (".utf8)
        guard isTimeout || title.starts(with: "Fatal Python error: ".utf8) else { return nil }
        guard !isTimeout || head.lines.contains(where: { $0.contains("(most recent call first):") }) else { return nil }
        return Recognition(
            format: "python-faulthandler", contentType: ContentType.text, kind: isTimeout ? .hang : .crash,
            summary: "python: \(title.text)\(self.frame(in: head.lines)?.place ?? "")")
    }

    /// The innermost frame of the thread that faulted, else of the first one.
    private static func frame(in lines: PayloadLines) -> PythonFrame? {
        var first: PythonFrame?
        var isCurrent = false
        for line in lines {
            if line.starts(with: "Current thread ".utf8) { isCurrent = true }
            guard let frame = PythonFrame(line) else { continue }
            if isCurrent { return frame }
            first = first ?? frame
        }
        return first
    }
}

/// One frame of a Python stack: `File "PATH", line N, in FUNCTION`; faulthandler leaves out the second comma.
private struct PythonFrame {
    let place: String

    init?(_ line: ArraySlice<UInt8>) {
        guard let rest = line.trimmed.dropping("File \""), let end = rest.lastRange(of: "\", line ") else { return nil }
        let file = rest[..<end.lowerBound].lastPathComponent.text
        let tail = rest[end.upperBound...]
        guard let number = tail.leadingDigits else { return nil }
        let function = tail.after(" in ").map { " in \($0.trimmed.text)" } ?? ""
        self.place = "\(function) at \(file):\(number.text)"
    }
}
