import DurableIO
public import HTTPTypes

extension HTTPResponse {
    /// The wait that the server asks for with `Retry-After`, in seconds from the arrival of the answer; `nil` when it
    /// asks for none.
    ///
    /// Numbers of seconds and all three forms of HTTP dates are understood (RFC 9110, sections 10.2.3 and 5.6.7). Parts
    /// of a second are rounded up. A date is compared with the answer's own `Date`. Without a `Date`, it is compared
    /// with this machine's clock at the time of asking. The result is between 0 and 86,400 (24 hours), whatever the
    /// server wrote. Where the server wrote nothing, the caller chooses a default, customarily 60 seconds.
    public var retryAfterInterval: Double? {
        RetryAfter.delay(
            header: headerFields[values: .retryAfter].first, date: headerFields[.date],
            nowMilliseconds: LinuxClock().wallMilliseconds
        ).map { Double($0) / 1_000 }
    }
}
