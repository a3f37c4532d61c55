import Background
import DurableIO

extension Destination {
    /// Makes a destination that sends each report as a log record to a collector of OpenTelemetry, or to any server that
    /// takes logs by OTLP over HTTP.
    ///
    /// ```swift
    /// let logs = Destination.otlp(endpoint: "http://localhost:4318", payload: .cut)
    /// ```
    /// The record of a crash has the event name `app.crash`, the severity `FATAL`, the exception with its stack, and
    /// each annotation as an attribute. The payload is the attribute `report.payload` if it is text of at most 256 KiB;
    /// `payload` says what becomes of other reports. Requests are in protobuf, compressed unless ``encoding`` is
    /// ``ReportEncoding/identity``.
    ///
    /// A 2xx answer means a delivery unless its body says that the record was refused. A report that is sent twice is
    /// two records with one `log.record.uid`.
    ///
    /// - Parameters:
    ///   - endpoint: The URL of the collector, `https://HOST:PORT` with or without a path. `/v1/logs` is added unless
    ///     the path ends in it.
    ///   - headers: Header fields for each report, for example an `Authorization`. The default is none. They are kept
    ///     in memory only.
    ///   - payload: What becomes of payloads that are no text, or more of it. The default is ``OTLPPayload/whole``: such
    ///     reports are held.
    /// - Returns: The destination. Its URL is checked when a reporter is made.
    public static func otlp(
        endpoint: String, headers: [(name: String, value: String)] = [], payload: OTLPPayload = .whole
    ) -> Destination {
        Destination(headers: headers) { options throws(ReportsError) in
            // As it stands in settings, it is the same place.
            let url = endpoint.hasPrefix("otlp+") ? endpoint.dropFirst("otlp+".count) : endpoint[...]
            return try OTLPDestination(url: url, payload, options)
        }
    }
}
