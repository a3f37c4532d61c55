/// A format of JSON.
protocol DocumentFormat: Sendable {
    /// Members of the outermost object: each document of the format has at least one of these.
    static var marks: [String] { get }

    /// - Returns: what the document is; `nil` unless it has what the format demands.
    static func read(_ document: JSONDocument) -> Diagnosis?
}

/// All formats of JSON, in the order in which they are asked. A new format is one line here.
enum DocumentFormats {
    static let all: [any DocumentFormat.Type] = [
        AppleIPSFormat.self, SwiftBacktraceFormat.self, NodeReportFormat.self, MetricKitFormat.self,
        KSCrashFormat.self, JournalLinesFormat.self, DotNetCrashReportFormat.self, SentryEventFormat.self,
        ABRTReportFormat.self, RunReportFormat.self, ContainerLogFormat.self, StructuredLogFormat.self,
    ]

    /// The marks of all formats.
    static let marks = Set(all.flatMap { $0.marks })
}
