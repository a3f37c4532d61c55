import Background
import BackgroundFoundation
import Foundation
import FoundationNetworking
import TestSupport
import Testing

/// The two programs with which the original library is documented, with nothing but the session's configuration
/// replaced: they compile without a warning, and do what their comments say.
struct DocumentedExampleTests {
    @Test("Uploading", arguments: [(200, "success"), (503, "retry 7.0"), (404, "rejected")])
    func uploading(status: Int, expected: String) async throws {
        try await withUploads { uploads in
            try await withLoopbackServer(.always(.response(status, headers: [("Retry-After", "7")]))) { server in
                var config = BackgroundSessionConfiguration.background(withIdentifier: "com.my.background-id")
                config.rootDirectory = uploads.root
                let uploader = Uploader(sessionConfiguration: config)

                let request = URLRequest(url: try #require(URL(string: server.url("/"))))
                let url = URL(fileURLWithPath: try uploads.file().string)
                let identifier = "some-stable-id-appropriate-for-the-file"

                let response = await uploader.networkResponse(from: request, uploading: url, with: identifier)
                let said: String
                switch response {
                case .rejected:
                    said = "rejected"
                case .retry(let urlResponse):
                    let interval = urlResponse.retryAfterInterval ?? 60.0
                    said = "retry \(interval)"
                case .failed(let error):
                    said = "failed \(error)"
                case .success(let urlResponse):
                    said = urlResponse.status == .ok ? "success" : "\(urlResponse)"
                }
                #expect(said == expected)
                #expect(server.requests.map(\.text) == ["hello"])
                await uploader.shutdown()
            }
        }
    }

    @Test("Downloading", arguments: [(200, "success content"), (503, "retry 7.0"), (404, "rejected")])
    func downloading(status: Int, expected: String) async throws {
        try await withDownloads { downloads in
            let answer = Answer.response(status, headers: [("Retry-After", "7")], text: "content")
            try await withLoopbackServer(.always(answer)) { server in
                var config = BackgroundSessionConfiguration.background(withIdentifier: "com.my.background-id")
                config.rootDirectory = downloads.root
                let downloader = Downloader(sessionConfiguration: config)

                let request = URLRequest(url: try #require(URL(string: server.url("/"))))
                let identifier = "some-stable-id-appropriate-for-the-file"

                let response = await downloader.networkResponse(from: request, with: identifier)
                let said: String
                switch response {
                case .rejected:
                    said = "rejected"
                case .retry(let urlResponse):
                    let interval = urlResponse.retryAfterInterval ?? 60.0
                    said = "retry \(interval)"
                case .failed(let error):
                    said = "failed \(error)"
                case .success(let url, let urlResponse):
                    let text = try String(contentsOf: url, encoding: .utf8)
                    said = urlResponse.status == .ok ? "success \(text)" : "\(urlResponse)"
                }
                #expect(said == expected)
                await downloader.shutdown()
            }
        }
    }

    @Test(
        "What links Background alone has neither FoundationNetworking nor ICU",
        .enabled(if: findExecutable("ldd") != nil))
    func linkage() throws {
        let libraries = try run("ldd", [TransfersProgram.path]).output
        #expect(libraries.contains("libsqlite3"))
        for heavy in ["FoundationNetworking", "FoundationXML", "_FoundationICU", "libcurl", "libFoundation.so"] {
            #expect(!libraries.contains(heavy))
        }
    }
}
