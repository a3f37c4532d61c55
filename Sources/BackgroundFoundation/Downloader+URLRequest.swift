public import Background
public import Foundation
public import HTTPTypes
import SystemPackage

#if canImport(FoundationNetworking)
public import FoundationNetworking
#endif

extension Downloader {
    /// Downloads to a file for Foundation's `URLRequest`, or continues the download with this identifier, and returns
    /// the result.
    ///
    /// The method, the URL and the header fields of the request are used as those of an `HTTPRequest`. The body, the
    /// timeout and the cache policy of the request are not used. The engine tries again after failures of the network
    /// while this call lasts, and the bytes that have arrived survive a crash.
    ///
    /// - Parameters:
    ///   - request: a request with an absolute http or https URL, and its header fields.
    ///   - identifier: the name of the transfer, which stays the same over the launches of the program.
    /// - Returns: the result, with the file as a URL. Failures are results, too; this never throws.
    public func networkResponse(
        from request: URLRequest, with identifier: Identifier
    ) async -> DownloadResponse<URL> {
        do throws(NetworkResponseError) {
            return await networkResponse(from: try HTTPRequest(request), with: identifier).mapFile(URL.init(file:))
        } catch {
            return .failed(error)
        }
    }

    /// Downloads like `networkResponse(from:with:)`, and returns the file or throws an error.
    ///
    /// - Parameters:
    ///   - request: a request with an absolute http or https URL, and its header fields.
    ///   - identifier: the name of the transfer, which stays the same over the launches of the program.
    /// - Returns: the file, which is the caller's, and the head of the server's answer.
    /// - Throws: `NetworkResponseError`. Its code is `.refused` when the server answered without giving the content.
    public func download(_ request: URLRequest, with identifier: Identifier) async throws -> (URL, HTTPResponse) {
        let (file, response) = try await download(HTTPRequest(request), with: identifier)
        return (URL(file: file), response)
    }

    /// Downloads like `download(_:with:)` in a task of its own, and returns immediately.
    ///
    /// - Parameters:
    ///   - request: a request with an absolute http or https URL, and its header fields.
    ///   - identifier: the name of the transfer, which stays the same over the launches of the program.
    ///   - handler: called once, on any thread.
    public func beginDownload(
        of request: URLRequest, identifier: Identifier,
        handler: @escaping @Sendable (Identifier, Result<(URL, HTTPResponse), any Error>) -> Void
    ) {
        do throws(NetworkResponseError) {
            beginDownload(of: try HTTPRequest(request), identifier: identifier) { identifier, result in
                handler(identifier, result.map { (URL(file: $0.0), $0.1) })
            }
        } catch {
            handler(identifier, .failure(error))
        }
    }
}

extension URL {
    fileprivate init(file: FilePath) {
        self.init(fileURLWithPath: file.string, isDirectory: false)
    }
}
