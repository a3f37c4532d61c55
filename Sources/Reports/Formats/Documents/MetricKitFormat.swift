/// A diagnostic payload of Apple's MetricKit: crashes, hangs and excesses of one app over a day.
enum MetricKitFormat {
    private static let categories = ["crash", "hang", "cpuException", "diskWriteException", "appLaunch"]
    static let marks = categories.map { "\($0)Diagnostics" }

    static func recognize(_ document: JSONDocument) -> Recognition? {
        let diagnostics = self.categories.compactMap { category in
            document.root["\(category)Diagnostics"]?.arrayValue.map { (category: category, items: $0) }
        }
        // The order of the keys varies, so of a cut payload the time stamps may be missing.
        guard !diagnostics.isEmpty, document.root["timeStampBegin"] != nil || !document.isComplete else { return nil }
        let counts = diagnostics.map { "\($0.items.count) \($0.category)" }.joined(separator: ", ")
        let present = Set(diagnostics.lazy.filter { !$0.items.isEmpty }.map(\.category))
        let kind: ReportKind = present.contains("crash") ? .crash : present.contains("hang") ? .hang : .diagnostic
        let first = diagnostics.lazy.compactMap { $0.items.first?["diagnosticMetaData"]?.objectValue }.first
        let summary = self.subject(of: first) + counts + self.reason(in: first) + self.system(of: first)
        return document.recognition(format: "metrickit", kind: kind, summary: summary)
    }

    private static func subject(of metadata: JSONObject?) -> String {
        guard let metadata else { return "" }
        let identifier = metadata.text("bundleIdentifier") ?? "?"
        let version = metadata.text("appVersion") ?? "?"
        return "\(identifier) \(version) (\(metadata.text("appBuildVersion") ?? "?")): "
    }

    private static func reason(in metadata: JSONObject?) -> String {
        let signal = metadata?["signal"]?.integerValue.flatMap { Int(exactly: $0) }.map(SignalName.darwin)
        let exception = metadata?["exceptionType"]?.fieldText.map { "exception type \($0)" }
        let reason = SummaryLine.join(signal ?? exception, metadata?.text("terminationReason"), separator: " ")
        return reason.isEmpty ? "" : "; \(reason)"
    }

    private static func system(of metadata: JSONObject?) -> String {
        let system = SummaryLine.join(metadata?.text("osVersion"), metadata?.text("deviceType"), separator: ", ")
        return system.isEmpty ? "" : " (\(system))"
    }
}
