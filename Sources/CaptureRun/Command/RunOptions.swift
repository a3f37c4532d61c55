/// What a command line of `reports run` asks for.
package struct RunOptions: Sendable, Equatable {
    /// What happens to the program's standard error.
    package enum StderrMode: String, Sendable, CaseIterable {
        /// What stands behind it decides: it is left alone where it is a terminal, a file, or the journal that can be
        /// read afterwards; everything else is copied on its way.
        case auto
        /// It is copied on its way, whatever stands behind it.
        case tee
        /// It is neither copied nor read.
        case none
    }

    /// Deaths that make a report.
    ///
    /// No `Set` of cases: at the start of each program its type would take longer to make than its use.
    package struct Occasions: OptionSet, Sendable, Hashable {
        package let rawValue: UInt8

        package init(rawValue: UInt8) { self.rawValue = rawValue }

        /// A fault, an abort, a limit of time or of a file's size (SIGXCPU, SIGXFSZ), a SIGKILL that was no answer to a
        /// request to end, out of memory, or a crash that the program's standard error tells of.
        package static let crash = Occasions(rawValue: 1)
        /// A report that the program's runtime has written, also of a program that went on and ended well.
        package static let file = Occasions(rawValue: 2)
        /// Any other exit status than 0.
        package static let exit = Occasions(rawValue: 4)
        /// Any signal.
        package static let kill = Occasions(rawValue: 8)
        /// Every end of the program.
        package static let any = Occasions(rawValue: 16)

        /// Each of them by its name on command lines and in records.
        static let named: [(name: String, occasion: Occasions)] = [
            ("crash", .crash), ("file", .file), ("exit", .exit), ("kill", .kill), ("any", .any),
        ]

        /// The one of a name; `nil` for any other name.
        init?(name: String) {
            guard let found = Self.named.first(where: { $0.name == name }) else { return nil }
            self = found.occasion
        }

        /// The names of those that are in it, in the order of the alphabet.
        var names: [String] { Self.named.filter { contains($0.occasion) }.map(\.name).sorted() }
    }

    /// Which variables are set for the program's runtime.
    package struct Environment: Sendable, Equatable {
        /// Whether those are set that change nothing of a program but what it leaves behind when it crashes.
        package var setsDefaults = true
        /// Variables that are set besides (`+NAME`).
        package var added: Set<String> = []
        /// Variables that are left as they are (`-NAME`).
        package var removed: Set<String> = []

        package init() {}
    }

    /// The spool; `nil` is the default of the machine and the user.
    package var spool: String?
    /// Whether the path that was given for the spool is no UTF-8, so that ``spool`` is another one.
    package var hasForeignSpool = false
    /// The service's name, which becomes the annotation `service`.
    package var name: String?
    /// The version, which becomes the annotation `version`.
    package var release: String?
    /// Further annotations of all reports of the incident.
    package var annotations: [String: String] = [:]
    /// Variables of the program's environment that become annotations, by their names.
    package var annotatedVariables: [String] = []
    package var occasions: Occasions = [.crash, .file]
    package var stderr = StderrMode.auto
    /// How much of the end of standard error is kept, in bytes. The default is 64 KiB.
    package var keptByteCount = Self.defaultKeptByteCount
    /// The most of the end of standard error that can be kept, in bytes: 16 MiB.
    static let maximumKeptByteCount = 16 << 20
    static let defaultKeptByteCount = 64 << 10
    package var environment = Environment()
    /// Whether a JVM is told to write its report into the incident's directory, and says so on standard error.
    package var isForJava = false
    /// Whether sanitizers write into the incident's directory instead of standard error.
    package var isForSanitizers = false
    /// Whether Go programs tell of all goroutines.
    package var isForGo = false
    /// Whether the program's limit of core files is raised as far as it may be.
    package var raisesCoreLimit = false
    /// Whether the report has the arguments of the program, and not only their number.
    package var tellsArguments = false
    /// Whether the program lives on when this process is killed.
    package var leavesOrphan = false
    /// Whether nothing is said on standard error.
    package var isQuiet = false
    /// For how long an attempt is made to send what was caught before this process ends, in seconds; `nil` for none.
    package var submitSeconds: Double?
    /// The program and its arguments.
    package var command: [String] = []

    package init() {}
}
