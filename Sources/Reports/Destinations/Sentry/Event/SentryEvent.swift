package import Diagnosis
import DurableIO

/// A report as an event for Sentry and the servers that speak its language.
///
/// All that a person needs goes into the event, because some servers keep no attachments. The event is made from the
/// crash in the payload. Where the payload has none, it is a message. Making an event never fails, and nothing of it
/// breaks a limit at which a server would cut or drop a part of it.
///
/// Of the payload's secrets none is in the event: neither environment, memory nor arguments. The same report gives the
/// same event each time, so that an event that was sent twice is one at the server.
package struct SentryEvent: Sendable {
    /// The event: an object, which as text has at most ``byteLimit`` bytes.
    package let json: JSONValue
    /// The event's identifier: 32 hexadecimal digits, made of the report's id.
    package let id: String
    /// What Sentry has to be told of the payload as an attachment: `event.attachment`, `event.minidump` or
    /// `event.applecrashreport`. Sentry itself reads the latter two.
    package let attachmentType: String

    /// The most bytes of an event as text: 256 KiB. Servers take at least 1 MiB.
    package static let byteLimit = 256 << 10

    /// - Parameters:
    ///   - report: the report.
    ///   - diagnosis: what its payload is, if anybody has looked.
    ///   - host: the name of this machine. The program ran on it, unless the annotation `host` names another one.
    ///   - omittedAttachment: whether the payload is not sent with the event.
    package init(_ report: StoredReport, _ diagnosis: Diagnosis?, host: String, omittedAttachment: Bool = false) {
        let name = diagnosis?.format ?? report.properties.format
        id = ReportUUID(report.id).hex
        attachmentType = Self.attachmentTypes[name] ?? "event.attachment"
        let common = SentryReportMembers(
            report, diagnosis, id: id, host: host, omittedAttachment: omittedAttachment)
        // Sentry makes the exception of a minidump's event itself, and would take another one for a part of it.
        guard let crash = diagnosis?.crash, omittedAttachment || name != "minidump" else {
            json = .object(common.message)
            return
        }
        let format = SentryFormat(diagnosis?.innerFormat ?? name, of: crash)
        json = .object(SentryCrashMembers(crash, format, kind: report.properties.kind).event(common))
    }

    private static let attachmentTypes = [
        "minidump": "event.minidump", "apple-crash": "event.applecrashreport",
    ]
}
