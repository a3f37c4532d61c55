/// The stacks of all threads of a Java virtual machine, which somebody asked for with SIGQUIT or `jstack`.
///
/// ```
/// Full thread dump OpenJDK 64-Bit Server VM (17.0.15+6-Debian-1deb12u1 mixed mode, sharing):
///
/// "main" #1 prio=5 os_prio=0 cpu=52.11ms elapsed=4.20s tid=0x00007f… nid=0xb7d waiting on condition  [0x00007f…]
///    java.lang.Thread.State: WAITING (parking)
///         at jdk.internal.misc.Unsafe.park(java.base@17.0.15/Native Method)
/// ```
/// The process goes on. Where the machine has found threads that wait for each other, one of them is shown as the fault's.
enum JavaThreadDumpFormat: TextFormat {
    static let marks: [LineMark] = [.beginning("Full thread dump ")]

    static func read(_ text: CapturedText, at places: [Int]) -> TextFinding? {
        guard let place = places.last(where: { text.lines[$0].trimmed.droppingSuffix("):") != nil }) else { return nil }
        let lines = text.lines[(place + 1)...]
        var threads = self.threads(in: lines)
        guard !threads.isEmpty else { return nil }
        let waiting = self.deadlocked(in: lines)
        if let first = waiting.first, let index = threads.firstIndex(where: { $0.name == first }) {
            threads[index].isCrashed = true
        }
        let cause = Crash.Cause(
            type: waiting.isEmpty ? "thread dump" : "deadlock",
            message: waiting.isEmpty ? "\(threads.count) threads" : waiting.joined(separator: ", "))
        var crash = Crash(program: text.origin?.name ?? "java", process: text.origin?.process, cause: cause)
        crash.threads = threads
        let machine = text.lines[place].dropping("Full thread dump ") ?? []
        crash.runtime = machine.before(" (").map {
            Crash.Runtime(name: $0.text, version: machine.after(" (")?.prefix { $0 > 0x20 }.text)
        }
        let summary = waiting.isEmpty ? "\(crash.subject() ?? "java"): \(cause.sentence)" : crash.summary()
        return TextFinding(
            diagnosis: Diagnosis(
                format: "jvm-threads", contentType: ContentType.text, kind: .hang, summary: summary, crash: crash),
            severity: .finding, line: place)
    }

    private static func threads(in lines: ArraySlice<ArraySlice<UInt8>>) -> [Crash.Thread] {
        var threads: [Crash.Thread] = []
        for line in lines {
            if line.first == UInt8(ascii: "\""), let name = line.dropFirst().before("\""), line.contains(" tid=") {
                guard threads.count < Crash.Bounds.threadCount else { break }
                let number = line.after(" #").flatMap(\.leadingDigits)?.decimalNumber
                threads.append(Crash.Thread(name: name.text, number: number, isCrashed: false, frames: []))
            } else if let last = threads.indices.last, let frame = JavaStack.frame(line) {
                if threads[last].frames.count < 1_024 { threads[last].frames.append(frame) }
            } else if line.starts(with: "JNI global ref".utf8) || line.starts(with: "Found ".utf8) {
                break
            }
        }
        return threads
    }

    /// The threads of the first deadlock: each has a line of its name, and what it waits for below that.
    private static func deadlocked(in lines: ArraySlice<ArraySlice<UInt8>>) -> [String] {
        guard let start = lines.firstIndex(where: { $0.starts(with: "Found one Java-level deadlock".utf8) }) else {
            return []
        }
        var names: [String] = []
        for line in lines[(start + 1)...].prefix(256) {
            if line.starts(with: "Java stack information".utf8) { break }
            if line.first == UInt8(ascii: "\""), let name = line.droppingSuffix("\":")?.dropFirst(), names.count < 8 {
                names.append(name.text)
            }
        }
        return names
    }
}
