/// What an HTTP answer means for the item that was sent and for the origin that answered.
///
/// Every status has a meaning, unknown ones too, and none of them deletes anything: `rejected` keeps the bytes.
package enum ResponseDisposition: Hashable, Sendable {
    /// The server has it: 2xx.
    case delivered

    /// The server cannot now: charged to the origin, or to the item once others get through.
    ///
    /// 408, 425, 429, 500, 502, 503, 504, 507, 509, 520 to 530, 598 and 599. 425 is here and not under ``wait``: the
    /// item waits either way, but "too early" is the server declining for now, and is charged like its neighbours.
    case notNow

    /// The item waits, and the origin is none the worse: 409, an earlier try of the same key is still being worked on.
    case wait

    /// The item waits uncharged until something changes that the next try alone would not change.
    case hold(HoldReason)

    /// The server does not want this item. Its bytes are kept for a person.
    case rejected

    /// Classifies a final answer.
    ///
    /// The transport has followed same-origin 307 and 308 before this, so any 3xx that arrives here is held.
    ///
    /// - Parameters:
    ///   - status: the status code; any number.
    ///   - contentType: the value of `Content-Type`, parameters and all.
    ///   - isPlainHTTP: whether the answer came over `http` rather than `https`.
    ///   - isLoopbackHost: whether the host is this machine, where no captive portal can stand in between.
    /// - Returns: the meaning; never nothing.
    package static func of(
        status: Int,
        contentType: String?,
        isPlainHTTP: Bool,
        isLoopbackHost: Bool
    ) -> ResponseDisposition {
        switch status {
        case 200 where isPlainHTTP && !isLoopbackHost && isHTML(contentType):
            // A login page says 200 to everything; a collector has no reason to answer in HTML.
            .hold(.portal)
        case 200...299: .delivered
        case 300...399: .hold(.redirect)
        case 401, 407: .hold(.auth)
        case 403: .hold(.forbidden)
        case 409: .wait
        case 415: .hold(.encoding)
        case 511: .hold(.portal)
        case 408, 425, 429, 500, 502, 503, 504, 507, 509, 520...530, 598, 599: .notNow
        default: .rejected
        }
    }

    /// Whether an answer closes its origin for every item until the wait it leads to is over.
    ///
    /// - Parameters:
    ///   - status: the status code.
    ///   - retryAfter: what ``RetryAfter`` read from the answer, in milliseconds; `nil` if it had no such field.
    /// - Returns: `true` for 429, for 503, and for any answer that names a time.
    package static func closesOriginUntilDue(status: Int, retryAfter: Int64?) -> Bool {
        status == 429 || status == 503 || retryAfter != nil
    }

    /// Whether an answer to a whole request leaves open whether the server has the item: something in between gave up
    /// waiting for the server, or lost it.
    package static func leavesOutcomeOpen(status: Int) -> Bool {
        switch status {
        case 502, 504, 520...530, 598, 599: true
        default: false
        }
    }

    /// Whether a `Content-Type` is that of a page.
    package static func isHTML(_ contentType: String?) -> Bool {
        let mediaType = contentType?.prefix { $0 != ";" }.filter { $0 != " " && $0 != "\t" }.lowercased()
        return mediaType == "text/html" || mediaType == "application/xhtml+xml"
    }
}
