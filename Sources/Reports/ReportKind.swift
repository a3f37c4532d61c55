/// The kind of a report, as one of five words.
///
/// The producer of a report names its kind; otherwise the kind is derived from the content. The kind travels in the
/// `Report-Kind` header. Crashes are sent first. When the spool is full, crashes are evicted last.
///
/// ## Topics
///
/// - ``crash``
/// - ``hang``
/// - ``diagnostic``
/// - ``log``
/// - ``other``
/// - ``all``
public struct ReportKind: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    /// The word of the kind, as in the ledger, in headers and on the command line.
    public let rawValue: String

    /// Makes the kind of a word, whose case matters; `nil` for any text except the five words.
    public init?(rawValue: String) {
        guard let known = Self.all.first(where: { $0.rawValue == rawValue }) else { return nil }
        self = known
    }

    private init(word: String) {
        self.rawValue = word
    }

    /// A process that a fault has ended: a backtrace, a core dump, a panic.
    public static let crash = ReportKind(word: "crash")

    /// A process that does not answer.
    public static let hang = ReportKind(word: "hang")

    /// A measurement or a finding about a process that goes on.
    public static let diagnostic = ReportKind(word: "diagnostic")

    /// Lines written by a program or by the system's journal.
    public static let log = ReportKind(word: "log")

    /// Any other report.
    public static let other = ReportKind(word: "other")

    /// The five kinds, the gravest first.
    public static let all: [ReportKind] = [.crash, .hang, .diagnostic, .log, .other]

    /// The word of the kind.
    public var description: String { self.rawValue }
}

/// Where a report's kind comes from. The raw value is the member `kind_from` of a stored report's description.
package enum KindSource: String, Hashable, Sendable {
    /// The producer of the report named the kind.
    case given
    /// The payload's format shows the kind.
    case recognised
    /// Nothing shows the kind: it is the kind assumed for any text, JSON or binary payload.
    case `default`
}
