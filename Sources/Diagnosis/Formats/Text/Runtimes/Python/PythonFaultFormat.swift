/// What Python's `faulthandler` writes: at a fatal signal or another fatal error, when its time runs out, or because
/// somebody asked for it.
///
/// ```
/// Fatal Python error: Segmentation fault
///
/// Thread 0x00007fc92fae76c0 (most recent call first):
///   File "/srv/shop/seg.py", line 4 in worker
///
/// Current thread 0x00007fc930879b80 (most recent call first):
///   File "/srv/shop/seg.py", line 6 in load_row
///
/// Extension modules: _cffi_backend, numpy.core._multiarray_umath (total: 2)
/// ```
/// `Timeout (0:00:05)!` in the title's place is a program that hangs; without a title the stacks were asked for.
/// Source: `Modules/faulthandler.c`, `Python/traceback.c` and `Python/pylifecycle.c` of CPython.
enum PythonFaultFormat: TextFormat {
    static let marks: [LineMark] = [
        .beginning("Fatal Python error: "), .beginning("Windows fatal exception: "), .beginning("Timeout ("),
        .beginning("Current thread 0x"), .beginning("Thread 0x"),
    ]

    static func read(_ text: CapturedText, at places: [Int]) -> TextFinding? {
        var worst: Dump?
        var end = 0
        for place in places where place >= end {
            guard let dump = Dump(text.lines[place...]) else { continue }
            end = dump.end
            if let known = worst, known.rank > dump.rank { continue }
            worst = dump
        }
        return worst?.crash.finding(in: text)
    }

    /// The stacks of all threads, with the line that says why.
    private struct Dump {
        let crash: RuntimeCrash
        /// How bad it is: a death, a hang, or nothing.
        let rank: Int
        /// The index of the first line behind it.
        let end: Int

        init?(_ lines: ArraySlice<ArraySlice<UInt8>>) {
            guard let title = lines.first,
                let (cause, kind) = PythonFaultFormat.cause(title.trimmed), title.first != 0x20
            else { return nil }
            let hasTitle = !title.starts(with: "Current".utf8) && !title.starts(with: "Thread".utf8)
            let stacks = PythonFaultFormat.stacks(in: hasTitle ? lines.dropFirst() : lines)
            self.end = max(stacks.end, lines.startIndex + 1)
            if stacks.threads.isEmpty {
                // The stacks may be missing, but for a runtime that could not start, only where the text ends.
                guard kind == .crash, stacks.hasState || lines.dropFirst().allSatisfy(\.isBlank) else { return nil }
            }
            self.rank = kind == .crash ? 2 : kind == .hang ? 1 : 0
            self.crash = RuntimeCrash(
                format: "python-faulthandler", subject: "python",
                runtime: PythonFrame.runtime(of: stacks.threads.lazy.flatMap(\.frames)), cause: cause,
                earlierCauses: stacks.exception.map { [$0] } ?? [], threads: stacks.threads, kind: kind,
                severity: .fatal, line: lines.startIndex)
        }
    }

    /// The cause in the title of a dump, and what has become of the process.
    private static func cause(_ title: ArraySlice<UInt8>) -> (Crash.Cause, Diagnosis.Kind)? {
        if let message = title.dropping("Fatal Python error: ") {
            return (
                Crash.Cause(type: "Fatal Python error", message: message.text, signal: self.signals[message.text]),
                .crash
            )
        }
        if let message = title.dropping("Windows fatal exception: ") {
            return (Crash.Cause(type: "Windows fatal exception", message: message.text), .crash)
        }
        if let limit = title.dropping("Timeout (")?.droppingSuffix(")!") {
            return (Crash.Cause(type: "Timeout", message: limit.text), .hang)
        }
        return Self.thread(title) == nil ? nil : (Crash.Cause(type: "Stacks of all threads"), .diagnostic)
    }

    private static let signals = [
        "Segmentation fault": "SIGSEGV", "Aborted": "SIGABRT", "Bus error": "SIGBUS", "Illegal instruction": "SIGILL",
        "Floating point exception": "SIGFPE",
    ]

    private struct Stacks {
        var threads: [Crash.Thread] = []
        /// Whether the line with the runtime's state is there, which stands before the stacks.
        var hasState = false
        /// The exception that a runtime printed that could not start.
        var exception: Crash.Cause?
        var end = 0
    }

    /// The threads, and the few lines before them.
    private static func stacks(in lines: ArraySlice<ArraySlice<UInt8>>) -> Stacks {
        var stacks = Stacks(end: lines.startIndex)
        for (index, line) in zip(lines.indices, lines) {
            if let thread = self.thread(line) {
                stacks.threads.append(thread)
            } else if let last = stacks.threads.indices.last {
                guard line.isBlank || line.first == 0x20 else { break }
                if let frame = PythonFrame(line) { stacks.threads[last].frames.append(frame.frame) }
            } else if line.starts(with: "Python runtime state: ".utf8) {
                stacks.hasState = true
            } else if stacks.hasState, let exception = PythonTraceback.exception(in: lines[index...].prefix(1)) {
                stacks.exception = exception.exception.cause
            } else if !line.isBlank, !line.starts(with: "  ".utf8), !line.elementsEqual(PythonTraceback.title.utf8) {
                break
            }
            stacks.end = index + 1
        }
        return stacks
    }

    /// `Current thread 0xADDRESS [NAME] (most recent call first):`; names are new in Python 3.14.
    private static func thread(_ line: ArraySlice<UInt8>) -> Crash.Thread? {
        let current = line.dropping("Current thread 0x")
        guard let rest = current ?? line.dropping("Thread 0x"),
            let title = rest.trimmed.droppingSuffix(" (most recent call first):")
        else { return nil }
        let number = title.prefix { $0.hexValue != nil }
        guard let address = number.hexNumber else { return nil }
        let name = title[number.endIndex...].between("[", "]")?.text
        return Crash.Thread(
            name: name, number: Int64(exactly: address), isCrashed: current != nil, frames: [])
    }
}
