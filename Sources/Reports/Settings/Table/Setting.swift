/// A setting: one row of the table of settings, from which all that is said of it elsewhere follows.
///
/// Its name is a member of the configuration file. `REPORTS_` and the name in capitals is its variable of the
/// environment. What concerns sending has an option of the command line as well: `--` and the name with dashes.
package struct Setting: Sendable {
    /// What a setting is about.
    package enum Scope: Sendable {
        /// One place where reports go: each destination has a value of its own.
        case destination
        /// How all destinations are reached.
        case sending
        /// The spool, whoever writes to it. Such a setting has no option: it belongs to no single command.
        case limits
    }

    /// Its name.
    package let rawValue: String
    package let scope: Scope
    /// What it is, in a sentence or two.
    package let help: String
    /// More of the same, for long help; `nil` if all is said.
    package let details: String?
    /// What stands for its value in help.
    package let valueName: String
    /// What a value has to be, for people.
    package let expectation: String
    /// All its values; empty when they cannot be counted.
    package let choices: [String]
    /// Whether its value is a number, which may be wrong and begin with a dash.
    package let isNumber: Bool
    /// Whether its value is a file's path, which in a configuration file may be relative to that.
    package let isPath: Bool
    /// What is in force when nobody sets it, as one would write it; `nil` if that is nothing, or no fixed value.
    package let standardText: String?
    /// The default for people.
    package let standardWords: String?
    /// What the default comes to on a file system of so many bytes, where it is a share of that.
    let share: (@Sendable (SpoolLimits, UInt64) -> UInt64)?
    /// Takes out of a value what nobody is to see; `nil` when all of it may be seen.
    let mask: (@Sendable (String) -> String)?
    private let assign: @Sendable (String, inout SettingValues) throws(SettingProblem) -> Void

    /// Of the environment.
    package var variable: String { "REPORTS_" + rawValue.uppercased() }
    /// Of the command line, without the dashes before it.
    package var optionName: String { rawValue.replacing("_", with: "-") }
    /// Of the command line.
    package var option: String { "--" + optionName }
    package var isLimit: Bool { scope == .limits }

    /// Reads a value into its place among the others.
    func read(_ text: String, into values: inout SettingValues) throws(SettingProblem) {
        try assign(text, &values)
    }
}

extension Setting: Hashable {
    package static func == (left: Setting, right: Setting) -> Bool { left.rawValue == right.rawValue }

    package func hash(into hasher: inout Hasher) { hasher.combine(rawValue) }
}

extension Setting: RawRepresentable {
    /// The setting of that name; `nil` if there is none.
    package init?(rawValue: String) {
        guard let known = Self.allCases.first(where: { $0.rawValue == rawValue }) else { return nil }
        self = known
    }
}

// MARK: - Making rows

extension Setting {
    /// A row about a destination.
    static func destination<Value>(
        _ name: String, _ path: any WritableKeyPath<DestinationSettings, Value> & Sendable, _ form: SettingForm<Value>,
        _ words: Words, mask: (@Sendable (String) -> String)? = nil
    ) -> Setting {
        Setting(
            name, .destination, form, words, mask: mask, standard: DestinationSettings()[keyPath: path],
            assign: { $1.destination[keyPath: path] = $0 })
    }

    /// A row about sending.
    static func sending<Value>(
        _ name: String, _ path: any WritableKeyPath<SendingSettings, Value> & Sendable, _ form: SettingForm<Value>,
        _ words: Words
    ) -> Setting {
        Setting(
            name, .sending, form, words, standard: SendingSettings()[keyPath: path],
            assign: { $1.sending[keyPath: path] = $0 })
    }

    /// A row about a limit of the spool.
    static func limit<Value>(
        _ name: String, _ path: any WritableKeyPath<SpoolLimits, Value> & Sendable, _ form: SettingForm<Value>,
        _ words: Words, share: (@Sendable (SpoolLimits, UInt64) -> UInt64)? = nil
    ) -> Setting {
        Setting(
            name, .limits, form, words, share: share, standard: SpoolLimits()[keyPath: path],
            assign: { $1.limits[keyPath: path] = $0 })
    }

    /// What a row says for people.
    struct Words {
        let help: String
        let details: String?
        let valueName: String
        let standardNote: String

        /// - Parameters:
        ///   - help: what it is.
        ///   - details: more of the same.
        ///   - valueName: what stands for the value.
        ///   - standard: follows the text of the default, or stands for it where it has none.
        init(_ help: String, details: String? = nil, valueName: String, standard: String = "") {
            self.help = help
            self.details = details
            self.valueName = valueName
            standardNote = standard
        }
    }

    private init<Value>(
        _ name: String, _ scope: Scope, _ form: SettingForm<Value>, _ words: Words,
        mask: (@Sendable (String) -> String)? = nil, share: (@Sendable (SpoolLimits, UInt64) -> UInt64)? = nil,
        standard: Value, assign: @escaping @Sendable (Value, inout SettingValues) -> Void
    ) {
        rawValue = name
        self.scope = scope
        (help, details, valueName) = (words.help, words.details, words.valueName)
        (expectation, choices) = (form.expectation, form.choices)
        (isNumber, isPath) = (form.isNumber, form.isPath)
        standardText = form.text(standard)
        let standardWords = (form.words(standard) ?? "") + words.standardNote
        self.standardWords = standardWords.isEmpty ? nil : standardWords
        self.share = share
        self.mask = mask
        self.assign = { (text, values) throws(SettingProblem) in assign(try form.read(text), &values) }
    }
}
