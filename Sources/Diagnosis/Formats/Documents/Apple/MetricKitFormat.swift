/// A diagnostic payload of Apple's MetricKit: crashes, hangs and excesses of one app over a day.
///
/// ```
/// { "timeStampBegin": …, "timeStampEnd": …, "crashDiagnostics": [ { "callStackTree": …, "diagnosticMetaData": {
///   "signal": 11, "exceptionType": 1, "terminationReason": "Namespace SIGNAL, Code 0xb", "appVersion": "4.1" } } ] }
/// ```
/// Source: "MXDiagnosticPayload" in Apple's documentation.
enum MetricKitFormat: DocumentFormat {
    static let marks = MetricKitCategory.allCases.map(\.key) + ["timeStampBegin", "timeStampEnd"]

    static func read(_ document: JSONDocument) -> Diagnosis? {
        let payload = MetricKitPayload(document)
        // The order of the keys varies, so of a cut payload the time stamps may be missing.
        guard !payload.counts.isEmpty, document["timeStampBegin"] != nil || !document.isComplete else { return nil }
        let counts = payload.counts.map { "\($0.count) \($0.category.rawValue)" }.joined(separator: ", ")
        let metadata = payload.worst?.metadata
        let crash = payload.worst.map { payload.crash(of: $0) }
        let summary = self.subject(of: metadata) + counts + self.reason(in: metadata, crash) + self.system(of: metadata)
        return document.diagnosis(
            format: "metrickit", kind: payload.worst?.category.kind ?? .diagnostic, summary: summary, crash: crash)
    }

    private static func subject(of metadata: JSONObject?) -> String {
        guard let metadata else { return "" }
        let build = metadata.text("appBuildVersion").map { "(\($0))" }
        let subject = Words.join(
            metadata.text("bundleIdentifier"), metadata.text("appVersion"), build, separator: " ")
        return subject.nonEmpty.map { "\($0): " } ?? ""
    }

    private static func reason(in metadata: JSONObject?, _ crash: Crash?) -> String {
        guard let cause = crash?.cause else { return "" }
        if metadata?.exceptionReason != nil { return "; \(cause.sentence)" }
        return "; " + Words.join(cause.signal ?? cause.type, cause.message, separator: " ")
    }

    private static func system(of metadata: JSONObject?) -> String {
        let system = Words.join(metadata?.text("osVersion"), metadata?.text("deviceType"), separator: ", ")
        return system.isEmpty ? "" : " (\(system))"
    }
}

/// What a diagnostic of MetricKit is about, the worst first.
enum MetricKitCategory: String, CaseIterable {
    case crash
    case hang
    case cpuException
    case diskWriteException
    case appLaunch

    /// The member of the payload.
    var key: String { "\(self.rawValue)Diagnostics" }

    var kind: Diagnosis.Kind {
        switch self {
        case .crash: .crash
        case .hang: .hang
        case .cpuException, .diskWriteException, .appLaunch: .diagnostic
        }
    }

    /// The name of the class in MetricKit.
    var typeName: String {
        switch self {
        case .crash: "MXCrashDiagnostic"
        case .hang: "MXHangDiagnostic"
        case .cpuException: "MXCPUExceptionDiagnostic"
        case .diskWriteException: "MXDiskWriteExceptionDiagnostic"
        case .appLaunch: "MXAppLaunchDiagnostic"
        }
    }

    /// The member of the metadata that only this category has, and that says how much it was.
    var measure: String? {
        switch self {
        case .crash: nil
        case .hang: "hangDuration"
        case .cpuException: "totalCPUTime"
        case .diskWriteException: "writesCaused"
        case .appLaunch: "launchDuration"
        }
    }
}
