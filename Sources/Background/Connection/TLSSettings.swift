public import SystemPackage

/// The settings of TLS: the certificate authorities to trust, the client certificate, and the oldest version.
///
/// The engine always verifies a server's certificate and the server's name in it. There is no switch to turn that off.
/// The engine reads the files when work begins, and again when they have changed, so a renewed certificate is used
/// without a restart. When a changed file cannot be used, the engine goes on with the earlier one.
///
/// ## Topics
///
/// - ``certificateAuthorities``
/// - ``clientCertificate``
/// - ``clientKey``
/// - ``minimumVersion``
public struct TLSSettings: Hashable, Sendable {
    /// A file of certificate authorities to be trusted besides the system's: one or more certificates in PEM, at most 4
    /// MiB. The default, `nil`, means none.
    public var certificateAuthorities: FilePath?
    /// A PEM file with the client certificate, for servers that ask for one, followed by the certificates that lead to
    /// its authority. The default, `nil`, means none.
    public var clientCertificate: FilePath?
    /// A PEM file with the key of ``clientCertificate``, without a passphrase. The default, `nil`, looks for the key in
    /// the file of the certificate.
    public var clientKey: FilePath?
    /// The oldest version of TLS to be used. The default is ``TLSVersion/v12``. Older versions are never used
    /// (RFC 8996).
    public var minimumVersion = TLSVersion.v12

    /// Makes settings with the default values.
    public init() {}
}

/// A version of TLS.
public struct TLSVersion: RawRepresentable, Hashable, Sendable {
    /// The version as text: `1.2` or `1.3`.
    public let rawValue: String

    /// TLS 1.2 (RFC 5246).
    public static let v12 = TLSVersion("1.2")
    /// TLS 1.3 (RFC 8446).
    public static let v13 = TLSVersion("1.3")

    /// Makes the version of that name; `nil` when there is no such version.
    public init?(rawValue: String) {
        guard ["1.2", "1.3"].contains(rawValue) else { return nil }
        self.rawValue = rawValue
    }

    private init(_ name: String) {
        rawValue = name
    }
}
