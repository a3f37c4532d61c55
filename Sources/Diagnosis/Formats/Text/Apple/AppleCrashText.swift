/// A crash report of Apple's systems as text.
///
/// ```
/// Process:             Shop [2290]
/// Exception Type:  EXC_BREAKPOINT (SIGTRAP)
/// Triggered by Thread:  0
///
/// Thread 0 Crashed:
/// 0   Shop        0x0000000104c1d7a8 Shelf.restock(_:) + 120744 (Shelf.swift:52)
///
/// Binary Images:
/// 0x104c00000 - 0x104c4bfff Shop arm64  <0f6d2f7e58a13d7793c04a0b5e1c9d21> /private/var/containers/…/Shop.app/Shop
/// ```
/// It was all there was until 2021, came then behind one line of JSON in an `.ips` file, and is what Console makes of
/// the JSON of today.
enum AppleCrashText {
    private static let names: Set<String> = [
        "Process", "Version", "Code Type", "Date/Time", "OS Version", "Exception Type", "Exception Subtype",
        "Exception Codes", "Exception Note", "Exception Message", "Termination Reason", "Termination Signal",
        "Triggered by Thread", "Crashed Thread",
    ]

    /// What such a text tells.
    struct Report {
        let crash: Crash
        /// Whether the process has died. There are reports of a simulated exception, after which it went on.
        let isFatal: Bool
    }

    /// Reads a report.
    /// - Parameter lines: its lines; the first one has a field.
    /// - Returns: `nil` unless they tell a process and an exception.
    static func report(_ lines: ArraySlice<ArraySlice<UInt8>>) -> Report? {
        // All fields stand before the stacks.
        let header = lines.prefix(256).prefix { !self.beginsStacks($0) }
        let fields = header.fields(self.names)
        guard let exception = fields["Exception Type"], exception.hasPrefix("EXC_") || exception.hasPrefix("0"),
            let process = fields["Process"].map({ Array($0.utf8)[...] }), let bracket = process.lastRange(of: " ["),
            let number = process[bracket.upperBound...].before("]")?.decimalNumber
        else { return nil }
        var crash = Crash(
            program: process[..<bracket.lowerBound].trimmed.text.nonEmpty, process: number,
            cause: self.cause(exception, fields: fields, in: lines))
        crash.version = fields["Version"]
        crash.system = AppleNames.system(
            fields["OS Version"], architecture: fields["Code Type"]?.split(separator: " ").first.map(String.init))
        crash.occurredAt = fields["Date/Time"].flatMap(ZonedTime.milliseconds)
        crash.images = AppleImageLines.images(in: lines)
        let crashed = (fields["Triggered by Thread"] ?? fields["Crashed Thread"]).flatMap {
            Array($0.utf8)[...].leadingDigits?.decimalNumber
        }
        let reader = AppleThreadLines(program: crash.program, images: crash.images, crashedNumber: crashed)
        crash.threads = reader.threads(in: lines)
        let note = Words.join(fields["Exception Note"], fields["Exception Message"], exception, separator: " ")
        let isSimulated = ["SIMULATED", "NON-FATAL"].contains { Array(note.utf8)[...].contains($0) }
        return Report(crash: crash, isFatal: !isSimulated)
    }

    /// The crash in a report; see ``report(_:)``.
    static func read(_ lines: [ArraySlice<UInt8>]) -> Crash? {
        self.report(lines[...])?.crash
    }

    private static func beginsStacks(_ line: ArraySlice<UInt8>) -> Bool {
        guard let thread = line.dropping("Thread ") else { return line.starts(with: "Binary Images:".utf8) }
        return thread.first?.isDigit == true
    }

    // MARK: - The cause

    private static func cause(
        _ exception: String, fields: [String: String], in lines: ArraySlice<ArraySlice<UInt8>>
    ) -> Crash.Cause {
        let text = Array(exception.utf8)[...]
        let signal = text.between("(", ")")?.text.nonEmpty
        let information = self.information(in: lines)
        if let (name, reason) = self.uncaught(in: information) {
            return Crash.Cause(type: name, message: reason, signal: signal, code: (text.before(" (") ?? text).text)
        }
        var cause = Crash.Cause(type: (text.before(" (") ?? text).text, signal: signal)
        let codes = fields["Exception Subtype"] ?? fields["Exception Codes"]
        if let codes = codes.map({ Array($0.utf8)[...] }), codes.starts(with: "KERN_".utf8) {
            cause.code = codes.prefix { $0 > 0x20 && $0 != UInt8(ascii: ",") }.text
            cause.address = codes.after(" at ")?.prefix { $0 > 0x20 }.hexNumber
        }
        let reason = fields["Termination Reason"].flatMap { Array($0.utf8)[...].contains("SIGNAL") ? nil : $0 }
        cause.message = information.first?.text ?? reason ?? fields["Exception Subtype"]
        return cause
    }

    /// What the program or the system has noted about the end of the process, without what is said of each abort.
    private static func information(in lines: ArraySlice<ArraySlice<UInt8>>) -> [ArraySlice<UInt8>] {
        let header = lines.prefix(512)
        guard let start = header.firstIndex(where: { $0.starts(with: "Application Specific Information:".utf8) }) else {
            return []
        }
        let said = lines[start...].dropFirst().prefix(64).prefix { !$0.trimmed.isEmpty }.map(\.trimmed)
        return said.filter {
            !$0.elementsEqual("abort() called".utf8) && !$0.starts(with: "CoreFoundation ".utf8)
                && !$0.starts(with: "/usr/lib/".utf8)
        }
    }

    /// `*** Terminating app due to uncaught exception 'NAME', reason: 'REASON'`.
    static func uncaught(in information: [ArraySlice<UInt8>]) -> (name: String, reason: String)? {
        for line in information {
            guard let rest = line.after("due to uncaught exception '"), let end = rest.range(of: "'") else { continue }
            let reason = rest[end.upperBound...].after("reason: ") ?? []
            let plain = (reason.dropping("'") ?? reason)
            return (rest[..<end.lowerBound].text, (plain.droppingSuffix("'") ?? plain).text)
        }
        return nil
    }
}
