/// A core dump kept by systemd, as its text: the answer of `coredumpctl info`, or the message in a log.
///
/// ```
///            PID: 3155 (billing)
///         Signal: 11 (SEGV)
///      Timestamp: Sun 2026-11-22 11:13:30 UTC (2min ago)
///     Executable: /srv/shop/bin/billing
///        Message: Process 3155 (billing) of user 1000 dumped core.
///                 Stack trace of thread 3155:
///                 #0  0x000055d0c1a01139 settle (billing + 0x1139)
/// ```
enum CoreDumpTextFormat: TextFormat {
    static let marks: [LineMark] = [
        .beginning("Process "), .containing(": Process "), .containing("[\u{1f855}] Process "),
    ]

    private static let names: Set<String> = ["PID", "Signal", "Timestamp", "Executable", "build-id"]

    static let words = [") of user "]

    static func read(_ text: CapturedText, at places: [Int]) -> TextFinding? {
        // Of several dumps the last one counts.
        for place in places.reversed() {
            let line = text.lines[place]
            let title = line.trimmed.dropping("Message: ") ?? line
            guard let process = CoreDumpMessage.process(title) else { continue }
            var crash = self.crash(title, process: process, lines: text.lines[(place + 1)...])
            self.addFields(before: place, in: text.lines, to: &crash)
            return TextFinding(
                diagnosis: Diagnosis(
                    format: "coredump-text", contentType: ContentType.text, kind: .crash, summary: crash.summary(),
                    crash: crash),
                severity: .fatal, line: place)
        }
        return nil
    }

    private static func crash(
        _ title: ArraySlice<UInt8>, process: (number: Int64, command: String), lines: ArraySlice<ArraySlice<UInt8>>
    ) -> Crash {
        // The next dump, and the fields above it, are no part of this one.
        let message = lines.prefix { !($0.trimmed.starts(with: "PID: ".utf8) || $0.contains(") of user ")) }
        let details = CoreDumpMessage(message)
        let signal = title.after(" with signal ")?.between("/", ",").map { "SIG\($0.text)" }
        var crash = Crash(
            program: process.command, process: process.number,
            cause: Crash.Cause(type: signal ?? "core dump", signal: signal))
        crash.threads = details.threads
        crash.images = details.images
        crash.system = Crash.System(name: "Linux", architecture: details.architecture)
        return crash
    }

    /// What `coredumpctl` writes above the message.
    private static func addFields(before place: Int, in lines: [ArraySlice<UInt8>], to crash: inout Crash) {
        let above = lines[max(0, place - 40)..<place].map(\.trimmed)
        guard let first = above.lastIndex(where: { $0.starts(with: "PID: ".utf8) }) else { return }
        let fields = above[first...].fields(self.names)
        if let signal = fields["Signal"].flatMap({ Array($0.utf8)[...].between("(", ")")?.text }) {
            crash.cause = Crash.Cause(type: "SIG\(signal)", signal: "SIG\(signal)")
        }
        if let path = fields["Executable"] {
            crash.program = path.lastPathComponent
            if let build = fields["build-id"] { crash.images.append(Crash.Image(path: path, buildID: build)) }
        }
        crash.occurredAt = fields["Timestamp"].flatMap { time in
            // The weekday comes first, and behind the time how long ago it was.
            let words = time.split(separator: " ").prefix(4)
            guard words.count == 4 else { return nil }
            return ZonedTime.milliseconds(in: "\(words[1])T\(words[2])\(words[3] == "UTC" ? "Z" : String(words[3]))")
        }
    }
}
