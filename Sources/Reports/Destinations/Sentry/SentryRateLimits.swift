import Background
import HTTPTypes

/// How long a Sentry server asks for no more events: the field `X-Sentry-Rate-Limits`, which may come with any answer.
///
/// The field is a list of `SECONDS:CATEGORIES:SCOPE:…`. Categories stand for sorts of data; all that this package sends
/// are errors and their attachments. Limits of other sorts come with answers as well, and are not for us. Source:
/// Sentry's documentation for authors of SDKs, "Rate Limiting".
enum SentryRateLimits {
    /// What a 429 means that names no time, in milliseconds: 60 s.
    static let standard: Int64 = 60_000
    /// Longer times count as this, in milliseconds: 24 h.
    private static let longest: Int64 = 24 * 3_600_000

    /// The time to wait before the next event, in milliseconds.
    /// - Parameters:
    ///   - answer: of the server.
    ///   - retryAfter: what its `Retry-After` says. Beside the list it is the longest of all limits, and counts for
    ///     nothing.
    ///   - needsAttachments: whether a limit of attachments counts, because events are not to go without theirs.
    /// - Returns: `nil` when the server does not ask to wait.
    static func wait(in answer: TransferAnswer, retryAfter: Int64?, needsAttachments: Bool) -> Int64? {
        let lines = answer.fields[values: .rateLimits]
        let categories = needsAttachments ? events.union(attachments) : events
        let wait = lines.isEmpty ? retryAfter : lines.compactMap { limit(in: $0, of: categories) }.max()
        // A 429 was about our own request, whatever the list names.
        return wait ?? (answer.status == 429 ? standard : nil)
    }

    /// Whether an answer says that the server takes no attachments now. It accepts the event with a 2xx, and drops what
    /// was attached to it.
    static func limitsAttachments(in answer: TransferAnswer) -> Bool {
        answer.fields[values: .rateLimits].contains { limit(in: $0, of: attachments) ?? 0 > 0 }
    }

    /// The longest limit of a list that concerns one of these categories, in milliseconds.
    static func limit(in list: String, of ours: Set<Substring> = SentryRateLimits.events) -> Int64? {
        let limits = list.filter { $0 != " " && $0 != "\t" }.split(separator: ",")
        return limits.compactMap { limit -> Int64? in
            let fields = limit.split(separator: ":", omittingEmptySubsequences: false)
            guard let first = fields.first, let time = milliseconds(first) else { return nil }
            // No category stands for all.
            let categories = (fields.dropFirst().first ?? "").split(separator: ";")
            return categories.isEmpty || categories.contains(where: ours.contains) ? time : nil
        }.max()
    }

    static let events: Set<Substring> = ["error", "default"]
    private static let attachments: Set<Substring> = ["attachment"]

    /// Seconds with or without a fraction, rounded up to whole ones.
    private static func milliseconds(_ text: Substring) -> Int64? {
        guard !text.isEmpty, text.utf8.allSatisfy({ $0.isASCIIDigit || $0 == UInt8(ascii: ".") }),
            let seconds = Double(text)
        else { return nil }
        return Int64(min(seconds.rounded(.up) * 1_000, Double(longest)))
    }
}

extension HTTPField.Name {
    fileprivate static let rateLimits = known("X-Sentry-Rate-Limits")
}
