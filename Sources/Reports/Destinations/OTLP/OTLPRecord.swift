/// One log record of OpenTelemetry, and the resource that it is about.
///
/// ``request`` is all that a request has: a record alone, so that an answer is about one report. The numbers of fields
/// are those of `opentelemetry/proto/logs/v1/logs.proto`.
struct OTLPRecord: Sendable {
    /// How bad it is: a number and a word, as OpenTelemetry has them.
    enum Severity: UInt64, Sendable {
        case info = 9
        case warning = 13
        case error = 17
        case fatal = 21

        var text: String {
            switch self {
            case .info: "INFO"
            case .warning: "WARN"
            case .error: "ERROR"
            case .fatal: "FATAL"
            }
        }
    }

    /// In nanoseconds since 1970.
    var time: UInt64
    /// When it was collected, in nanoseconds since 1970.
    var observedTime: UInt64
    var severity: Severity
    var eventName: String?
    var body: String
    var attributes = OTLPAttributes()
    var resource = OTLPAttributes()
    /// The name and the version of the library that made the record.
    var scope: (name: String, version: String)

    /// An `ExportLogsServiceRequest` with this record.
    var request: [UInt8] {
        ProtobufWriter.message { request in
            request.write(1) { resourceLogs in
                resourceLogs.write(1) { resource.write(as: 1, to: &$0) }
                resourceLogs.write(2) { scopeLogs in
                    scopeLogs.write(1) { instrumentation in
                        instrumentation.write(1, text: scope.name)
                        instrumentation.write(2, text: scope.version)
                    }
                    scopeLogs.write(2) { write(to: &$0) }
                }
            }
        }
    }

    private func write(to record: inout ProtobufWriter) {
        record.write(1, fixed: time)
        record.write(2, varint: severity.rawValue)
        record.write(3, text: severity.text)
        record.write(5) { $0.write(.text(body)) }
        attributes.write(as: 6, to: &record)
        record.write(11, fixed: observedTime)
        if let eventName { record.write(12, text: eventName) }
    }
}
