import Background
import BackgroundFoundation
import Foundation
import FoundationNetworking
import TestSupport
import Testing

struct FoundationFaceTests {
    @Test("URLRequest goes out with its method, path and fields")
    func face() async throws {
        try await withUploads { uploads in
            try await withLoopbackServer(.always(.response(503, headers: [("Retry-After", "9")]))) { server in
                let uploader = uploads.uploader()
                var request = URLRequest(url: try #require(URL(string: server.url("/x%20y?z=1#frag"))))
                request.httpMethod = "PATCH"
                request.setValue("v", forHTTPHeaderField: "X-Own")
                let file = URL(fileURLWithPath: try uploads.file("a b", "hello").string)
                let response = await uploader.networkResponse(from: request, uploading: file, with: "a")
                #expect(response.word == "retry")
                #expect(server.requests.first?.target == "/x%20y?z=1")
                #expect(server.requests.first?.method == "PATCH")
                #expect(server.requests.first?.text == "hello")
                #expect(server.requests.first?.headers["X-Own"] == "v")
                let bad = await uploader.networkResponse(
                    from: URLRequest(url: try #require(URL(string: "http://u:p@h/"))), uploading: file, with: "b")
                #expect(bad.failure == .invalidRequest)
                await uploader.shutdown()
            }
        }
    }

    @Test func retryAfter() throws {
        let url = try #require(URL(string: "http://h/"))
        let fields = ["Retry-After": "Sun, 06 Nov 1994 08:50:37 GMT", "Date": "Sun, 06 Nov 1994 08:49:37 GMT"]
        let response = try #require(
            HTTPURLResponse(url: url, statusCode: 503, httpVersion: nil, headerFields: fields))
        #expect(response.retryAfterInterval == 60)
    }
}
