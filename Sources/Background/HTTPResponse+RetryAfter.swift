import DurableIO
public import HTTPTypes

extension HTTPResponse {
    /// The wait the server asks for with `Retry-After`, in seconds from the moment the answer arrived; `nil` when it
    /// asks for none.
    ///
    /// Whole seconds and all three forms of HTTP dates are understood, a date being taken against the answer's own
    /// `Date`. The result lies between 0 and 86,400 (24 hours) whatever the server wrote.
    public var retryAfterInterval: Double? {
        RetryAfter.delay(
            header: headerFields[values: .retryAfter].first, date: headerFields[.date],
            nowMilliseconds: LinuxClock().wallMilliseconds
        ).map { Double($0) / 1_000 }
    }
}
