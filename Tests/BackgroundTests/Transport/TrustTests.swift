import Background
import DurableIO
import Foundation
import SystemPackage
import TestSupport
import Testing

/// Certificates that are not to be trusted: nothing is sent to whoever shows one, and the outcome says why.
@Suite("Trust", .timeLimit(.minutes(10)))
struct TrustTests {
    /// A server's certificate, and what is wrong with it.
    enum Flaw: String, CaseIterable, Sendable {
        case expired, notYetValid, otherHost, selfSigned, otherAuthority

        func identity(_ authority: TestAuthority) throws -> TestAuthority.Identity {
            var claim = TestAuthority.Claim()
            switch self {
            case .expired:
                claim.validFrom = -7 * 86_400
                claim.validUntil = -3_600
            case .notYetValid: claim.validFrom = 3_600
            case .otherHost:
                claim.hosts = ["elsewhere.example"]
                claim.addresses = [[127, 0, 0, 2]]
            case .selfSigned: return try TestAuthority.selfSigned()
            case .otherAuthority: return try TestAuthority().identity()
            }
            return try authority.identity(claim)
        }

        /// The library under TLS tells a wrong host from the rest, and nothing else.
        var reason: String {
            self == .otherHost
                ? "the server's certificate is for another host"
                : "the server's certificate is not accepted: it has expired, is not valid yet, or no authority that is "
                    + "trusted here has signed it"
        }
    }

    private static let hosts = ["127.0.0.1", "localhost"]
    private static let sizes = [5, 400 << 10]

    /// Beyond the time-outs of the test's transport, on a machine that is busy.
    private static let bound: Duration = .seconds(20)

    private func withAuthority(
        _ body: (_ authority: TestAuthority, _ settings: TLSSettings) async throws -> Void
    ) async throws {
        try await withTemporaryDirectory { path in
            let authority = try TestAuthority()
            let file = path + "/roots.pem"
            try authority.pem.write(toFile: file, atomically: true, encoding: .utf8)
            var settings = TLSSettings()
            settings.certificateAuthorities = FilePath(file)
            try await body(authority, settings)
        }
    }

    @Test("a certificate of an authority that is trusted is accepted", arguments: hosts, sizes)
    func accepted(host: String, byteCount: Int) async throws {
        try await withAuthority { authority, settings in
            try await withTransport(tls: settings) { fixture in
                try await withTLSServer(authority.identity(), .always(.response(201))) { front, server in
                    let outcome = await fixture.send(front.url(host: host), byteCount: byteCount)
                    #expect(outcome.answer?.status == 201, "\(outcome)")
                    #expect(server.requests.map(\.body) == [TransportFixture.bytes(byteCount)])
                    #expect(front.byteCount > byteCount)
                }
            }
        }
    }

    @Test("nothing is sent to whoever shows another, and the reason is told", arguments: Flaw.allCases, hosts)
    func refused(flaw: Flaw, host: String) async throws {
        try await withAuthority { authority, settings in
            try await withTransport(tls: settings) { fixture in
                try await withTLSServer(flaw.identity(authority), .always(.response(201))) { front, server in
                    for byteCount in Self.sizes {
                        var request = try fixture.request(front.url(host: host), byteCount: byteCount)
                        request.fields[.authorization] = "Bearer secret"
                        let start = ContinuousClock.now
                        let outcome = await fixture.transport.send(request)
                        #expect(ContinuousClock.now - start < Self.bound)
                        #expect(outcome.distrust == flaw.reason, "\(outcome)")
                    }
                    // It had its chance, each time.
                    #expect(front.connectionCount >= 2)
                    #expect(front.byteCount == 0)
                    #expect(server.connectionCount == 0)
                }
            }
        }
    }

    @Test("an authority is trusted only where the settings name it")
    func withoutSettings() async throws {
        try await withAuthority { authority, _ in
            try await withTransport { fixture in
                try await withTLSServer(authority.identity(), .always(.response(201))) { front, server in
                    let outcome = await fixture.send(front.url())
                    #expect(outcome.distrust == Flaw.selfSigned.reason, "\(outcome)")
                    #expect(front.byteCount == 0)
                    #expect(server.connectionCount == 0)
                }
            }
        }
    }

    @Test("TLS before 1.2 is a failure, not a question of trust")
    func outdated() async throws {
        try await withAuthority { authority, settings in
            try await withTransport(tls: settings) { fixture in
                let identity = try authority.identity()
                try await withTLSServer(identity, .always(.response(201)), newest: .tlsv11) { front, server in
                    let failure = try #require(await fixture.send(front.url()).failure)
                    #expect(failure.description == "the TLS handshake failed: no version in common")
                    #expect(front.byteCount == 0)
                    #expect(server.connectionCount == 0)
                }
            }
        }
    }

    @Test(
        "a file that is no use is told of before anything is sent",
        arguments: [nil, "", "no certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
    func settings(text: String?) throws {
        try withTemporaryDirectory { path in
            let file = path + "/roots.pem"
            try text?.write(toFile: file, atomically: true, encoding: .utf8)
            var settings = ConnectionSettings()
            settings.tls.certificateAuthorities = FilePath(file)
            let error = #expect(throws: ConnectionSettingsError.self) {
                try HTTPTransport.open(files: POSIXFileSystem(), settings: settings)
            }
            #expect(error?.subject == file)
            let problem = text == nil ? "cannot be read: No such file or directory" : "holds no certificates in PEM"
            #expect(error?.problem == problem)
        }
    }
}

extension TransportResult {
    /// Why the server was not trusted.
    var distrust: String? {
        if case .noAnswer(.untrusted(let reason)) = self { reason } else { nil }
    }
}
