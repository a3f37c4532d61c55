package import DurableIO

/// The transport of a run whose destinations have connection settings of their own.
///
/// A request uses the settings that it names. Destinations with equal settings share connections. Destinations with
/// different settings share nothing but the event-loop thread: a client certificate is shown to no server for which it
/// is not meant, and what was learned of a server's connections in one way is not believed of another.
package final class NamedConnections: Transport {
    private typealias Opened = Result<HTTPTransport, ConnectionSettingsError>

    private let thread: LoopThread
    private let unnamed: Opened
    private let named: [String: Opened]
    /// Sends requests to services beside the destinations, for example to those that give credentials: without a proxy,
    /// with time-outs of 2 s, and without following redirects. It uses the same thread, and opens nothing before its
    /// first request. It needs no shutdown of its own.
    package let side: any Transport

    /// A transport that has read the files of all settings. It starts its thread with the first request.
    ///
    /// Settings that cannot be used keep no other request from being sent: their own are answered with what is wrong.
    /// - Parameters:
    ///   - files: what bodies and certificates are read with.
    ///   - maximumConnections: to one server, with the same settings. The default is 16.
    ///   - unnamed: the settings for requests that name none.
    ///   - named: the settings by name.
    ///   - broken: what is known to be wrong with some of them already. The default is nothing.
    /// - Returns: the transport, which has to be shut down.
    /// - Throws: what is wrong with a file, and the name under which it is used, if no settings at all can be used;
    ///   `nil` is the name of `unnamed`.
    package static func open(
        files: any FileSystem, maximumConnections: Int = 16, unnamed: ConnectionSettings,
        named: [(name: String, settings: ConnectionSettings)], broken: [String: ConnectionSettingsError] = [:]
    ) throws(NamedConnectionError) -> NamedConnections {
        let thread = LoopThread()
        var opened: [ConnectionSettings: Opened] = [:]
        func transport(_ settings: ConnectionSettings) -> Opened {
            if let transport = opened[settings] { return transport }
            let transport = Opened { () throws(ConnectionSettingsError) in
                try HTTPTransport.open(
                    files: files, maximumConnections: maximumConnections, settings: settings, thread: thread)
            }
            opened[settings] = transport
            return transport
        }
        let first = transport(unnamed)
        var others: [String: Opened] = [:]
        for (name, settings) in named {
            others[name] = broken[name].map { .failure($0) } ?? transport(settings)
        }
        let side = try SideTransport.open(files: files, thread: thread)
        let connections = NamedConnections(thread, first, others, side: side)
        // Without a name, it is a setting of the run itself.
        let isUseless = named.isEmpty || connections.problems.count == others.count
        if isUseless, let error = first.problem { throw NamedConnectionError(name: nil, error: error) }
        if isUseless, let (name, _) = named.first, let error = others[name]?.problem {
            throw NamedConnectionError(name: name, error: error)
        }
        return connections
    }

    private init(_ thread: LoopThread, _ unnamed: Opened, _ named: [String: Opened], side: any Transport) {
        self.thread = thread
        self.unnamed = unnamed
        self.named = named
        self.side = side
    }

    /// What is wrong with settings that cannot be used, by their names.
    package var problems: [String: ConnectionSettingsError] { named.compactMapValues(\.problem) }

    package func send(_ request: TransferRequest) async -> TransportResult {
        // Never over other settings: their certificate and proxy are meant for other servers.
        guard let opened = request.connection.map({ named[$0] }) ?? unnamed else {
            return .noAnswer(.localTrouble(Self.missingText(request.connection ?? "")))
        }
        switch opened {
        case .success(let transport): return await transport.send(request)
        case .failure(let problem): return .noAnswer(.unprepared("\(problem)"))
        }
    }

    /// Makes a connection with the settings of that name, and tells of each step. Sends no request.
    package func probe(_ endpoint: Endpoint, by name: String) async -> ConnectionFindings {
        switch named[name] {
        case .success(let transport): await transport.probe(endpoint)
        case .failure(let problem): ConnectionFindings(.invalidSetting("\(problem)"))
        case nil: ConnectionFindings(.invalidSetting(Self.missingText(name)))
        }
    }

    private static func missingText(_ name: String) -> String {
        "there are no connection settings for the destination \(name)"
    }

    package func shutdown() async {
        await thread.shutdown()
    }
}

extension Result where Failure == ConnectionSettingsError {
    fileprivate var problem: ConnectionSettingsError? {
        if case .failure(let error) = self { error } else { nil }
    }
}

/// An error about connection settings, with the name of those that cannot be used.
package struct NamedConnectionError: Error {
    /// `nil` for the settings without a name.
    package let name: String?
    package let error: ConnectionSettingsError
}

/// A transport for services beside the destinations: near by, quick to answer, and reached without a proxy.
///
/// It follows no redirect: such a service gives credentials, and a redirect could name any server.
private struct SideTransport: Transport {
    private let transport: HTTPTransport

    static func open(files: any FileSystem, thread: LoopThread) throws(NamedConnectionError) -> SideTransport {
        var settings = ConnectionSettings()
        settings.proxy = .none
        settings.timeouts.connect = .seconds(2)
        settings.timeouts.idle = .seconds(2)
        settings.timeouts.answer = .seconds(2)
        do {
            return SideTransport(
                transport: try HTTPTransport.open(
                    files: files, maximumConnections: 2, settings: settings, thread: thread))
        } catch {
            throw NamedConnectionError(name: nil, error: error)
        }
    }

    func send(_ request: TransferRequest) async -> TransportResult {
        var request = request
        request.followsRedirects = false
        return await transport.send(request)
    }

    func shutdown() async {}
}
