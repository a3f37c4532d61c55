/// The settings for connections to servers: TLS, proxies and timeouts.
///
/// The defaults suit most networks: the certificate authorities of the system, TLS 1.2 or newer, and the proxy that the
/// environment names, read as curl reads it. A host's IPv6 and IPv4 addresses are tried side by side (RFC 8305).
///
/// ## Topics
///
/// - ``tls``
/// - ``proxy``
/// - ``timeouts``
public struct ConnectionSettings: Hashable, Sendable {
    /// The certificate authorities to trust, and the client certificate to show.
    public var tls = TLSSettings()
    /// The proxy between this machine and the servers. The default is ``ProxySettings/environment``.
    public var proxy = ProxySettings.environment
    /// The time limits for connecting, sending and waiting for an answer.
    public var timeouts = ConnectionTimeouts()

    /// Makes settings with the default values.
    public init() {}
}

/// Time limits for one attempt. An attempt that exceeds one of them counts as failed.
///
/// Each limit is rounded up to whole seconds, at least 1. A body of up to 256 KiB is sent in one piece. For such a body
/// ``connect`` and ``answer`` are added to one limit, and ``idle`` is not used.
public struct ConnectionTimeouts: Hashable, Sendable {
    /// The time to make a connection, including TLS, the proxy and all addresses of the host. The default is 5 s.
    public var connect: Duration = .seconds(5)
    /// The time without a single byte in either direction while a body is being sent or received. The default is 60 s.
    public var idle: Duration = .seconds(60)
    /// The time from the last byte sent to the head of the answer. The default is 5 minutes.
    ///
    /// The limit doubles with each earlier attempt of the same transfer, up to 30 minutes. A limit that is set to more
    /// than 30 minutes stays as it is.
    public var answer: Duration = .seconds(300)

    /// Makes timeouts with the default values.
    public init() {}
}

/// An error about a connection setting that cannot be used.
public struct ConnectionSettingsError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The faulty setting: a file, an environment variable, or a URL without its password.
    public let subject: String
    /// The fault, and the value that is expected.
    public let problem: String

    package init(_ subject: String, _ problem: String) {
        self.subject = subject
        self.problem = problem
    }

    /// The subject and the problem, in one line.
    public var description: String { "\(subject): \(problem)" }
}

extension Duration {
    /// The duration in whole seconds, rounded up, at least 1 and at most a year.
    var wholeSeconds: Int64 {
        let (seconds, rest) = components
        return min(max(1, rest > 0 && seconds < .max ? seconds + 1 : seconds), 31_536_000)
    }
}
