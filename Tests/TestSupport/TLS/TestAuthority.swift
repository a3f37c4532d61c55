import Crypto
package import Foundation
import SwiftASN1
import X509

/// A certificate authority of a test's own, which signs whatever it is asked to.
package struct TestAuthority: Sendable {
    private let key: Certificate.PrivateKey
    private let name: DistinguishedName
    private let certificate: Certificate

    /// A certificate with its key, both in PEM.
    package struct Identity: Sendable {
        package let certificate: String
        package let key: String
    }

    /// Whom a certificate is for, and when.
    package struct Claim: Sendable {
        /// Names and addresses of hosts. The default is this machine's own: `localhost` and 127.0.0.1.
        package var hosts: [String] = ["localhost"]
        package var addresses: [[UInt8]] = [[127, 0, 0, 1]]
        /// Seconds from now.
        package var validFrom: TimeInterval = -86_400
        package var validUntil: TimeInterval = 86_400

        package init() {}
    }

    /// Makes a key and a certificate for it that it has signed itself.
    package init() throws {
        let pair = P256.Signing.PrivateKey()
        key = Certificate.PrivateKey(pair)
        name = try DistinguishedName { CommonName("A test's authority") }
        let now = Date()
        certificate = try Certificate(
            version: .v3, serialNumber: Certificate.SerialNumber(), publicKey: key.publicKey,
            notValidBefore: now - 86_400, notValidAfter: now + 86_400, issuer: name, subject: name,
            extensions: Certificate.Extensions {
                Critical(BasicConstraints.isCertificateAuthority(maxPathLength: nil))
                Critical(KeyUsage(keyCertSign: true))
            }, issuerPrivateKey: key)
    }

    /// Its own certificate, for those who are to trust it, in PEM.
    package var pem: String {
        get throws { try certificate.serializeAsPEM().pemString }
    }

    /// A certificate for a server, signed by this authority.
    package func identity(_ claim: Claim = Claim()) throws -> Identity {
        let pair = P256.Signing.PrivateKey()
        return try Self.identity(claim, pair, issuer: name, issuerKey: key)
    }

    /// A certificate for a server, signed by nobody but itself.
    package static func selfSigned(_ claim: Claim = Claim()) throws -> Identity {
        let pair = P256.Signing.PrivateKey()
        let name = try DistinguishedName { CommonName("A server") }
        return try identity(claim, pair, issuer: name, issuerKey: Certificate.PrivateKey(pair))
    }

    private static func identity(
        _ claim: Claim, _ pair: P256.Signing.PrivateKey, issuer: DistinguishedName, issuerKey: Certificate.PrivateKey
    ) throws -> Identity {
        let names =
            claim.hosts.map { GeneralName.dnsName($0) }
            + claim.addresses.map { .ipAddress(ASN1OctetString(contentBytes: $0[...])) }
        let now = Date()
        let certificate = try Certificate(
            version: .v3, serialNumber: Certificate.SerialNumber(),
            publicKey: Certificate.PrivateKey(pair).publicKey,
            notValidBefore: now + claim.validFrom, notValidAfter: now + claim.validUntil, issuer: issuer,
            subject: try DistinguishedName { CommonName("A server") },
            extensions: Certificate.Extensions {
                Critical(BasicConstraints.notCertificateAuthority)
                SubjectAlternativeNames(names)
            }, issuerPrivateKey: issuerKey)
        return Identity(certificate: try certificate.serializeAsPEM().pemString, key: pair.pemRepresentation)
    }
}
