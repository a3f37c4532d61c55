import DurableIO

/// The choice of a proxy between this machine and the servers.
///
/// An HTTP proxy makes a tunnel to a server over TLS (CONNECT, RFC 9110, section 9.3.6). For a plain http server, the
/// engine asks the HTTP proxy for the whole URL. A SOCKS5 proxy (RFC 1928) makes a tunnel to every server, and resolves
/// the names of hosts, whether its scheme is written `socks5` or `socks5h`. Proxies reached over TLS, SOCKS4 proxies,
/// and SOCKS5 with a user name are not supported, and refused as settings.
///
/// ## Topics
///
/// - ``environment``
/// - ``none``
/// - ``server(_:exceptions:)``
public struct ProxySettings: Hashable, Sendable {
    enum Choice: Hashable, Sendable {
        case environment(exceptions: String?)
        case none
        case server(ProxyServer, exceptions: String?)
    }

    let choice: Choice

    /// The proxies that the environment names, read as curl reads them.
    ///
    /// For http this is `http_proxy`, in lower case only, because a CGI program gets `HTTP_PROXY` from its client. For
    /// https it is `https_proxy` or `HTTPS_PROXY`. Without these it is `all_proxy` or `ALL_PROXY`. The variable
    /// `no_proxy` or `NO_PROXY` names the hosts that are reached without a proxy.
    public static let environment = ProxySettings(choice: .environment(exceptions: nil))

    /// No proxy: every server is reached directly, whatever the environment says.
    public static let none = ProxySettings(choice: .none)

    /// Makes settings that use one proxy for all servers.
    ///
    /// - Parameters:
    ///   - url: `http://[USER:PASSWORD@]HOST[:PORT]` or `socks5://HOST[:PORT]`. The default scheme is http, and the
    ///     default port is 1080. The user name and the password are percent-encoded.
    ///   - exceptions: the hosts that are reached directly, separated by commas. A name also stands for all names below
    ///     it, an address may be a network as in `10.0.0.0/8`, and `*` means all hosts. The default, `nil`, takes the
    ///     hosts from `no_proxy` or `NO_PROXY`, as curl does.
    /// - Returns: the settings.
    /// - Throws: ``ConnectionSettingsError`` when the URL is invalid, or names a proxy that is not supported.
    public static func server(
        _ url: String, exceptions: String? = nil
    ) throws(ConnectionSettingsError) -> ProxySettings {
        ProxySettings(choice: .server(try ProxyServer(url, from: "the proxy"), exceptions: exceptions))
    }

    /// As a person writes it: `none`, `environment`, or a URL as for ``server(_:exceptions:)``.
    package static func written(_ text: String) throws(ConnectionSettingsError) -> ProxySettings {
        switch text.lowercased() {
        case "none": .none
        case "environment": .environment
        default: try .server(text)
        }
    }

    /// The same, but for these hosts, which are reached directly; `nil` changes nothing.
    package func excepting(_ hosts: String?) -> ProxySettings {
        guard let hosts else { return self }
        return switch choice {
        case .none: self
        case .environment: ProxySettings(choice: .environment(exceptions: hosts))
        case .server(let server, _): ProxySettings(choice: .server(server, exceptions: hosts))
        }
    }

    private init(choice: Choice) {
        self.choice = choice
    }
}

extension ProxySettings {
    /// As it is written, without credentials.
    package var description: String {
        switch choice {
        case .none: "none"
        case .environment: "environment"
        case .server(let server, _): server.description
        }
    }

    /// By which way an endpoint is reached, and which variable of the environment decides it.
    package enum Choosing: Hashable, Sendable {
        /// No proxy is named for it.
        case direct
        /// It is among the hosts that are reached directly; by a variable, or by a setting.
        case exempt(variable: String?)
        case proxy(ProxyServer, variable: String?)
    }

    package func choose(
        for endpoint: Endpoint, environment value: (String) -> String? = Environment.value
    ) throws(ConnectionSettingsError) -> Choosing {
        func isExempt(_ given: String?) -> Choosing? {
            let found = given.map { (name: String?.none, text: $0) } ?? Self.exceptions(value)
            guard let found, ProxyExceptions(found.text).contain(endpoint.host) else { return nil }
            return .exempt(variable: found.name)
        }
        switch choice {
        case .none: return .direct
        case .server(let server, let exceptions):
            return isExempt(exceptions) ?? .proxy(server, variable: nil)
        case .environment(let exceptions):
            guard let (name, url) = Self.variable(for: endpoint.scheme, value) else { return .direct }
            // Before the URL is looked at: what is reached directly needs no proxy that can be spoken to.
            if let exempt = isExempt(exceptions) { return exempt }
            return .proxy(try ProxyServer(url, from: "$\(name)"), variable: name)
        }
    }

    /// Where the connection for an endpoint goes.
    package func route(
        to endpoint: Endpoint, environment value: (String) -> String? = Environment.value
    ) throws(ConnectionSettingsError) -> Route {
        switch try choose(for: endpoint, environment: value) {
        case .direct, .exempt: .direct
        case .proxy(let server, _): server.route(to: endpoint)
        }
    }

