/// An app of Android that does not answer ("ANR"): the stacks of its threads, or the note of it in the log.
///
/// ```
/// ----- pid 3144 at 2026-11-28 08:21:40.123456789+0100 -----
/// Cmd line: com.example.shop
///
/// "main" prio=5 tid=1 Sleeping
///   | group="main" sCount=1 ucsCount=0 flags=1 obj=0x72d0a1b8 self=0xb400007c5a1c
///   at java.lang.Thread.sleep(Native method)
///   at com.example.shop.Till.open(Till.java:12)
/// ```
/// and in the log: `ANR in com.example.shop (com.example.shop/.Main)`, `PID: 3144`, `Reason: Input dispatching timed out`.
enum AndroidHangFormat: TextFormat {
    static let marks: [LineMark] = [.beginning("----- pid "), .beginning("ANR in ")]

    static func read(_ text: CapturedText, at places: [Int]) -> TextFinding? {
        for place in places.prefix(64) {
            guard let crash = self.traces(text.lines, at: place) ?? self.note(text.lines, at: place) else { continue }
            return TextFinding(
                diagnosis: Diagnosis(
                    format: "android-anr", contentType: ContentType.text, kind: .hang, summary: crash.summary(),
                    crash: crash),
                severity: .finding, line: place)
        }
        return nil
    }

    private static func note(_ lines: [ArraySlice<UInt8>], at place: Int) -> Crash? {
        guard let program = lines[place].dropping("ANR in ")?.prefix(while: { $0 > 0x20 }), !program.isEmpty else {
            return nil
        }
        let fields = lines[(place + 1)...].prefix(8).fields(["PID", "Reason"])
        guard let process = fields["PID"].flatMap({ Int64($0) }) else { return nil }
        var crash = Crash(
            program: program.text, process: process, cause: Crash.Cause(type: "ANR", message: fields["Reason"]))
        crash.system.name = "Android"
        return crash
    }

    private static func traces(_ lines: [ArraySlice<UInt8>], at place: Int) -> Crash? {
        guard let title = lines[place].dropping("----- pid ")?.droppingSuffix(" -----"),
            let number = title.leadingDigits,
            let time = title[number.endIndex...].dropping(" at "),
            let command = lines[(place + 1)...].prefix(4).lazy.compactMap({ $0.dropping("Cmd line: ") }).first
        else { return nil }
        var crash = Crash(
            program: command.trimmed.text.lastPathComponent, process: number.decimalNumber,
            cause: Crash.Cause(type: "ANR"))
        let header = lines[max(0, place - 16)..<place]
        crash.cause.message = header.lazy.compactMap { $0.dropping("Subject: ")?.trimmed.text }.first
        crash.system.name = "Android"
        crash.occurredAt = ZonedTime.milliseconds(in: time.text)
        crash.threads = self.threads(in: lines[(place + 1)...].prefix(65_536))
        return crash
    }

    private static func threads(in lines: ArraySlice<ArraySlice<UInt8>>) -> [Crash.Thread] {
        var threads: [Crash.Thread] = []
        for line in lines {
            if line.starts(with: "----- end ".utf8) || line.starts(with: "----- pid ".utf8) { break }
            if line.first == UInt8(ascii: "\""), let name = line.dropFirst().before("\"") {
                guard threads.count < Crash.Bounds.threadCount else { break }
                let number = (line.after(" tid=") ?? line.after(" sysTid=")).flatMap(\.leadingDigits)
                threads.append(
                    // It is the main thread that has to answer.
                    Crash.Thread(
                        name: name.text, number: number?.decimalNumber, isCrashed: name.elementsEqual("main".utf8),
                        frames: []))
            } else if let last = threads.indices.last, threads[last].frames.count < 1_024 {
                let native = line.trimmed.dropping("native: ") ?? line.trimmed
                if let frame = JavaStack.frame(line) ?? AndroidFrame.frame(native) {
                    threads[last].frames.append(frame)
                }
            }
        }
        return threads
    }
}
