/// A problem as Red Hat's ABRT lists it (`abrt info`).
///
/// ```
/// Id:             4f2a9c1
/// Component:      shop
/// Reason:         shopd killed by SIGSEGV
/// Time stamp:     Sat 28 Nov 2026 08:21:40 AM CET
/// Executable:     /usr/bin/shopd
/// Directory:      /var/spool/abrt/ccpp-2026-11-28-08:21:40.123456-3144
/// ```
/// Older versions write the fields in lower case.
enum ABRTFormat: TextFormat {
    static let marks: [LineMark] = [.beginning("Reason:  "), .beginning("reason:  ")]

    private static let names: Set<String> = [
        "Reason", "reason", "Directory", "Executable", "executable", "cmdline", "Crash function",
    ]

    static func read(_ text: CapturedText, at places: [Int]) -> TextFinding? {
        for place in places.reversed().prefix(64) {
            let fields = text.lines[max(0, place - 4)..<min(text.lines.count, place + 16)].fields(self.names)
            guard let directory = fields["Directory"].map({ Array($0.utf8)[...] }), directory.contains("/abrt/"),
                let reason = fields["Reason"] ?? fields["reason"]
            else { continue }
            let crash = self.crash(Array(reason.utf8)[...], fields: fields, directory: directory)
            return TextFinding(
                diagnosis: Diagnosis(
                    format: "abrt", contentType: ContentType.text, kind: .crash, summary: crash.summary(), crash: crash),
                severity: .fatal, line: place)
        }
        return nil
    }

    private static func crash(
        _ reason: ArraySlice<UInt8>, fields: [String: String], directory: ArraySlice<UInt8>
    ) -> Crash {
        let signal = reason.after(" killed by SIG")?.prefix { $0 > 0x20 }.text.nonEmpty.map { "SIG\($0)" }
        let program =
            fields["Executable"] ?? fields["executable"]
            ?? fields["cmdline"]?.split(separator: " ").first.map(String.init)
        var crash = Crash(
            program: program?.lastPathComponent,
            cause: Crash.Cause(type: signal ?? "crash", message: signal == nil ? reason.text : nil, signal: signal))
        // The directory's name ends with the number of the process.
        crash.process = directory.lastRange(of: "-").flatMap { directory[$0.upperBound...].decimalNumber }
        if let function = fields["Crash function"] {
            let frame = Crash.Frame(function: function, isOwn: NativeOwnership.isOwn(function: function))
            crash.threads = [Crash.Thread(isCrashed: true, frames: [frame])]
        }
        return crash
    }
}
