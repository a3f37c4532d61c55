import Background
import DurableIO

/// A transport for owners that never send, so that a `retry` or `remove` starts no event loop.
struct IdleTransport: Transport {
    static func unlessSending(
        _ configuration: SpoolOwner.Configuration, files: any FileSystem
    ) throws(ReportsError) -> any Transport {
        guard configuration.sends else { return IdleTransport() }
        do {
            // An unusable proxy in the environment is reported before any transfer waits for it.
            for named in configuration.routing?.destinations ?? [] {
                let connection = named.destination.connection ?? configuration.connection
                _ = try connection.proxy.route(to: named.destination.validate())
            }
            return try HTTPTransport.open(
                files: files, maximumConnections: configuration.maximumConcurrent, settings: configuration.connection)
        } catch let error as ConnectionSettingsError {
            throw ReportsError(.badConfiguration, "\(error)", underlyingError: error)
        } catch let error as ReportsError {
            throw error
        } catch {
            throw ReportsError(.badConfiguration, "\(error)", underlyingError: error)
        }
    }

    func send(_ request: TransferRequest) async -> TransportResult { .noAnswer(.interrupted) }
    func shutdown() async {}
}
