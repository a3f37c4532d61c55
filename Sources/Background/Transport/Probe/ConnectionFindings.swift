/// What a probe of a connection found, step by step. A step that was not reached is `nil`.
package struct ConnectionFindings: Sendable {
    /// One step on the way to a server.
    package struct Step<Finding: Sendable>: Sendable {
        package let result: Result<Finding, ConnectionProblem>
        package let took: Duration
    }

    /// The proxy by which the server is reached, without credentials; `nil` for none.
    package let proxy: String?
    /// Whether the proxy is asked for the whole URL, so that nothing behind it can be probed.
    package let endsAtProxy: Bool
    /// The numeric addresses of the host, or of the proxy, which looks up the host by itself.
    package var resolve: Step<[String]>?
    /// The address that took the connection; with a proxy, the proxy has also connected to the server.
    package var connect: Step<String>?
    /// The handshake of a server over TLS.
    package var tls: Step<Handshake>?
    /// The certificate that the server has shown, accepted or not.
    package var certificate: ServerCertificate?

    init(by route: Route) {
        proxy = route.proxy?.description
        if case .forward = route { endsAtProxy = true } else { endsAtProxy = false }
    }

    /// The findings of a probe that could not begin.
    init(_ problem: ConnectionProblem) {
        (proxy, endsAtProxy) = (nil, false)
        resolve = Step(result: .failure(problem), took: .zero)
    }

    /// Why there is no connection; `nil` when there is one.
    package var problem: ConnectionProblem? {
        resolve?.problem ?? connect?.problem ?? tls?.problem
    }
}

extension ConnectionFindings.Step {
    package var problem: ConnectionProblem? {
        if case .failure(let problem) = result { problem } else { nil }
    }
}

/// A handshake that both sides have accepted.
package struct Handshake: Hashable, Sendable {
    /// The version of TLS: `1.2` or `1.3`.
    package let version: String
    /// Whether the settings name a client certificate, which is shown to a server that asks for one.
    package let hasClientCertificate: Bool
}

/// Why a connection could not be made, in a sentence for people, without anything secret.
package enum ConnectionProblem: Error, Hashable, Sendable {
    /// The network, the proxy or the server did not do their part; the next try may succeed.
    case unreachable(String)
    /// One side does not accept the other's certificate.
    case untrusted(String)
    /// The proxy wants credentials, or other ones.
    case unauthorized(String)
    /// A setting cannot be used.
    case invalidSetting(String)
    /// The task was cancelled.
    case interrupted

    package var text: String {
        switch self {
        case .unreachable(let text), .untrusted(let text), .unauthorized(let text), .invalidSetting(let text): text
        case .interrupted: "interrupted"
        }
    }
}
