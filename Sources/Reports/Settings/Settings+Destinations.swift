package import Background

/// Where reports go.
extension Settings {
    /// What the settings come to for a run: one destination, or several with routes between them; `nil` when no
    /// endpoint is named.
    package func routing() throws(ReportsError) -> Routing? {
        var named: [NamedDestination] = []
        for destination in destinations {
            guard let destination = destination.named(sending) else { return nil }
            named.append(destination)
        }
        guard let routes else { return named.first.map { Routing($0.destination) } }
        return try Routing(named, routes: routes.map(\.route))
    }

    /// How a server is reached that no destination names: that of a report with a request of its own.
    package var connection: ConnectionSettings { common.connection(sending) }

    /// Whether somebody names a place where reports go.
    package var hasEndpoint: Bool { main.endpoint != nil }

    /// The names of the destinations, in their order; `nil` if nobody names a place where reports go, so that only a
    /// program says it.
    package var destinationNames: [String]? { hasEndpoint ? destinations.map(\.name) : nil }

    /// Brings together what the caller and the files say of destinations, and checks it. The endpoint of the caller
    /// stands instead of all that files say of it.
    mutating func useDestinations(_ sources: Sources, _ layers: SettingsLayers) throws(ReportsError) {
        try gatherDestinations(sources, layers)
        for destination in destinations { try destination.check() }
    }

    private mutating func gatherDestinations(_ sources: Sources, _ layers: SettingsLayers) throws(ReportsError) {
        let own = try Self.headers(sources)
        let headers = own ?? layers.headers
        if own == nil, let withheld = layers.withheld {
            withheldHeaders = ["the headers of \(withheld.headersOf) are not sent, because \(withheld.because)"]
        }
        guard common.endpoint == nil, let routing = try layers.routing?.get() else {
            destinations = [common]
            destinations[0].headers = try headers?.values.get() ?? []
            return
        }
        destinations = []
        for given in routing.destinations {
            var destination = DestinationSettings(name: given.name)
            for setting in Setting.allCases where setting.scope == .destination {
                let entry = sources.entry(setting) ?? given.entries[setting] ?? common.entries[setting]
                if let entry { try destination.apply(entry) }
            }
            destination.headers = sendable(given, layers)
            destinations.append(destination)
        }
        routes = routing.routes
        guard let headers else { return }
        guard destinations.count == 1 else {
            let names = destinations.map(\.name).joined(separator: ", ")
            throw ReportsError(
                headers.source.errorCode,
                "\(headers.source.subject): there are several destinations (\(names)), and a header may be a secret "
                    + "that not all of them are to see: write it into the destination that it is for")
        }
        destinations[0].headers = try headers.values.get()
        withheldHeaders = []
    }

    /// The headers that the caller gives by options, else by the variable; `nil` if there are none.
    private static func headers(_ sources: Sources) throws(ReportsError) -> GivenHeaders? {
        if let first = sources.headers.first {
            return GivenHeaders(source: first.source, values: .success(sources.headers))
        }
        let name = "REPORTS_HEADERS"
        guard let lines = sources.value(ofVariable: name) else { return nil }
        let headers = try HeaderSetting.lines(Array(lines.utf8), from: .variable(name))
        return GivenHeaders(source: .variable(name), values: .success(headers))
    }

    /// The headers of a destination, unless the file of somebody else decides who can read them.
    private mutating func sendable(_ given: GivenDestination, _ layers: SettingsLayers) -> [HeaderSetting] {
        let leading = layers.leadingOverRouting.first { given.entries[$0.setting] == nil }
        guard let leading, let source = given.headers.first?.source else { return given.headers }
        withheldHeaders.append(
            "the headers of the destination \(given.name) of \(source.description) are not sent, because "
                + leading.description)
        return []
    }
}