    private static func variable(
        for scheme: String, _ value: (String) -> String?
    ) -> (name: String, url: String)? {
        let names = scheme == "http" ? ["http_proxy"] : ["https_proxy", "HTTPS_PROXY"]
        return firstValue(of: names + ["all_proxy", "ALL_PROXY"], value)
    }

    private static func exceptions(_ value: (String) -> String?) -> (name: String?, text: String)? {
        firstValue(of: ["no_proxy", "NO_PROXY"], value).map { ($0.0, $0.1) }
    }

    /// Empty is as good as not there.
    private static func firstValue(
        of names: [String], _ value: (String) -> String?
    ) -> (String, String)? {
        for name in names {
            if let text = value(name), !text.isEmpty { return (name, text) }
        }
        return nil
    }
}

/// How a connection reaches a server.
package enum Route: Hashable, Sendable {
    case direct
    /// By CONNECT through an HTTP proxy.
    case tunnel(ProxyServer)
    /// An HTTP proxy is asked for the whole URL.
    case forward(ProxyServer)
    case socks(ProxyServer)

    package var proxy: ProxyServer? {
        switch self {
        case .direct: nil
        case .tunnel(let proxy), .forward(let proxy), .socks(let proxy): proxy
        }
    }
}

/// A proxy's address and credentials.
package struct ProxyServer: Hashable, Sendable, CustomStringConvertible {
    package enum Kind: String, Hashable, Sendable {
        case http
        case socks5
    }

    package let kind: Kind
    /// Without brackets.
    package let host: String
    package let port: Int
    /// Decoded, `user:password`.
    package let credentials: String?

    /// What curl takes when there is none.
    private static let defaultPort = 1080

    /// - Parameters:
    ///   - url: as in ``ProxySettings/server(_:exceptions:)``.
    ///   - source: what the error is to be about.
    /// - Throws: why it cannot be spoken to.
    package init(_ url: String, from source: String) throws(ConnectionSettingsError) {
        func problem(_ text: String) -> ConnectionSettingsError { ConnectionSettingsError(source, text) }
        guard url.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7f }) else {
            throw problem("holds a space or a control character")
        }
        let parts = url.splitOnce(at: "://")
        kind = try Self.kind(parts.map { String($0.0) } ?? "http", problem)
        let rest = parts?.1 ?? Substring(url)
        let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        guard !rest[authority.endIndex...].contains("@") else {
            // What is cut off here would be taken for a host's name, and shown.
            throw problem("has a /, ? or # in its credentials: write it as %XX")
        }
        var address = authority
        var user: String?
        if let at = authority.lastIndex(of: "@") {
            user = PercentEncoding.decode(authority[..<at])
            guard user != nil else { throw problem("has credentials that are not percent-encoded UTF-8") }
            address = authority[authority.index(after: at)...]
        }
        guard user == nil || kind == .http else {
            throw problem("has a user name, which cannot be used with SOCKS5: leave it out, or use an HTTP proxy")
        }
        // The colon is part of the scheme's text even without a password (RFC 7617, section 2).
        credentials = user.flatMap { $0.isEmpty ? nil : $0.contains(":") ? $0 : $0 + ":" }
        let endpoint: Endpoint
        do {
            endpoint = try Endpoint("http://\(address)")
        } catch {
            throw problem("\(error): write http://HOST:PORT or socks5://HOST:PORT")
        }
        host = endpoint.host.hasPrefix("[") ? String(endpoint.host.dropFirst().dropLast()) : endpoint.host
        let hasPort = address.lastIndex(of: ":").map { $0 > address.lastIndex(of: "]") ?? address.startIndex } ?? false
        port = hasPort ? endpoint.port : Self.defaultPort
    }

    private static func kind(
        _ scheme: String, _ problem: (String) -> ConnectionSettingsError
    ) throws(ConnectionSettingsError) -> Kind {
        switch scheme.lowercased() {
        case "http": return .http
        case "socks5", "socks5h": return .socks5
        case "https":
            throw problem(
                "is a proxy reached over TLS, which is not supported: write http:// if it also answers without TLS")
        default:
            throw problem("has a scheme other than http and socks5")
        }
    }

    func route(to endpoint: Endpoint) -> Route {
        switch kind {
        case .socks5: .socks(self)
        case .http: endpoint.isSecure ? .tunnel(self) : .forward(self)
        }
    }

    /// The host as it stands in a URL.
    var urlHost: String { host.contains(":") ? "[\(host)]" : host }

    /// Without the credentials.
    package var description: String {
        "\(kind.rawValue)://\(credentials == nil ? "" : "***@")\(urlHost):\(port)"
    }
}

extension String {
    fileprivate func splitOnce(at mark: String) -> (Substring, Substring)? {
        guard let range = ranges(of: mark).first else { return nil }
        return (self[..<range.lowerBound], self[range.upperBound...])
    }
}
