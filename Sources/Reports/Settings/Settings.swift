package import Background
package import DurableIO
package import SystemPackage

/// What is in force, and where each value comes from: the command line over the environment over the configuration file
/// over the defaults.
package struct Settings: Sendable {
    /// A value as it was given.
    package struct Entry: Sendable {
        package let setting: Setting
        let text: String
        package let source: SettingSource
        /// Whether it stands where it was written, and not in a file or variable that may hold something else, too.
        var isQuotable = true

        /// Without what nobody is to see.
        package var shownText: String {
            switch setting {
            case .endpoint:
                // What a query holds may be a secret.
                let path = text.prefix { $0 != "?" }
                return path.count < text.count ? path + "?***" : text
            case .proxy:
                return (try? ProxySettings.written(text).description) ?? "***"
            default: return text
            }
        }
    }

    private var entries: [Setting: Entry] = [:]
    /// All of the same source: those of a stronger one stand instead of the others.
    package private(set) var headers: [HeaderSetting] = []
    package private(set) var limits = SpoolLimits()
    package private(set) var connection = ConnectionSettings()
    package private(set) var maximumConcurrent = 16
    package private(set) var encoding = ReportEncoding.gzip
    package private(set) var acknowledgement: Acknowledgement?
    /// Variables of the environment that name no setting, and what each may have been meant for. Others may have a use
    /// for them, so that they are no error.
    package private(set) var strayVariables: [(name: String, meant: String)] = []
    /// The configuration file that was read; `nil` if there is none.
    package private(set) var file: FilePath?

    /// The configuration file's, in the spool.
    package static let fileName: EntryName = "reports.json"

    /// What to make them from.
    package struct Sources {
        package var options: [Setting: String] = [:]
        package var headers: [HeaderSetting] = []
        /// Only what is about the spool is read: nothing else can be wrong.
        package var isForLimitsAlone = false
        package var spool: FilePath
        package var files: any FileSystem = POSIXFileSystem()
        package var variable: (String) -> String? = Environment.value
        package var variableNames: () -> [String] = { Environment.names }

        package init(spool: FilePath) {
            self.spool = spool
        }
    }

    /// The defaults.
    package init() {}

    /// Reads and checks everything.
    /// - Throws: ``ReportsError/Code/badConfiguration``, or for options ``ReportsError/Code/badArgument``, with what is
    ///   wrong where, and what is expected.
    package init(_ sources: Sources) throws(ReportsError) {
        let variable = { (name: String) in sources.variable(name).flatMap { $0.isEmpty ? nil : $0 } }
        let file = try Self.file(sources, variable)
        self.file = file?.path
        for setting in Setting.allCases where setting.isLimit || !sources.isForLimitsAlone {
            if let text = sources.options[setting] {
                try apply(Entry(setting: setting, text: text, source: .option(setting.option)))
            } else if let text = variable(setting.variable) {
                try apply(Entry(setting: setting, text: text, source: .variable(setting.variable)))
            } else if let entry = file?.entries[setting] {
                try apply(entry)
            }
        }
        guard !sources.isForLimitsAlone else { return }
        strayVariables = Self.strayVariables(sources.variableNames())
        if !sources.headers.isEmpty {
            headers = sources.headers
        } else if let lines = variable("REPORTS_HEADERS") {
            headers = try HeaderSetting.lines(Array(lines.utf8), from: .variable("REPORTS_HEADERS"))
        } else {
            headers = file?.headers ?? []
        }
        try connectProxy()
    }

    private static func file(
        _ sources: Sources, _ variable: @escaping (String) -> String?
    ) throws(ReportsError) -> SettingsFile? {
        guard let named = variable("REPORTS_CONFIG") else {
            return try SettingsFile.read(
                sources.spool.appending(fileName.description), isTrusted: false, sources, variable: variable)
        }
        let file = try SettingsFile.read(
            FilePath(named), isTrusted: true, sources, variable: variable)
        guard let file else {
            throw ReportsError(.badConfiguration, "$REPORTS_CONFIG: \(named): \(Errno.noSuchFileOrDirectory)")
        }
        return file
    }

    private static func strayVariables(_ names: [String]) -> [(name: String, meant: String)] {
        let known = ["REPORTS_SPOOL", "REPORTS_CONFIG", "REPORTS_HEADERS"] + Setting.allCases.map(\.variable)
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

    package func entry(_ setting: Setting) -> Entry? { entries[setting] }

    /// Where reports go; `nil` when no endpoint is named.
    package var destination: Destination? {
        guard let entry = entries[.endpoint] else { return nil }
        var destination = Destination.http(entry.text, headers: headers.map { ($0.name, $0.value) })
        destination.encoding = encoding
        destination.acknowledgement = acknowledgement
        return destination
    }

    /// The size of the file system that the spool lies on, in bytes, from which some limits follow; `nil` when it is
    /// not known.
    package var fileSystemByteCount: UInt64?

    /// Each setting's value and source, for people and scripts: secrets are masked.
    package var shown: [(name: String, value: String?, source: SettingSource)] {
        var shown: [(name: String, value: String?, source: SettingSource)] = []
        for setting in Setting.allCases {
            let entry = entries[setting]
            shown.append(
                (setting.rawValue, entry?.shownText ?? standardText(setting), entry?.source ?? .standard))
        }
        for header in headers { shown.append(("headers.\(header.name)", "***", header.source)) }
        return shown
    }

    private func standardText(_ setting: Setting) -> String? {
        let limits = SpoolLimits()
        return switch setting {
        case .endpoint, .acknowledgement, .tlsAuthorities, .tlsCertificate, .tlsKey, .noProxy: nil
        case .encoding: ReportEncoding.gzip.rawValue
        case .tlsMinimum: TLSVersion.v12.rawValue
        case .proxy: "environment"
        case .connectTimeout: "5"
        case .idleTimeout: "60"
        case .answerTimeout: "300"
        case .maximumConcurrent: "16"
        case .maximumReportSize: "\(limits.maximumReportByteCount)"
        case .maximumTotalSize: fileSystemByteCount.map { "\(limits.total(ofTotal: $0))" }
        case .minimumFreeSpace:
            fileSystemByteCount.map { "\(limits.floor(ofTotal: $0, forReportOf: 0))" }
        case .maximumCount: "\(limits.maximumCount)"
        case .maximumAge: "90"
        }
    }

    /// Through which proxy the endpoint is reached, or `direct`, without secrets, and what says so; `nil` when no
    /// endpoint is named.
    package var route: (text: String, source: String)? {
        guard let endpoint = try? destination?.validate() else { return nil }
        let standard = SettingSource.standard.description
        let proxySource = entries[.proxy]?.source.description ?? standard
        do throws(ConnectionSettingsError) {
            switch try connection.proxy.choose(for: endpoint) {
            case .direct: return ("direct", proxySource)
            case .exempt(let variable):
                return ("direct", variable.map { "$\($0)" } ?? entries[.noProxy]?.source.description ?? standard)
            case .proxy(let server, let variable):
                return (server.description, variable.map { "$\($0)" } ?? proxySource)
            }
        } catch {
            return (error.problem, error.subject)
        }
    }

    // MARK: - Reading values

    private mutating func apply(_ entry: Entry) throws(ReportsError) {
        entries[entry.setting] = entry
        let text = entry.text
        let isTaken: Bool
        switch entry.setting {
        case .endpoint: return try checkEndpoint(entry)
        // Together, once all are there.
        case .proxy, .noProxy: isTaken = true
        case .encoding: isTaken = Self.set(&encoding, to: ReportEncoding(rawValue: text))
        case .acknowledgement: isTaken = Self.set(&acknowledgement, to: Acknowledgement(text))
        case .tlsAuthorities: isTaken = Self.set(&connection.tls.certificateAuthorities, to: Self.path(text))
        case .tlsCertificate: isTaken = Self.set(&connection.tls.clientCertificate, to: Self.path(text))
        case .tlsKey: isTaken = Self.set(&connection.tls.clientKey, to: Self.path(text))
        case .tlsMinimum: isTaken = Self.set(&connection.tls.minimumVersion, to: TLSVersion(rawValue: text))
        case .connectTimeout: isTaken = Self.set(&connection.timeouts.connect, to: Self.seconds(text))
        case .idleTimeout: isTaken = Self.set(&connection.timeouts.idle, to: Self.seconds(text))
        case .answerTimeout: isTaken = Self.set(&connection.timeouts.answer, to: Self.seconds(text))
        case .maximumConcurrent: isTaken = Self.set(&maximumConcurrent, to: Self.number(text, in: 1...64))
        case .maximumReportSize: isTaken = Self.set(&limits.maximumReportByteCount, to: Self.bytes(text))
        case .minimumFreeSpace: isTaken = Self.set(&limits.minimumFreeByteCount, to: Self.bytes(text))
        case .maximumTotalSize: isTaken = Self.set(&limits.maximumTotalByteCount, to: Self.bytes(text))
        case .maximumCount: isTaken = Self.set(&limits.maximumCount, to: Self.number(text, in: 1...100_000_000))
        case .maximumAge:
            let days = Self.number(text, in: 1...36_500)
            isTaken = Self.set(&limits.maximumAge, to: days.map { .seconds($0 * 86_400) })
        }
        guard isTaken else {
            let found = entry.setting.isConfidential || !entry.isQuotable ? "" : ", found \"\(Printable.text(text))\""
            throw problem(entry, "expected \(entry.setting.expectation)\(found)")
        }
    }

    private func problem(_ entry: Entry, _ text: String, underlying error: (any Error)? = nil) -> ReportsError {
        ReportsError(entry.source.errorCode, "\(entry.source.subject): \(text)", underlyingError: error)
    }

    private func checkEndpoint(_ entry: Entry) throws(ReportsError) {
        do {
            _ = try Destination.http(entry.text).validate()
        } catch {
            // What is wrong with a mark is told with the marks that there are.
            let isAboutMarks = error.underlyingError is EndpointTemplate.Problem
            let expected = isAboutMarks ? "" : "; expected \(entry.setting.expectation)"
            throw problem(entry, error.message + expected, underlying: error)
        }
    }

    private mutating func connectProxy() throws(ReportsError) {
        let exceptions = entries[.noProxy]?.text
        guard let entry = entries[.proxy] else {
            if let exceptions { connection.proxy = .environment(exceptions: exceptions) }
            return
        }
        do {
            connection.proxy = try ProxySettings.written(entry.text, exceptions: exceptions)
        } catch {
            throw problem(entry, "\(error.problem); expected \(entry.setting.expectation)", underlying: error)
        }
    }

    private static func set<Value>(_ target: inout Value, to value: Value?) -> Bool {
        guard let value else { return false }
        target = value
        return true
    }

    private static func set<Value>(_ target: inout Value?, to value: Value?) -> Bool {
        target = value
        return value != nil
    }

    private static func path(_ text: String) -> FilePath? { text.isEmpty ? nil : FilePath(text) }

    private static func number(_ text: String, in range: ClosedRange<Int>) -> Int? {
        Int(text).flatMap { range.contains($0) ? $0 : nil }
    }

    private static func seconds(_ text: String) -> Duration? {
        Double(text).flatMap { (1...86_400).contains($0) ? .seconds($0) : nil }
    }

    /// `1048576`, `1 MiB` or `0.5GiB`.
    private static func bytes(_ text: String) -> UInt64? {
        if let count = UInt64(text) { return count }
        let units: [(String, Double)] = [("KiB", 0x1p10), ("MiB", 0x1p20), ("GiB", 0x1p30), ("TiB", 0x1p40)]
        guard let (unit, size) = units.first(where: { text.hasSuffix($0.0) }),
            let number = Double(text.dropLast(unit.count).filter { $0 != " " }), number >= 0, number < 0x1p20
        else { return nil }
        return UInt64(number * size)
    }
}
