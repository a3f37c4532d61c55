public import SystemPackage

/// Whom to trust over TLS, and how to show a server who we are.
///
/// Certificates are always verified, and the server's name with them: there is no switch to turn that off. The files
/// are read when work begins, and again when they have changed, so that a renewed certificate is used without a
/// restart; one that is no use then is passed over, and the earlier one stays.
///
/// ## Topics
///
/// - ``certificateAuthorities``
/// - ``clientCertificate``
/// - ``clientKey``
/// - ``minimumVersion``
public struct TLSSettings: Hashable, Sendable {
    /// Authorities that are trusted besides the system's: one or more certificates in PEM, 4 MiB at most. The default
    /// is `nil`, none.
    public var certificateAuthorities: FilePath?
    /// The certificate to show to servers that ask for one, with those that lead to its authority behind it, in PEM.
    /// The default is `nil`, none.
    public var clientCertificate: FilePath?
    /// The key of ``clientCertificate``, in PEM and without a passphrase. The default, `nil`, looks for it in the
    /// certificate's file.
    public var clientKey: FilePath?
    /// The oldest version that is spoken. The default is ``TLSVersion/v12``; older ones are never (RFC 8996).
    public var minimumVersion = TLSVersion.v12

    /// The defaults.
    public init() {}
}

/// A version of TLS.
public struct TLSVersion: RawRepresentable, Hashable, Sendable {
    /// `1.2` or `1.3`.
    public let rawValue: String

    /// TLS 1.2 (RFC 5246).
    public static let v12 = TLSVersion("1.2")
    /// TLS 1.3 (RFC 8446).
    public static let v13 = TLSVersion("1.3")

    /// The version of that name; `nil` if there is none.
    public init?(rawValue: String) {
        guard ["1.2", "1.3"].contains(rawValue) else { return nil }
        self.rawValue = rawValue
    }

    private init(_ name: String) {
        rawValue = name
    }
}
