import Background
import DurableIO
import Foundation
import HTTPTypes
import SystemPackage
import TestSupport
import Testing

/// The connection settings of uploaders and downloaders.
@Suite("Connections of sessions", .timeLimit(.minutes(10)))
struct SessionConnectionTests {
    private func request(_ front: TLSFront) -> HTTPRequest {
        HTTPRequest(method: .put, scheme: "https", authority: "127.0.0.1:\(front.port)", path: "/a")
    }

    @Test("an uploader trusts whom its settings name, shows its certificate, and nobody else does")
    func trust() async throws {
        try await withUploads { uploads in
            let authority = try TestAuthority()
            let (pem, client) = (try authority.pem, try authority.identity())
            let roots = uploads.directory + "/roots.pem"
            let own = uploads.directory + "/client.pem"
            try pem.write(toFile: roots, atomically: true, encoding: .utf8)
            try (client.certificate + "\n" + client.key).write(toFile: own, atomically: true, encoding: .utf8)
            try await withTLSServer(authority.identity(), .always(.response(201)), clients: pem) { front, server in
                let stranger = uploads.uploader { $0.connection.proxy = .none }
                let file = try uploads.file()
                let refused = await stranger.networkResponse(from: request(front), uploading: file, with: "a")
                #expect(refused.failure == .notTrusted)
                #expect(server.connectionCount == 0)
                await stranger.shutdown()

                let uploader = uploads.uploader {
                    $0.connection.proxy = .none
                    $0.connection.tls.certificateAuthorities = FilePath(roots)
                    $0.connection.tls.clientCertificate = FilePath(own)
                }
                let response = await uploader.networkResponse(from: request(front), uploading: file, with: "a")
                #expect(response.word == "success")
                #expect(server.requests.map(\.text) == ["hello"])
                await uploader.shutdown()
            }
        }
    }

    @Test("settings that cannot be used are told of at the first use, and mended without a restart of the program")
    func unusable() async throws {
        try await withUploads { uploads in
            try await withLoopbackServer(.always(.response(201))) { server in
                let uploader = uploads.uploader { $0.connection.tls.certificateAuthorities = "/nonexistent.pem" }
                let request = UploadFixture.request(server.url())
                let file = try uploads.file()
                let response = await uploader.networkResponse(from: request, uploading: file, with: "a")
                #expect(response.failure == .invalidSettings)
                await uploader.shutdown()
                #expect(server.connectionCount == 0)
                let next = uploads.uploader { $0.connection.proxy = .none }
                #expect(await next.networkResponse(from: request, uploading: file, with: "a").word == "success")
                await next.shutdown()
            }
        }
    }

    @Test("a download comes by way of the settings' proxy")
    func proxy() async throws {
        try await withDownloads { downloads in
            let content = ServedContent.numbered(10_000)
            try await withLoopbackServer(ServerScript { content.answer($0) }) { proxy in
                let settings = try ProxySettings.server("http://127.0.0.1:\(proxy.port)", exceptions: "")
                let downloader = downloads.downloader { $0.connection.proxy = settings }
                let request = DownloadFixture.request("http://server.example/file")
                #expect(await downloader.networkResponse(from: request, with: "a").file != nil)
                #expect(proxy.requests.map(\.target) == ["http://server.example/file"])
                await downloader.shutdown()
            }
        }
    }
}
