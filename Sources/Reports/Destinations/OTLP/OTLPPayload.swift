/// What becomes of a payload that is no text, or more text than a log record should hold.
public enum OTLPPayload: String, CaseIterable, Hashable, Sendable {
    /// A payload goes out whole. A report whose payload is no text in UTF-8 or UTF-16, or has more than 256 KiB, is
    /// held.
    case whole
    /// Of text the first 256 KiB are taken, and bytes in them that are no UTF-8 are replaced. Each of these may become
    /// three, and text in UTF-16 grows too, so that up to 768 KiB go out. Of a payload that is no text nothing goes out
    /// but its size and its digest. The receipt says so.
    case cut
    /// No payload goes out: only what it tells, such as the exception and the stack. The receipt says so.
    case omit

    /// The most of one payload of which a record has the text, in bytes: 256 KiB.
    static let maximumByteCount = 256 << 10
}
