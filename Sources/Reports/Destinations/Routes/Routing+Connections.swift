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
    /// - Throws: ``ReportsError/Code/badConfiguration`` for a file or a proxy of any destination that cannot be used.
    package static func open(
        for routing: Routing?, ownSettings: ConnectionSettings, maximumConnections: Int = 16, files: any FileSystem
    ) throws(ReportsError) -> NamedConnections {
        // The only destination of a run without routes has no name that a person has given.
        func problem(_ error: ConnectionSettingsError, of name: String?) -> ReportsError {
            let subject = routing?.routes == nil ? "" : name.map { "destination \($0): " } ?? ""
            return ReportsError(.badConfiguration, "\(subject)\(error)", underlyingError: error)
        }
        let named = (routing?.destinations ?? []).map { ($0.name, $0.destination.connection ?? ownSettings) }
        let connections: NamedConnections
        do {
            connections = try open(
                files: files, maximumConnections: maximumConnections, unnamed: ownSettings, named: named)
        } catch {
            throw problem(error.error, of: error.name)
        }
        // A proxy of the environment, too, which may be another one for each endpoint.
        for destination in routing?.destinations ?? [] {
            let settings = destination.destination.connection ?? ownSettings
            let endpoint = try destination.destination.validate()
            do {
                _ = try settings.proxy.route(to: endpoint)
            } catch {
                throw problem(error, of: destination.name)
            }
        }
        return connections
    }
}
