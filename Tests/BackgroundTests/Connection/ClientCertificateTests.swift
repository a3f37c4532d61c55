import Background
import DurableIO
import Foundation
import HTTPTypes
import SystemPackage
import TestSupport
import Testing

/// Servers that want to know who we are, and files that are no use for it.
@Suite("Client certificates", .timeLimit(.minutes(10)))
struct ClientCertificateTests {
    /// Files of one authority: for the server's trust and for our own identity.
    private struct Files {
        let directory: String
        let authority: TestAuthority
        var settings = TLSSettings()

        init(_ directory: String) throws {
            self.directory = directory
            authority = try TestAuthority()
            try write("roots.pem", authority.pem)
            settings.certificateAuthorities = FilePath(directory + "/roots.pem")
        }

        func write(_ name: String, _ text: String) throws {
            try text.write(toFile: directory + "/" + name, atomically: true, encoding: .utf8)
        }

        /// Lays down a certificate with its key and names both in the settings.
        mutating func identify(by identity: TestAuthority.Identity) throws {
            try write("client.pem", identity.certificate)
            try write("client.key", identity.key)
            settings.clientCertificate = FilePath(directory + "/client.pem")
            settings.clientKey = FilePath(directory + "/client.key")
        }
    }

    @Test(
        "nginx that demands a certificate gets it", .enabled(if: PeerProcess.find("nginx") != nil, "needs nginx"),
        arguments: [5, 400 << 10])
    func nginx(byteCount: Int) async throws {
        try await withTemporaryDirectory { path in
            var files = try Files(path)
            try files.identify(by: files.authority.identity())
            let pem = try files.authority.pem
            try await withNginx(files.authority.identity(), clients: pem) { nginx in
                try await withTransport(tls: files.settings) { fixture in
                    let outcome = await fixture.send("https://127.0.0.1:\(nginx.port)/one", byteCount: byteCount)
                    #expect(outcome.answer?.status == 201, "\(outcome)")
                }
                let stored = try Data(contentsOf: URL(fileURLWithPath: nginx.directory + "/stored/one"))
                let isWhole = Array(stored) == TransportFixture.bytes(byteCount)
                #expect(isWhole)
            }
        }
    }

    @Test(
        "nginx answers 400 to whoever has none, or one of another authority's, and that says nothing about the transfer",
        .enabled(if: PeerProcess.find("nginx") != nil, "needs nginx"))
    func nginxRefusal() async throws {
        try await withTemporaryDirectory { path in
            var files = try Files(path)
            let pem = try files.authority.pem
            try await withNginx(files.authority.identity(), clients: pem) { nginx in
                let url = "https://127.0.0.1:\(nginx.port)/one"
                try await withTransport(tls: files.settings) { fixture in
                    let answer = try #require(await fixture.send(url).answer)
                    #expect(answer.status == 400)
                    #expect(complaint(of: answer) == .missingCertificate)
                }
                try files.identify(by: TestAuthority().identity())
                try await withTransport(tls: files.settings) { fixture in
                    let answer = try #require(await fixture.send(url).answer)
                    #expect(complaint(of: answer) == .refusedCertificate)
                }
                try await withTransport { fixture in
                    let answer = try #require(await fixture.send("http://127.0.0.1:\(nginx.port)/one").answer)
                    #expect(complaint(of: answer) == .notOverTLS)
                }
            }
        }
    }

    @Test("a server that breaks the handshake off over it is a matter of trust", arguments: [5, 400 << 10])
    func alerts(byteCount: Int) async throws {
        try await withTemporaryDirectory { path in
            var files = try Files(path)
            let (pem, identity) = (try files.authority.pem, try files.authority.identity())
            try await withTLSServer(identity, .always(.response(201)), clients: pem) { front, server in
                try await withTransport(tls: files.settings) { fixture in
                    let outcome = await fixture.send(front.url(), byteCount: byteCount)
                    #expect(outcome.distrust == "the server demands a client certificate", "\(outcome)")
                }
                try files.identify(by: TestAuthority().identity())
                try await withTransport(tls: files.settings) { fixture in
                    let outcome = await fixture.send(front.url(), byteCount: byteCount)
                    #expect(outcome.distrust == "the server does not accept the client certificate", "\(outcome)")
                }
                #expect(server.connectionCount == 0)
            }
        }
    }

    @Test("a renewed certificate is used at the next connection, and one that is half written is not")
    func renewal() async throws {
        try await withTemporaryDirectory { path in
            var files = try Files(path)
            try files.identify(by: TestAuthority().identity())
            let (pem, identity) = (try files.authority.pem, try files.authority.identity())
            try await withTLSServer(identity, .always(.response(201)), clients: pem) { front, _ in
                try await withTransport(tls: files.settings) { fixture in
                    #expect(await fixture.send(front.url()).distrust != nil)
                    try files.identify(by: files.authority.identity())
                    #expect(await fixture.send(front.url()).answer?.status == 201)
                    try files.write("client.pem", "half")
                    #expect(await fixture.send(front.url()).answer?.status == 201)
                    try FileManager.default.removeItem(atPath: path + "/client.key")
                    #expect(await fixture.send(front.url()).answer?.status == 201)
                }
            }
        }
    }

