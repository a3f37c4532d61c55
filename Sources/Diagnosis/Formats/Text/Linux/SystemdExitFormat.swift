/// A line by which systemd tells that the main process of a service has died of a signal.
///
/// ```
/// shopd.service: Main process exited, code=dumped, status=11/SEGV
/// shopd.service: Main process exited, code=killed, status=9/KILL
/// shopd.service: A process of this unit has been killed by the OOM killer.
/// ```
/// Nothing but the service and the signal is known then, so any other crash in the same text says more. A process that
/// was told to end, by SIGTERM or by systemd's own SIGKILL after a time, has not crashed. Source: systemd's
/// `core/service.c`.
enum SystemdExitFormat: TextFormat {
    private static let exit = ": Main process exited, code="
    private static let outOfMemory = ": A process of this unit has been killed by the OOM killer"

    static let marks: [LineMark] = [.containing(exit), .containing(outOfMemory)]

    private static let faults: Set<String> = [
        "SEGV", "ABRT", "BUS", "ILL", "FPE", "TRAP", "SYS", "XCPU", "XFSZ", "QUIT",
    ]

    static func read(_ text: CapturedText, at places: [Int]) -> TextFinding? {
        for place in places.reversed() {
            guard let crash = self.crash(text.lines[place]) else { continue }
            return TextFinding(
                diagnosis: Diagnosis(
                    format: "systemd-exit", contentType: ContentType.text, kind: .crash, summary: crash.summary(),
                    crash: crash),
                severity: .death, line: place)
        }
        return nil
    }

    private static func crash(_ line: ArraySlice<UInt8>) -> Crash? {
        var crash: Crash
        if let verb = line.range(of: self.outOfMemory), let program = self.program(line[..<verb.lowerBound]) {
            crash = Crash(program: program, cause: Crash.Cause(type: "Out of memory", signal: "SIGKILL"))
        } else if let verb = line.range(of: self.exit), let program = self.program(line[..<verb.lowerBound]),
            let status = line[verb.upperBound...].after("status=")?.after("/")?.prefix(while: \.isLetter).text,
            line[verb.upperBound...].starts(with: "dumped".utf8)
                || line[verb.upperBound...].starts(with: "killed".utf8) && self.faults.contains(status)
        {
            crash = Crash(program: program, cause: Crash.Cause(type: "SIG\(status)", signal: "SIG\(status)"))
        } else {
            return nil
        }
        crash.system.name = "Linux"
        return crash
    }

    /// The name of a service without its kind, if nothing but the service stands there.
    private static func program(_ unit: ArraySlice<UInt8>) -> String? {
        guard !unit.contains(0x20), let name = unit.droppingSuffix(".service") ?? unit.droppingSuffix(".scope") else {
            return nil
        }
        return name.text.nonEmpty
    }
}
