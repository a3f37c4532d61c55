/// The crash dump of an Erlang machine, which is a file of its own: `erl_crash.dump`; and the notice about it.
///
/// ```
/// =erl_crash_dump:0.5
/// Sat Nov 28 08:13:04 2026
/// Slogan: Kernel pid terminated (application_controller) (…)
/// System version: Erlang/OTP 27 [erts-15.1.2] [source] [64-bit] [smp:4:4] [ds:4:4:10] [async-threads:1] [jit:ns]
/// ```
/// On standard error the machine writes the slogan, and behind it `Crash dump is being written to: erl_crash.dump...done`.
/// Source: "How to Interpret the Erlang Crash Dumps", and `erts/emulator/beam/break.c`.
enum ErlangCrashDumpFormat: TextFormat {
    private static let notice = "Crash dump is being written to: "

    static let marks: [LineMark] = [.beginning("=erl_crash_dump:"), .beginning(notice)]

    static func read(_ text: CapturedText, at places: [Int]) -> TextFinding? {
        guard let place = places.first else { return nil }
        let rest = text.lines[(place + 1)...]
        if text.lines[place].starts(with: self.notice.utf8) {
            guard let slogan = LogSurroundings(lines: text.lines).lineBefore(place) else { return nil }
            return self.crash(slogan.trimmed, frames: [], version: nil, line: place).finding(in: text)
        }
        let head = rest.prefix(16).prefix { $0.first != UInt8(ascii: "=") }
        let fields = head.fields(["Slogan", "System version"])
        guard let slogan = fields["Slogan"] else { return nil }
        let version = fields["System version"].flatMap { Array($0.utf8)[...].after("Erlang/OTP ") }
        return self.crash(
            Array(slogan.utf8)[...], frames: self.frames(in: rest), version: version?.prefix { $0 > 0x20 }.text,
            line: place
        ).finding(in: text)
    }

    private static func crash(
        _ slogan: ArraySlice<UInt8>, frames: [Crash.Frame], version: String?, line: Int
    ) -> RuntimeCrash {
        // The user of the machine may ask for a dump, which ends the machine all the same.
        let isRequested = slogan.starts(with: "Received SIGUSR1".utf8)
        return RuntimeCrash(
            format: "erlang-crash-dump", subject: "erlang",
            runtime: Crash.Runtime(name: "Erlang/OTP", version: version), cause: self.cause(slogan),
            threads: frames.isEmpty ? [] : [Crash.Thread(isCrashed: true, frames: frames)],
            kind: isRequested ? .diagnostic : .crash, severity: .fatal, line: line)
    }

    /// What ended the machine, apart from the terms that follow it.
    private static func cause(_ slogan: ArraySlice<UInt8>) -> Crash.Cause {
        let ends = [
            slogan.range(of: ") (").map { $0.lowerBound + 1 }, slogan.range(of: " ({")?.lowerBound,
            slogan.range(of: ": ")?.lowerBound,
        ]
        let type = slogan[..<(ends.lazy.compactMap { $0 }.min() ?? slogan.endIndex)]
        let message = slogan[type.endIndex...]
        return Crash.Cause(type: type.text, message: (message.dropping(": ") ?? message.trimmed).text.nonEmpty)
    }

    /// The stack of the process that ran on the scheduler that crashed: the machine's `Current Process` lines.
    private static func frames(in lines: ArraySlice<ArraySlice<UInt8>>) -> [Crash.Frame] {
        let stack = lines.lazy.filter { line in
            line.starts(with: "Current Process Program counter: ".utf8)
                || line.starts(with: "0x".utf8)
                    && (line.contains(":SReturn addr ") || line.contains(":Return addr "))
        }
        guard let first = lines.firstIndex(where: { $0.starts(with: "Current Process Program counter: ".utf8) }) else {
            return []
        }
        let section = lines[first...].prefix { $0.first != UInt8(ascii: "=") }
        return stack.prefix(Crash.Bounds.frameCount).filter { $0.startIndex < section.last?.endIndex ?? 0 }
            .compactMap(self.frame)
    }

    /// `… 0xADDRESS (MODULE:FUNCTION/ARITY + OFFSET)`
    private static func frame(_ line: ArraySlice<UInt8>) -> Crash.Frame? {
        guard let call = line.between(" (", " + "), let slash = call.lastIndex(of: UInt8(ascii: "/")),
            call.contains(UInt8(ascii: ":"))
        else { return nil }
        return BeamStack.erlangFrame(call[..<slash].text, arity: call[(slash + 1)...])
    }
}
