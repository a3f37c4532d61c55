/// A format of text: a crash, or another finding, somewhere among the lines.
///
/// A format tells by which lines it may be there. Only where one of them occurs is it asked to read the text. Text that
/// only talks about crashes has such lines as well: manuals, change logs, source code, tests. So a format calls nothing a
/// crash that lacks what must follow the line.
protocol TextFormat: Sendable {
    /// At least one of these is in each text of the format.
    static var marks: [LineMark] { get }

    /// Texts of three bytes or more, of which at least one is in each text of the format. By default the marks' own.
    ///
    /// A format names others where its marks are shorter, or are in many ordinary texts: a text without any word of any
    /// format is not looked at further (``WordFilter``).
    static var words: [String] { get }

    /// Reads the text.
    /// - Parameters:
    ///   - text: all lines.
    ///   - places: the indices of the lines that have one of the marks, in order; never empty.
    /// - Returns: the worst that the text holds in this format, or `nil`.
    static func read(_ text: CapturedText, at places: [Int]) -> TextFinding?
}

extension TextFormat {
    static var words: [String] {
        self.marks.map { mark in
            switch mark {
            case .beginning(let text), .containing(let text): text
            }
        }
    }
}

/// What a line of a format has.
enum LineMark: Sendable {
    /// The line begins so.
    case beginning(String)
    /// The line holds this: two bytes or more, of which the first is one of ``LineMark/innerBeginnings``.
    case containing(String)

    /// What a mark within a line may begin with: characters that are rare enough to be looked at one by one.
    static let innerBeginnings = ":[("
}

/// What a format has found in a text.
struct TextFinding {
    var diagnosis: Diagnosis
    var severity: Severity
    /// The index of the line where it begins.
    var line: Int

    /// How bad it is. Of several findings in one text the worst counts, of equal ones the last.
    enum Severity: Int, Comparable {
        /// Something was found, and the process went on.
        case finding
        /// A word that a process has died, without a cause.
        case death
        /// An exception that nobody caught. In a log it may have been caught after all.
        case exception
        /// A fault that ends a process.
        case fatal

        static func < (left: Severity, right: Severity) -> Bool { left.rawValue < right.rawValue }
    }
}
