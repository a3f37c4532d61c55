import Background
import DurableIO
import HTTPTypes
import SystemPackage
import TestSupport
import Testing

/// On which threads uploaders and downloaders work.
@Suite(.timeLimit(.minutes(10)))
struct SessionThreadsTests {
    @Test("no transfer asks disk or ledger for anything on a thread of the program")
    func threads() async throws {
        try await withUploads { uploads in
            let content = ServedContent.numbered(600_000)
            try await withLoopbackServer(ServerScript { content.answer($0) }) { server in
                let log = ThreadLog()
                var configuration = BackgroundSessionConfiguration.background(withIdentifier: "com.example.test")
                configuration.rootDirectory = uploads.root
                var seams = SessionSeams()
                (seams.files, seams.clock) = (log.files, log.clock)
                let uploader = Uploader(sessionConfiguration: configuration, seams: seams)
                let downloader = Downloader(sessionConfiguration: configuration, seams: seams)
                // Of more than one piece.
                let file = try uploads.file("large", String(repeating: "0123456789", count: 60_000))
                log.listen()
                let upload = UploadFixture.request(server.url("/up"))
                #expect(await uploader.networkResponse(from: upload, uploading: file, with: "up").word == "success")
                let download = UploadFixture.request(server.url("/down"), method: .get)
                #expect(await downloader.networkResponse(from: download, with: "down").word == "success")
                #expect(try await downloader.pendingTransfers().count == 1)
                try await downloader.acknowledge("down")
                #expect(try await uploader.cancel("up") == false)
                try await uploader.waitForEarlierTransfers()
                await uploader.shutdown()
                await downloader.shutdown()
                #expect(Set(log.foreignCalls) == [])
                #expect(log.count > 50)
            }
        }
    }
}
