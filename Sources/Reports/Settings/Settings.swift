package import DurableIO
package import SystemPackage

/// What is in force, and where each value comes from: the command line over the environment over the configuration
/// files over the defaults.
package struct Settings: Sendable {
    package private(set) var limits = SpoolLimits()
    package private(set) var sending = SendingSettings()
    /// The places where reports go, one at least. What no route matches goes to the first.
    package internal(set) var destinations = [DestinationSettings()]
    /// The routes between them; `nil` when one place is named by its endpoint alone, or none.
    package internal(set) var routes: [RouteSetting]?
    /// What counts for each destination that has no value of its own.
    var common = DestinationSettings()
    /// What each report is annotated with, by the keys.
    package internal(set) var annotations: [AnnotationSetting] = []
    /// What is wrong with other annotations. Only where nothing but the spool is asked for, such a fault costs that
    /// annotation and no more.
    package internal(set) var annotationProblems: [ReportsError] = []
    /// The facts of this machine that are known, for people: the spool tells them.
    package internal(set) var facts: [MachineFact: String] = [:]
    /// What was given, but for what was given for one destination.
    private var entries: [Setting: SettingEntry] = [:]
    /// Variables of the environment that name no setting, and what each may have been meant for. Others may have a use
    /// for them, so that they are no error.
    package private(set) var strayVariables: [(name: String, meant: String)] = []
    /// Headers of configuration files that are not sent, for people: which, and why.
    package internal(set) var withheldHeaders: [String] = []
    /// The machine's configuration file, if this user may not read it and it counts for nothing.
    package private(set) var unreadFile: FilePath?
    /// The configuration files that were read, the stronger one first.
    package private(set) var files: [FilePath] = []
    /// Whether they are those of the machine's spool, which the units of the package serve.
    package private(set) var isOfMachine = false
    /// The file of variables that only those units read, if the spool is the machine's and the file exists.
    package private(set) var unitFile: FilePath?
    /// The size of the file system that the spool lies on, in bytes, from which some limits follow; `nil` when it is
    /// not known.
    package var fileSystemByteCount: UInt64?

    /// The spool's own configuration file.
    package static let fileName: EntryName = "reports.json"

    /// What to make them from.
    package struct Sources {
        package var options: [Setting: String] = [:]
        package var headers: [HeaderSetting] = []
        /// Only what is about the spool is read, the limits and the annotations: nothing else can be wrong.
        package var isForSpoolAlone = false
        package var spool: FilePath
        /// The machine's configuration file, which is read under that of the spool.
        package var systemFile: FilePath = "/etc/reports/reports.json"
        /// Variables for the units of the package.
        package var unitFile: FilePath = "/etc/reports/environment"
        package var machineSpool = SpoolLocation.Places().machine
        package var files: any FileSystem = POSIXFileSystem()
        package var variable: (String) -> String? = Environment.value
        package var variableNames: () -> [String] = { Environment.names }

        package init(spool: FilePath) {
            self.spool = spool
        }

        /// A variable of the environment; an empty one is none.
        func value(ofVariable name: String) -> String? {
            variable(name).flatMap { $0.isEmpty ? nil : $0 }
        }

        /// What the caller gives for a setting by an option, else by a variable.
        func entry(_ setting: Setting) -> SettingEntry? {
            if let text = options[setting] {
                return SettingEntry(setting: setting, text: text, source: .option(setting.option))
            }
            return value(ofVariable: setting.variable).map { text in
                SettingEntry(setting: setting, text: text, source: .variable(setting.variable))
            }
        }
    }

    /// The defaults.
    package init() {}

    /// Reads and checks everything but the named file.
    /// - Parameters:
    ///   - sources: what to make them from.
    ///   - named: the file that `$REPORTS_CONFIG` names, which another user may have read.
    /// - Throws: ``ReportsError/Code/badConfiguration``, or for options ``ReportsError/Code/badArgument``, with what is
    ///   wrong where, and what is expected.
    package init(_ sources: Sources, named: NamedSettingsFile?) throws(ReportsError) {
        let layers = try SettingsLayers(sources, named)
        files = layers.paths
        unreadFile = layers.unreadPath
        isOfMachine = sources.spool == sources.machineSpool
        unitFile = isOfMachine && Self.exists(sources.unitFile, sources.files) ? sources.unitFile : nil
        for setting in Setting.allCases where setting.isLimit || !sources.isForSpoolAlone {
            guard let entry = sources.entry(setting) ?? layers.entries[setting] else { continue }
            try apply(entry)
        }
        try annotate(sources, layers)
        guard !sources.isForSpoolAlone else { return }
        strayVariables = Self.strayVariables(sources.variableNames())
        try useDestinations(sources, layers)
    }

    private static func exists(_ path: FilePath, _ files: any FileSystem) -> Bool {
        guard let name = path.lastComponent.flatMap({ EntryName($0.string) }),
            let folder = try? files.openDirectory(path.removingLastComponent())
        else { return false }
        return (try? files.metadata(of: name, in: folder)) ?? nil != nil
    }

    /// Reads and checks everything as the same user.
    package init(_ sources: Sources) throws(ReportsError) {
        try self.init(sources, named: NamedSettingsFile(sources))
    }

    /// Gives a value its place.
    private mutating func apply(_ entry: SettingEntry) throws(ReportsError) {
        guard entry.setting.scope != .destination else { return try common.apply(entry) }
        var values = SettingValues(limits: limits, sending: sending)
        try entry.read(into: &values)
        (limits, sending) = (values.limits, values.sending)
        entries[entry.setting] = entry
    }

    private static func strayVariables(_ names: [String]) -> [(name: String, meant: String)] {
        let known = Setting.otherVariables + Setting.allCases.map(\.variable)
        return names.sorted().compactMap { name in
            guard name.hasPrefix("REPORTS_"), !known.contains(name) else { return nil }
            // All begin alike, which says nothing about how near they are.
            let rest = name.dropFirst("REPORTS_".count)
            let meant = NearestName.of(rest, among: known.map { String($0.dropFirst("REPORTS_".count)) })
            guard let meant, !names.contains("REPORTS_" + meant) else { return nil }
            return (name, "REPORTS_" + meant)
        }
    }

    // MARK: - Asking

    /// The destination of what no route matches.
    package var main: DestinationSettings { destinations[0] }

    /// What was given for a setting; `nil` for one that nobody set.
    package func entry(_ setting: Setting) -> SettingEntry? {
        setting.scope == .destination ? main.entries[setting] : entries[setting]
    }
}
