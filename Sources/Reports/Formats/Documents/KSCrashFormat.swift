/// A crash report of KSCrash.
enum KSCrashFormat {
    static let marks = ["binary_images"]

    static func recognize(_ document: JSONDocument) -> Recognition? {
        guard document.root["binary_images"] != nil, let crash = document.root["crash"]?.objectValue else { return nil }
        let system = document.root["system"]?.objectValue
        let subject = SummaryLine.join(
            system?.text("process_name") ?? "?", system?.text("CFBundleShortVersionString"), separator: " ")
        let error = crash["error"]?.objectValue ?? JSONObject()
        let name =
            error["nsexception"]?.objectValue?.text("name") ?? error["mach"]?.objectValue?.text("exception_name")
        let signal = error["signal"]?.objectValue?.text("name")
        let reason = SummaryLine.join(error.text("type"), name, signal, separator: " ")
        return document.recognition(
            format: "kscrash", kind: .crash,
            summary: SummaryLine.join(subject, reason, error.text("reason"), separator: ": "))
    }
}
