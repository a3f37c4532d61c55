import Diagnosis
import Digests
import DurableIO

/// A report made to try a destination. It lies in memory only and tells of no fault.
///
/// It is of the kind `other` and has the annotation `reports.test` with the value `true`. Its payload says what it is,
/// when it was made, and on which host. No two of them have the same id, so that a server that knows an earlier one does
/// not take the next for a repetition.
enum SampleReport {
    static let annotation = "reports.test"

    /// Makes one.
    /// - Parameters:
    ///   - wall: this machine's clock, in milliseconds since 1970.
    ///   - host: the name of this machine.
    ///   - generator: what makes its id different from others.
    /// - Returns: the report, compressed as every other.
    /// - Throws: zlib's error for want of memory.
    static func make(
        wall: Int64, host: String, using generator: inout some RandomNumberGenerator
    ) throws -> OutgoingReport {
        let time = RFC3339.string(milliseconds: wall)
        let payload = Array(
            """
            This is a test report, sent by 'reports test' of Reports \(ReportsVersion.current) on \(host) at \(time).
            It tells of no fault, and may be deleted.
            \(String(generator.next() as UInt64, radix: 16))

            """.utf8)
        var properties = ReportProperties(
            kind: .other, from: .given, format: "text", contentType: "text/plain; charset=utf-8",
            name: Array("reports-test.txt".utf8), collectedAt: wall, annotations: [annotation: "true"], summary: "")
        let window = PayloadWindow(whole: payload, name: properties.name ?? [])
        properties.describe(
            Diagnosis.recognize(window) { Inflater.gzipPrefix($0, limit: $1) }, keepingKind: true)
        return try compressed(payload, properties)
    }

    private static func compressed(_ payload: [UInt8], _ properties: ReportProperties) throws -> OutgoingReport {
        let header = try GzipMemberHeader(
            name: properties.name, properties: properties.json.utf8Bytes, modificationTime: 0)
        var sink = WireBytes()
        var writer = try MemberWriter(header: header, to: &sink)
        try payload.withUnsafeBytes { try writer.write($0, to: &sink) }
        let summary = try writer.finish(to: &sink)
        let stored = StoredReport(
            id: ContentHash(of: payload), properties: properties, size: summary.payloadByteCount,
            wireSize: summary.wireByteCount, wireHash: ContentHash(of: sink.bytes), headerByteCount: header.byteCount)
        return OutgoingReport(
            stored, payload: payload, deflated: Array(sink.bytes.dropFirst(WireForm.prefix.count)))
    }

    /// Keeps what would be sent, and not what would be stored.
    private struct WireBytes: MemberSink {
        typealias Failure = Never

        var bytes: [UInt8] = []

        mutating func writeMember(_ bytes: UnsafeRawBufferPointer) {}
        mutating func writeWire(_ bytes: UnsafeRawBufferPointer) { self.bytes += bytes }
    }
}
