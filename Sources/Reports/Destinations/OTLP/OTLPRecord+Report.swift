import Diagnosis
import DurableIO

/// What the record of a report says.
///
/// The names of attributes are those of OpenTelemetry's semantic conventions where there are any. What is known of the
/// process that crashed stands on the record and not on the resource, because the sender is another process. Nothing of
/// a payload is mapped that may hold a secret, such as arguments and environment: that is in the payload alone.
extension OTLPRecord {
    /// - Parameters:
    ///   - report: the report.
    ///   - diagnosis: what its payload tells.
    ///   - payload: what goes out of its payload.
    ///   - host: the name of this machine.
    init(_ report: StoredReport, _ diagnosis: Diagnosis, _ payload: OTLPPayloadPart, host: String) {
        let properties = report.properties
        let crash = diagnosis.crash
        // What the report itself says is what its other destinations say, and what the queue shows.
        let time = properties.occurredAt ?? crash?.occurredAt ?? properties.collectedAt
        self.init(
            time: Self.nanoseconds(time), observedTime: Self.nanoseconds(properties.collectedAt),
            severity: Severity(properties.kind), eventName: Self.eventName(of: properties.kind),
            body: Self.body(properties, payload), scope: ("reports", ReportsVersion.current))
        attributes = Self.attributes(of: report, crash)
        payload.add(to: &attributes)
        resource = Self.resource(properties.annotations, crash, host: host)
    }

    /// Collectors and back ends keep the time as a signed number, so that none above its largest one is sent.
    private static func nanoseconds(_ milliseconds: Int64) -> UInt64 {
        let (product, isOverflown) = max(0, milliseconds).multipliedReportingOverflow(by: 1_000_000)
        return UInt64(isOverflown ? .max : product)
    }

    private static func eventName(of kind: ReportKind) -> String? {
        switch kind {
        case .crash: "app.crash"
        case .hang, .diagnostic: "report.\(kind.rawValue)"
        default: nil
        }
    }

    /// How much of a log stands in the body of its record, in bytes.
    static let maximumLogByteCount = 64 << 10

    /// The summary; of a log its text, which is what people look for.
    private static func body(_ properties: ReportProperties, _ payload: OTLPPayloadPart) -> String {
        guard properties.kind == .log, let text = payload.text, !text.isEmpty else { return properties.summary }
        return OTLPPayloadPart.beginning(of: text, byteCount: maximumLogByteCount)
    }

    private static func resource(
        _ annotations: [String: String], _ crash: Crash?, host: String
    ) -> OTLPAttributes {
        var resource = OTLPAttributes()
        let service = AnnotationKey.service(of: annotations) ?? crash?.program
        // The conventions demand a name, and say what it is where none is known.
        resource.add("service.name", service ?? "unknown_service:reports")
        resource.add("host.name", host)
        resource.add("host.arch", architecture)
        resource.add("os.type", "linux")
        return resource
    }

    private static var architecture: String? {
        #if arch(x86_64)
        "amd64"
        #elseif arch(arm64)
        "arm64"
        #else
        nil
        #endif
    }
}

extension OTLPRecord.Severity {
    init(_ kind: ReportKind) {
        switch kind {
        case .crash: self = .fatal
        case .hang: self = .error
        case .diagnostic: self = .warning
        default: self = .info
        }
    }
}

// MARK: - Attributes

extension OTLPRecord {
    private static func attributes(of report: StoredReport, _ crash: Crash?) -> OTLPAttributes {
        let properties = report.properties
        var attributes = OTLPAttributes()
        // Two records with one id may be taken for one; few servers do.
        attributes.add("log.record.uid", report.id.hex)
        if properties.kind == .crash { attributes.add("app.crash.id", report.id.hex) }
        if let crash { add(crash, to: &attributes) }
        attributes.add("service.version", AnnotationKey.version(of: properties.annotations) ?? crash?.version)
        attributes.add(
            "deployment.environment.name",
            AnnotationKey.first(
                ["environment", "deployment.environment.name", "deployment.environment"], in: properties.annotations))
        attributes.add("report.kind", properties.kind.rawValue)
        attributes.add("report.format", properties.format)
        attributes.add("report.signature", properties.signature)
        attributes.add("report.size", Int64(clamping: report.size))
        attributes.add("report.sha256", report.id.hex)
        for (key, value) in properties.annotations.sorted(by: { $0.key < $1.key }) {
            attributes.add("report.annotation.\(key)", .text(value))
        }
        return attributes
    }

    /// How much of a stack is sent, in bytes.
    static let maximumStackByteCount = 64 << 10

    private static func add(_ crash: Crash, to attributes: inout OTLPAttributes) {
        attributes.add("exception.type", crash.cause.type)
        attributes.add("exception.message", message(of: crash.cause))
        attributes.add("exception.stacktrace", crash.crashedThread?.stackText(upTo: maximumStackByteCount))
        attributes.add("process.pid", crash.process)
        attributes.add("process.executable.name", crash.program)
        let file = crash.images.first { Crash.fileName(of: $0.path) == crash.program }
        attributes.add("process.executable.path", file?.path)
        attributes.add("process.executable.build_id.gnu", file?.buildID)
        attributes.add("process.runtime.name", crash.runtime?.name)
        attributes.add("process.runtime.version", crash.runtime?.version)
    }

    /// The message; of a signal, which has none, its code and the address.
    private static func message(of cause: Crash.Cause) -> String? {
        if let message = cause.message, !message.isEmpty { return message }
        let address = cause.address.map { "at 0x\(String($0, radix: 16))" }
        let facts = [cause.code, address].compactMap(\.self).joined(separator: " ")
        return facts.isEmpty ? nil : facts
    }
}
