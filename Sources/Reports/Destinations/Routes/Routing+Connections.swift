package import Background
package import DurableIO

extension NamedConnections {
    /// The connections of a run, with the settings of each of its destinations.
    /// - Parameters:
    ///   - routing: the destinations; `nil` when only requests of callers are sent.
    ///   - ownSettings: the settings of the run, for requests of callers and destinations without settings of their own.
    ///   - maximumConnections: to one server, with the same settings.
    ///   - files: what certificates and bodies are read with.
    /// - Returns: the connections, which have to be shut down. Nothing is opened before the first request.
    /// - Throws: ``ReportsError/Code/badConfiguration`` for a file or a proxy that cannot be used, if that is so for all
    ///   destinations. Otherwise only the reports of such a destination wait (``problems``).
    package static func open(
        for routing: Routing?, ownSettings: ConnectionSettings, maximumConnections: Int = 16, files: any FileSystem
    ) throws(ReportsError) -> NamedConnections {
        let destinations = routing?.destinations ?? []
        // A proxy of the environment, too, which may be another one for each endpoint.
        var broken: [String: ConnectionSettingsError] = [:]
        for destination in destinations {
            let settings = destination.destination.connection ?? ownSettings
            let endpoint = try destination.destination.validate()
            do {
                _ = try settings.proxy.route(to: endpoint)
            } catch {
                broken[destination.name] = error
            }
        }
        do {
            return try open(
                files: files, maximumConnections: maximumConnections, unnamed: ownSettings,
                named: destinations.map { ($0.name, $0.destination.connection ?? ownSettings) }, broken: broken)
        } catch {
            // The only destination of a run without routes has no name that a person has given.
            let subject = routing?.routes == nil ? "" : error.name.map { "destination \($0): " } ?? ""
            throw ReportsError(.badConfiguration, "\(subject)\(error.error)", underlyingError: error.error)
        }
    }
}
