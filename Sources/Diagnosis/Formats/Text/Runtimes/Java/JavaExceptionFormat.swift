/// An exception of a Java, Kotlin or Scala program that nobody caught, and the end of a virtual machine that has no
/// memory left.
///
/// ```
/// Exception in thread "main" java.lang.RuntimeException: cannot load
///         at com.shop.Till.load(Till.java:4)
/// Caused by: java.lang.NumberFormatException: For input string: "x12"
///         at java.base/java.lang.Integer.parseInt(Integer.java:668)
///         ... 2 more
/// ```
/// Source: `ThreadGroup.uncaughtException` and `Throwable.printStackTrace` of the class library; HotSpot's
/// `utilities/debug.cpp` for `Terminating due to java.lang.OutOfMemoryError: Java heap space`.
enum JavaExceptionFormat: TextFormat {
    private static let title = "Exception in thread \""
    private static let failedStart = "Error occurred during initialization of VM"
    /// What Spring Boot logs before it ends the program that it could not start.
    private static let failedApplication = ": Application run failed"
    private static let ends = ["Terminating due to ", "Aborting due to "]

    static let marks: [LineMark] =
        ["Exception: java.lang.", title, failedStart].map { .beginning($0) } + [.containing(failedApplication)]
        + ends.map { .beginning("\($0)java.lang.OutOfMemoryError") }

    static func read(_ text: CapturedText, at places: [Int]) -> TextFinding? {
        var last: RuntimeCrash?
        for place in places {
            guard let crash = self.exception(at: place, in: text.lines) ?? self.end(at: place, in: text.lines) else {
                continue
            }
            // What ends the whole process counts more than what ends a thread of it.
            if last?.severity != .fatal || crash.severity == .fatal { last = crash }
        }
        return last?.finding(in: text)
    }

    // MARK: - Exceptions

    private static func exception(at place: Int, in lines: [ArraySlice<UInt8>]) -> RuntimeCrash? {
        var end = place + 1
        guard let (title, thread) = self.uncaught(at: place, in: lines, end: &end), var exception = self.title(title)
        else { return nil }
        self.readMessage(of: &exception, in: lines, end: &end)
        while end < lines.count, let frame = JavaStack.frame(lines[end]) {
            exception.frames.append(frame)
            end += 1
        }
        // A machine without memory or stack may have none left to print the callers.
        let isExhausted = ["java.lang.OutOfMemoryError", "java.lang.StackOverflowError"].contains(exception.type)
        guard !exception.frames.isEmpty || isExhausted || end == lines.count else { return nil }
        let stack = JavaStack.stack(exception.frames, orOfCauseIn: lines[end...])
        return RuntimeCrash(
            format: "jvm-exception", subject: "java", runtime: Crash.Runtime(name: "Java"), cause: exception.cause,
            earlierCauses: self.causes(in: lines[end...]),
            threads: [Crash.Thread(name: thread, isCrashed: true, frames: stack)], line: place)
    }

    /// The exception and its thread in `Exception in thread "NAME" EXCEPTION`, or the exception on the next line.
    private static func uncaught(
        at place: Int, in lines: [ArraySlice<UInt8>], end: inout Int
    ) -> (title: ArraySlice<UInt8>, thread: String?)? {
        if let rest = lines[place].dropping(self.title) {
            return rest.range(of: "\" ").map { (rest[$0.upperBound...], rest[..<$0.lowerBound].text.nonEmpty) }
        }
        let next = lines[end...].prefix(2).firstIndex { !$0.isBlank }
        guard lines[place].contains(self.failedApplication), let next else { return nil }
        end = next + 1
        return (lines[next], nil)
    }

    /// `CLASS: MESSAGE`. A class without a package is hardly one of a program that crashes.
    private static func title(_ text: ArraySlice<UInt8>) -> RaisedException? {
        let type = text.className(separators: ".$")
        let rest = text[type.endIndex...]
        guard !type.isEmpty, rest.isBlank || rest.starts(with: ": ".utf8) || rest.elementsEqual(":".utf8) else {
            return nil
        }
        return RaisedException(type: type.text, message: rest.dropFirst(2).text.nonEmpty)
    }

    /// The further lines of a message: all up to the first frame.
    private static func readMessage(of exception: inout RaisedException, in lines: [ArraySlice<UInt8>], end: inout Int)
    {
        let next = lines[end...].prefix(RaisedException.maximumLineCount)
        guard let frame = next.firstIndex(where: { JavaStack.frame($0) != nil }) else { return }
        for line in lines[end..<frame] { exception.add(line) }
        end = frame
    }

    /// The causes behind the frames, the immediate one first. Suppressed exceptions, which are indented, are none.
    private static func causes(in lines: ArraySlice<ArraySlice<UInt8>>) -> [Crash.Cause] {
        var causes: [Crash.Cause] = []
        var linesOfMessage = 0
        for line in lines where causes.count < Crash.Bounds.earlierCauseCount {
            if let title = line.dropping("Caused by: ") {
                guard let exception = self.title(title) else { break }
                causes.append(exception.cause)
                linesOfMessage = 0
            } else if line.first?.isBlank == true {
                // The frames of suppressed exceptions are indented twice.
                guard let last = causes.indices.last, causes[last].frames.count < Crash.Bounds.frameCount,
                    !line.starts(with: "\t\t".utf8), let frame = JavaStack.frame(line)
                else { continue }
                causes[last].frames.append(frame)
            } else {
                // A message may have several lines, but not before its exception.
                linesOfMessage += 1
                if causes.isEmpty || linesOfMessage > RaisedException.maximumLineCount || line.isBlank
                    || line.starts(with: self.title.utf8)
                {
                    break
                }
            }
        }
        return causes
    }

    // MARK: - Ends of the machine

    /// A machine that ends without a stack: for want of memory, or before it has begun.
    private static func end(at place: Int, in lines: [ArraySlice<UInt8>]) -> RuntimeCrash? {
        let line = lines[place]
        var thread: Crash.Thread?
        let exception: RaisedException?
        if let error = self.ends.lazy.compactMap({ line.dropping($0) }).first {
            exception = self.title(error)
        } else if let error = line.dropping("Exception: ") {
            let middle = " thrown from the UncaughtExceptionHandler in thread \""
            guard let end = error.range(of: middle) else { return nil }
            exception = RaisedException(type: error[..<end.lowerBound].text)
            thread = Crash.Thread(name: error[end.upperBound...].before("\"")?.text, isCrashed: true, frames: [])
        } else if line.trimmed.elementsEqual(self.failedStart.utf8), place + 1 < lines.count,
            lines.count - place <= 8
        {
            // The machine has ended, so not much can follow.
            exception = RaisedException(type: self.failedStart, message: lines[place + 1].trimmed.text)
        } else {
            exception = nil
        }
        guard let exception else { return nil }
        return RuntimeCrash(
            format: "jvm-exception", subject: "java", runtime: Crash.Runtime(name: "Java"), cause: exception.cause,
            threads: thread.map { [$0] } ?? [], severity: .fatal, line: place)
    }
}
