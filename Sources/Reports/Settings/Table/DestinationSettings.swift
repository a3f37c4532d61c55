package import Background

/// One place where reports go, and what was set for it.
package struct DestinationSettings: Sendable {
    /// Also the name of its lane in the ledger.
    package let name: String
    /// What was given for it.
    private(set) var entries: [Setting: SettingEntry] = [:]
    /// All of one source: those of a stronger source stand instead of a weaker one's.
    package var headers: [HeaderSetting] = []
    /// A URL that has been checked; `nil` when none is named.
    var endpoint: String?
    /// `nil` for the usual form of the destination's kind.
    package var encoding: ReportEncoding?
    package var acknowledgement: Acknowledgement?
    package var tls = TLSSettings()
    var proxy = ProxySettings.environment
    /// Hosts that are reached without the proxy; `nil` leaves it to the environment to name them.
    var proxyExceptions: String?

    init(name: String = Lane.main.name) {
        self.name = name
    }

    /// Gives a value of its own its place.
    mutating func apply(_ entry: SettingEntry) throws(ReportsError) {
        var values = SettingValues(destination: self)
        try entry.read(into: &values)
        self = values.destination
        entries[entry.setting] = entry
    }

    /// Where reports go, but for how that place is reached; `nil` when no endpoint is named.
    package var destination: Destination? {
        guard let endpoint else { return nil }
        var destination = Destination(endpoint: endpoint) { [headers] in headers.current }
        destination.encoding = encoding
        destination.acknowledgement = acknowledgement
        return destination
    }

    /// Checks whether the endpoint and what else was set for it go together.
    func check() throws(ReportsError) {
        guard let destination, let entry = entries[.endpoint] else { return }
        let kind = Destination.kind(of: entry.text)
        for header in headers where kind.setsHeader(header.name) { throw header.reserved }
        do {
            _ = try destination.validate()
        } catch {
            throw ReportsError(
                entry.source.errorCode, "\(entry.source.subject): \(error.message)", underlyingError: error)
        }
    }

    /// Where reports go, and how that place is reached; `nil` when no endpoint is named.
    func named(_ sending: SendingSettings) -> NamedDestination? {
        guard var destination else { return nil }
        destination.connection = connection(sending)
        return NamedDestination(name, destination)
    }

    /// The form in which reports are sent unless somebody sets another.
    var usualEncoding: ReportEncoding { endpoint.map { Destination.kind(of: $0).usualEncoding } ?? .gzip }

    /// The proof of receipt that its kind demands by itself, for people; `nil` if it demands none.
    var ownProof: String? { endpoint.flatMap { Destination.kind(of: $0).ownProof } }

    /// How it is reached.
    package func connection(_ sending: SendingSettings) -> ConnectionSettings {
        var connection = ConnectionSettings()
        connection.tls = tls
        connection.proxy = proxy.excepting(proxyExceptions)
        connection.timeouts = sending.timeouts
        return connection
    }

    /// Through which proxy the endpoint is reached, or `direct`, without secrets, and what says so; `nil` when no
    /// endpoint is named.
    package var route: (text: String, source: String)? {
        guard let endpoint = try? destination?.validate() else { return nil }
        let standard = SettingSource.standard.description
        let proxySource = entries[.proxy]?.source.description ?? standard
        do throws(ConnectionSettingsError) {
            switch try proxy.excepting(proxyExceptions).choose(for: endpoint) {
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
}
