/// How servers are reached: whom to trust over TLS, through which proxy, and how long to wait.
///
/// The defaults suit most networks: the system's authorities, TLS 1.2 or newer, and the proxy that the environment
/// names, as curl reads it. Names are resolved to IPv6 and IPv4 addresses, which are tried side by side (RFC 8305).
///
/// ## Topics
///
/// - ``tls``
/// - ``proxy``
/// - ``timeouts``
public struct ConnectionSettings: Hashable, Sendable {
    /// Whom to trust, and how to show who we are.
    public var tls = TLSSettings()
    /// What stands between this machine and servers. The default is ``ProxySettings/environment``.
    public var proxy = ProxySettings.environment
    /// How long to wait for what.
    public var timeouts = ConnectionTimeouts()

    /// The defaults.
    public init() {}
}

/// How long a connection waits before the attempt counts as failed. Each is rounded up to whole seconds, 1 at least.
///
/// A body of up to 256 KiB goes out as one piece. For it ``connect`` and ``answer`` are one sum, and ``idle`` is void.
public struct ConnectionTimeouts: Hashable, Sendable {
    /// For a connection to be made, with TLS and through a proxy, all addresses of the name together. The default is
    /// 5 s.
    public var connect: Duration = .seconds(5)
    /// Without a single byte moving while a body is under way, in either direction. The default is 60 s.
    public var idle: Duration = .seconds(60)
    /// From the last byte sent to the head of the answer. It doubles with each failed attempt of the same transfer, up
    /// to 30 minutes, or to itself if it is longer. The default is 5 minutes.
    public var answer: Duration = .seconds(300)

    /// The defaults.
    public init() {}
}

/// A setting that cannot be used, and why.
public struct ConnectionSettingsError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What it is about: a file, an environment variable or a URL without its password.
    public let subject: String
    /// What is wrong with it, and what is expected.
    public let problem: String

    package init(_ subject: String, _ problem: String) {
        self.subject = subject
        self.problem = problem
    }

    /// Both, in one line.
    public var description: String { "\(subject): \(problem)" }
}

extension Duration {
    /// Rounded up, 1 at least and a year at most.
    var wholeSeconds: Int64 {
        let (seconds, rest) = components
        return min(max(1, rest > 0 && seconds < .max ? seconds + 1 : seconds), 31_536_000)
    }
}
