/// What becomes of a payload that is the attachment of an event at a Sentry server.
public enum SentryAttachments: String, CaseIterable, Hashable, Sendable {
    /// Each payload is attached. A report whose payload has more than 20 MiB is held.
    case whole
    /// Each payload is attached that has no more than 20 MiB and that the server takes. Of other reports the event goes
    /// alone. The receipt says so.
    case omit
    /// No payload is attached, and no payload leaves this machine: only the event. The receipt says so.
    case none

    /// The largest payload that is attached, in bytes: 20 MiB.
    static let maximumByteCount: UInt64 = 20 << 20

    /// Whether a payload of that size is attached.
    func takes(_ byteCount: UInt64) -> Bool {
        self != .none && byteCount <= Self.maximumByteCount
    }
}
