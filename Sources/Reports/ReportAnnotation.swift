import DurableIO

/// The value of an annotation that a reporter gives to each report: a text, or a fact of the machine.
///
/// ```swift
/// configuration.annotations = [
///     "service": "shop", "version": "\(version)", "site": .fixed("berlin"), "host": .fact(.host),
/// ]
/// ```
/// A text literal is a value that the annotations of a single report may replace.
///
/// ## Topics
///
/// - ``text(_:)``
/// - ``fixed(_:)``
/// - ``fact(_:)``
/// - ``Fact``
public struct ReportAnnotation: Hashable, Sendable, ExpressibleByStringInterpolation {
    private enum Content: Hashable {
        case text(String)
        case fixed(String)
        case fact(Fact)
    }

    private let content: Content

    private init(_ content: Content) {
        self.content = content
    }

    /// A fact that a machine knows of itself.
    ///
    /// A machine may lack a fact. Then its reports lack the annotation, and no report can give the key another value.
    public struct Fact: RawRepresentable, Hashable, Sendable {
        /// The name of the fact, as in the settings of the tool `reports`.
        public let rawValue: String

        /// The fact of that name; `nil` when there is no such fact.
        public init?(rawValue: String) {
            guard MachineFact(rawValue: rawValue) != nil else { return nil }
            self.rawValue = rawValue
        }

        private init(_ fact: MachineFact) {
            rawValue = fact.rawValue
        }

        /// The name of the host.
        public static let host = Fact(.host)
        /// The name of the operating system with its version, as in `/etc/os-release`.
        public static let os = Fact(.os)
        /// The release of the kernel, as `uname -r` prints it.
        public static let kernel = Fact(.kernel)
        /// A name of the machine: 32 hexadecimal digits that stay the same as long as the spool keeps its ledger.
        ///
        /// It is made from the machine's confidential id and from random bytes in the ledger. It tells nobody the id,
        /// and two spools on one machine have different values. A spool that is made by this version has it from its first
        /// report on; an older spool has it from its next submission on.
        public static let machineID = Fact(.machineID)
        /// All facts.
        public static let all: [Fact] = MachineFact.allCases.map { Fact($0) }
    }

    /// A text that the annotations of a single report may replace.
    public static func text(_ text: String) -> ReportAnnotation { ReportAnnotation(.text(text)) }

    /// A text that stands whatever the annotations of a single report say.
    public static func fixed(_ text: String) -> ReportAnnotation { ReportAnnotation(.fixed(text)) }

    /// A fact of the machine, which stands whatever the annotations of a single report say.
    public static func fact(_ fact: Fact) -> ReportAnnotation { ReportAnnotation(.fact(fact)) }

    /// Makes a value from a text literal.
    public init(stringLiteral value: String) {
        self.init(.text(value))
    }

    fileprivate func add(to rules: inout AnnotationRules, as key: String) {
        switch content {
        case .text(let text): rules.values[key] = text
        case .fixed(let text):
            rules.values[key] = text
            rules.fixedKeys.insert(key)
        case .fact(let fact): rules.facts[key] = MachineFact(rawValue: fact.rawValue)
        }
    }
}

extension AnnotationRules {
    /// Makes the rules of a reporter's configuration.
    /// - Throws: ``ReportsError`` with `badArgument`, naming the bound that is broken.
    init(_ annotations: [String: ReportAnnotation]) throws(ReportsError) {
        self.init()
        for (key, annotation) in annotations { annotation.add(to: &self, as: key) }
        try validate()
    }
}
