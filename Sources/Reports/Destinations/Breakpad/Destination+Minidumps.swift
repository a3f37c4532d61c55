import Background
import DurableIO

extension Destination {
    /// Makes a destination that sends minidumps to a collector as Breakpad and Crashpad do: Mozilla's Antenna, the
    /// endpoint for minidumps of Sentry or Backtrace, or a server of your own.
    ///
    /// ```swift
    /// var dumps = Destination.minidumps(url: "https://crash-reports.example.com/submit")
    /// dumps.acknowledgement = .any
    /// ```
    /// Each minidump is sent by `POST` in a form (`multipart/form-data`) as the part `upload_file_minidump`, behind
    /// fields for the program, its version, the report's id and each annotation. It is not compressed, so the only
    /// ``encoding`` is ``ReportEncoding/identity``. Reports that are no minidumps are held and not sent; routes can send
    /// them to another destination.
    ///
    /// A 2xx answer means a delivery if its body begins with `CrashID=`. For collectors that answer in other words, set
    /// ``acknowledgement`` to ``Acknowledgement/any``; otherwise the dump is sent again once a day. Nothing in this protocol tells a collector that it has a dump
    /// already: if an answer is lost, the dump is sent once more after a minute or later, and is there twice.
    ///
    /// - Parameters:
    ///   - url: The URL that the collector documents for submissions. It may contain the marks of an endpoint.
    ///   - headers: Header fields for each report, for example an `Authorization`. The default is none. They are kept
    ///     in memory only.
    /// - Returns: The destination. Its URL is checked when a reporter is made.
    public static func minidumps(
        url: String, headers: [(name: String, value: String)] = []
    ) -> Destination {
        Destination(headers: headers) { options throws(ReportsError) in
            // As it stands in settings, it is the same place.
            let plain = url.hasPrefix("minidump+") ? String(url.dropFirst("minidump+".count)) : url
            return try BreakpadDestination(url: plain, options)
        }
    }
}
