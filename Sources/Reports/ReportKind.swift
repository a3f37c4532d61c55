/// What a report is about, in one of five words.
///
/// Given by whoever drops the report, else derived from its content. It travels as the `Report-Kind` header, chooses
/// what goes first (crashes) and what makes room first (anything else) when the spool is full.
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
    /// The word itself, as in the ledger, in headers and on the command line.
    public let rawValue: String

    /// A kind from its word; `nil` for any other text than the five, whose case matters.
    public init?(rawValue: String) {
        guard let known = Self.all.first(where: { $0.rawValue == rawValue }) else { return nil }
        self = known
    }

    private init(word: String) {
        self.rawValue = word
    }

    /// A process ended by a fault: a backtrace, a core dump, a panic.
    public static let crash = ReportKind(word: "crash")

    /// A process that did not answer.
    public static let hang = ReportKind(word: "hang")

    /// Something measured or found while the process went on.
    public static let diagnostic = ReportKind(word: "diagnostic")

    /// Lines written by a program or by the system's journal.
    public static let log = ReportKind(word: "log")

    /// Anything else.
    public static let other = ReportKind(word: "other")

    /// The five kinds, from the gravest on.
    public static let all: [ReportKind] = [.crash, .hang, .diagnostic, .log, .other]

    /// The word itself.
    public var description: String { self.rawValue }
}

/// Where a report's kind comes from. The raw value is the member `kind_from` of a stored report's description.
package enum KindSource: String, Hashable, Sendable {
    /// Whoever handed the report in named it.
    case given
    /// The payload's format tells.
    case recognised
    /// Nothing tells: the kind is the one assumed of any text, JSON or binary.
    case `default`
}
