import Background
package import DurableIO

/// What an owner sends with: the transport for its destinations, and one for services beside them.
struct OwnerTransports: Sendable {
    let reports: any Transport
    /// For ``AttemptContext/side``. The shutdown of ``reports`` ends it, too.
    let side: any Transport
    /// What keeps single destinations from being reached, as sentences for people.
    var problems: [String] = []

    /// The transports for an owner's settings. Nothing is connected before the first request.
    /// - Throws: ``ReportsError/Code/badConfiguration`` for files or proxies that cannot be used, if no destination
    ///   can be reached.
    static func open(
        _ configuration: SpoolOwner.Configuration, files: any FileSystem
    ) throws(ReportsError) -> OwnerTransports {
        if let transport = configuration.transport {
            return OwnerTransports(reports: transport, side: configuration.side ?? IdleTransport())
        }
        guard configuration.sends else { return OwnerTransports(reports: IdleTransport(), side: IdleTransport()) }
        let connections = try NamedConnections.open(
            for: configuration.routing, ownSettings: configuration.connection,
            maximumConnections: configuration.maximumConcurrent, files: files)
        let problems = connections.problems.sorted { $0.key < $1.key }.map { name, problem in
            "the destination \(name): \(problem); its reports wait"
        }
        return OwnerTransports(reports: connections, side: connections.side, problems: problems)
    }
}

extension SpoolOwner.Configuration {
    /// Reads the files that an owner with these settings needs for its connections, as each owner does when it begins.
    /// Connects nothing.
    /// - Throws: ``ReportsError/Code/badConfiguration`` for files or proxies that cannot be used, if no destination can
    ///   be reached.
    package func checkConnections(files: any FileSystem = POSIXFileSystem()) throws(ReportsError) {
        _ = try OwnerTransports.open(self, files: files)
    }
}
