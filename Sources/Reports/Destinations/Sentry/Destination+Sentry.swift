import DurableIO

extension Destination {
    /// Makes a destination that sends each report as an event to a project of Sentry, or of a server that speaks its
    /// protocol, such as GlitchTip or Bugsink.
    ///
    /// ```swift
    /// let sentry = Destination.sentry(dsn: "https://KEY@sentry.example.com/17")
    /// ```
    /// The event tells what the payload tells: the exception, its stack, the threads, registers, the loaded images and
    /// the system. Annotations become the release, the environment, the user and tags. The payload is the event's
    /// attachment; a server may drop it without saying so. A payload may hold what nobody but you should see, such as
    /// the environment of a process.
    ///
    /// The id of the event is made of the report's id, so that a server which gets a report twice has one event: for
    /// about an hour at Sentry, for ever at others. A 2xx answer means a delivery if it has the id of an event, unless
    /// ``acknowledgement`` says otherwise. ``encoding`` may be ``ReportEncoding/gzip``, the default, or
    /// ``ReportEncoding/identity``.
    ///
    /// - Parameters:
    ///   - dsn: The DSN of the project, `https://KEY@HOST/PROJECT`. It counts as a secret: it is neither written to disk
    ///     nor logged.
    ///   - attachments: What becomes of the payload. The default is ``SentryAttachments/whole``.
    ///   - headers: Header fields for each report. The default is none. `X-Sentry-Auth` and what frames the request are
    ///     set by the sender.
    /// - Returns: The destination. Its DSN is checked when a reporter is made.
    public static func sentry(
        dsn: String, attachments: SentryAttachments = .whole, headers: [(name: String, value: String)] = []
    ) -> Destination {
        Destination(headers: headers) { options throws(ReportsError) in
            // As it stands in an endpoint, it may say what becomes of payloads as well, and must not be ignored.
            guard !dsn.hasPrefix("sentry+") else {
                return try SentryDestination(endpoint: dsn, options: options, or: attachments)
            }
            return try SentryDestination(SentryDSN(dsn[...]), attachments, options)
        }
    }
}