    @Test("the oldest version that is spoken is the settings'")
    func minimumVersion() async throws {
        try await withTemporaryDirectory { path in
            var files = try Files(path)
            try await withTLSServer(files.authority.identity(), .always(.response(201)), newest: .tlsv12) { front, _ in
                try await withTransport(tls: files.settings) { fixture in
                    #expect(await fixture.send(front.url()).answer?.status == 201)
                }
                files.settings.minimumVersion = .v13
                try await withTransport(tls: files.settings) { fixture in
                    let failure = try #require(await fixture.send(front.url()).failure)
                    #expect(failure.description == "the TLS handshake failed: no version in common")
                }
            }
        }
    }

    @Test(
        "files that are no use are told of, each by its name",
        .enabled(if: findExecutable("openssl") != nil, "needs openssl"))
    func unusable() throws {
        try withTemporaryDirectory { path in
            var files = try Files(path)
            let identity = try files.authority.identity()
            try files.write("good.pem", identity.certificate)
            try files.write("good.key", identity.key)
            try files.write("other.key", try files.authority.identity().key)
            try files.write("both.pem", identity.certificate + "\n" + identity.key)
            let encrypted = try run(
                "openssl",
                ["pkcs8", "-topk8", "-in", path + "/good.key", "-out", path + "/locked.key", "-passout", "pass:x"])
            #expect(encrypted.status == 0, "\(encrypted.errors)")
            let cases: [(certificate: String?, key: String?, subject: String, problem: String)] = [
                ("good.pem", nil, "good.pem", "holds no private key in PEM that opens without a passphrase"),
                ("good.pem", "other.key", "other.key", "is not the key of the client's certificate"),
                ("good.pem", "locked.key", "locked.key", "holds no private key in PEM that opens without a passphrase"),
                ("good.pem", "none.key", "none.key", "cannot be read: No such file or directory"),
                ("good.key", nil, "good.key", "holds no certificates in PEM"),
                (nil, "good.key", "good.key", "is a client's key without its certificate: name that, too"),
            ]
            for (certificate, key, subject, problem) in cases {
                files.settings.clientCertificate = certificate.map { FilePath("\(path)/\($0)") }
                files.settings.clientKey = key.map { FilePath("\(path)/\($0)") }
                var settings = ConnectionSettings()
                settings.tls = files.settings
                let error = #expect(throws: ConnectionSettingsError.self) {
                    try HTTPTransport.open(files: POSIXFileSystem(), settings: settings)
                }
                #expect(error?.subject == "\(path)/\(subject)")
                #expect(error?.problem == problem)
            }
            files.settings.clientCertificate = FilePath(path + "/both.pem")
            files.settings.clientKey = nil
            var settings = ConnectionSettings()
            settings.tls = files.settings
            _ = try HTTPTransport.open(files: POSIXFileSystem(), settings: settings)
        }
    }

    private func complaint(of answer: TransferAnswer) -> ConnectionComplaint? {
        ConnectionComplaint.of(status: answer.status, contentType: answer.fields[.contentType], body: answer.body)
    }

    private static let nginxPage = "<html>\r\n<head><title>400 No required SSL certificate was sent</title></head>"

    @Test(
        "what a server says about a connection is told from what it says about a transfer",
        arguments: [
            (495, "", "", ConnectionComplaint.refusedCertificate), (496, "", "", .missingCertificate),
            (497, "", "", .notOverTLS), (400, "text/html", nginxPage, .missingCertificate),
            (400, "text/html", "<title>400 The SSL certificate error</title>", .refusedCertificate),
            (400, "text/html", "<title>400 The plain HTTP request was sent to HTTPS port</title>", .notOverTLS),
            (
                400, "text/html; charset=iso-8859-1",
                "<title>400 Bad Request</title> this server could not understand.<br />\n"
                    + "Reason: You're speaking plain HTTP to an SSL-enabled server port.<br />", .notOverTLS
            ),
            (400, "text/plain", "no such report", nil), (400, "text/html", "", nil), (422, "text/html", nginxPage, nil),
            // An application that repeats what stands in a report.
            (400, "text/plain", nginxPage, nil), (400, "application/json", nginxPage, nil),
            (400, "text/html", "<p>line 3: No required SSL certificate was sent</p>", nil),
        ])
    func complaints(status: Int, type: String, text: String, expected: ConnectionComplaint?) {
        #expect(ConnectionComplaint.of(status: status, contentType: type, body: Array(text.utf8)) == expected)
    }
}
