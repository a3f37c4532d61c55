import DurableIO
public import HTTPTypes

extension HTTPResponse {
    /// The wait the server asks for with `Retry-After`, in seconds from the moment the answer arrived; `nil` when it
    /// asks for none.
    ///
    /// Seconds and all three forms of HTTP dates are understood (RFC 9110, sections 10.2.3 and 5.6.7); parts of a
    /// second are rounded up. A date is taken against the answer's own `Date`, and only without one against this
    /// machine's clock at the time of asking. The result lies between 0 and 86,400 (24 hours) whatever the server
    /// wrote; the default where it wrote nothing is the caller's, 60 seconds by custom.
    public var retryAfterInterval: Double? {
        RetryAfter.delay(
            header: headerFields[values: .retryAfter].first, date: headerFields[.date],
            nowMilliseconds: LinuxClock().wallMilliseconds
        ).map { Double($0) / 1_000 }
    }
}
