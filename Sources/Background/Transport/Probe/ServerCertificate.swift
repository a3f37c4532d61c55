import NIOCore
import NIOSSL

/// The facts of a server's certificate that people look for.
package struct ServerCertificate: Hashable, Sendable {
    /// The hosts and addresses that it is for, at most 100.
    package let names: [String]
    /// Who has signed it: the common name, else the organization; `nil` when the certificate names neither.
    package let issuer: String?
    /// When it expires, in milliseconds since 1970.
    package let notAfter: Int64

    private static let maximumNameCount = 100

    init(_ certificate: NIOSSLCertificate) {
        var names: [String] = []
        for name in certificate._subjectAlternativeNames() where names.count < Self.maximumNameCount {
            switch name.nameType {
            case .dnsName: names.append(String(decoding: name.contents, as: UTF8.self))
            case .ipAddress:
                let address = try? SocketAddress(packedIPAddress: ByteBuffer(bytes: name.contents), port: 0)
                if let text = address?.ipAddress { names.append(text) }
            default: continue
            }
        }
        let parties = (try? certificate.toDERBytes()).flatMap(CertificateParties.init)
        self.names = names.isEmpty ? [parties?.subject].compactMap(\.self) : names
        issuer = parties?.issuer
        notAfter = Int64(certificate.notValidAfter) * 1_000
    }
}

/// The names of issuer and subject in a certificate (RFC 5280, section 4.1), which the library under TLS keeps to
/// itself.
struct CertificateParties {
    let issuer: String?
    let subject: String?

    private static let sequence: UInt8 = 0x30
    private static let version: UInt8 = 0xa0
    private static let identifier: UInt8 = 0x06
    /// The attributes by which a party is named here, the more telling one first: common name, organization, unit.
    private static let attributes: [[UInt8]] = [[0x55, 4, 3], [0x55, 4, 10], [0x55, 4, 11]]

    /// - Parameter bytes: a certificate in DER; anything else gives `nil` or parties without names.
    init?(_ bytes: [UInt8]) {
        var outer = DERReader(bytes[...])
        guard var certificate = outer.next(Self.sequence).map(DERReader.init),
            var body = certificate.next(Self.sequence).map(DERReader.init)
        else { return nil }
        _ = body.next(Self.version)
        // The serial number and the algorithm, then the issuer; the validity, then the subject.
        guard body.next() != nil, body.next() != nil, let issuer = body.next(Self.sequence), body.next() != nil,
            let subject = body.next(Self.sequence)
        else { return nil }
        self.issuer = Self.name(issuer)
        self.subject = Self.name(subject)
    }

    private static func name(_ bytes: ArraySlice<UInt8>) -> String? {
        var found: [[UInt8]: String] = [:]
        var sets = DERReader(bytes)
        while let set = sets.next() {
            var pairs = DERReader(set.content)
            while let pair = pairs.next() {
                var pair = DERReader(pair.content)
                guard let attribute = pair.next(identifier), let value = pair.next() else { continue }
                found[Array(attribute)] = String(decoding: value.content, as: UTF8.self)
            }
        }
        return attributes.lazy.compactMap { found[$0] }.first { !$0.isEmpty }
    }
}

/// Reads the values of a piece of DER (X.690) one after the other, and stops at the first that is none.
struct DERReader {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) {
        rest = bytes
    }

    /// The next value; `nil` at the end, and where the bytes are no DER.
    mutating func next() -> (tag: UInt8, content: ArraySlice<UInt8>)? {
        guard rest.count >= 2 else { return nil }
        let tag = rest[rest.startIndex]
        var position = rest.startIndex + 1
        var length = Int(rest[position])
        position += 1
        if length >= 0x80 {
            let byteCount = length & 0x7f
            guard (1...4).contains(byteCount), rest.endIndex - position >= byteCount else { return nil }
            length = rest[position..<position + byteCount].reduce(0) { $0 << 8 | Int($1) }
            position += byteCount
        }
        guard rest.endIndex - position >= length else { return nil }
        defer { rest = rest[(position + length)...] }
        return (tag, rest[position..<position + length])
    }

    /// The content of the next value if it has this tag; else nothing is read.
    mutating func next(_ tag: UInt8) -> ArraySlice<UInt8>? {
        guard rest.first == tag else { return nil }
        return next()?.content
    }
}
