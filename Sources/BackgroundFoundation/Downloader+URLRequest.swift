public import Background
public import Foundation
public import HTTPTypes
import SystemPackage

#if canImport(FoundationNetworking)
public import FoundationNetworking
#endif

extension Downloader {
    /// Downloads to a file, or goes on with the download of that name, for a request of Foundation's.
    ///
    /// The same as for an `HTTPRequest` of the request's method, URL and header fields: network failures are tried
    /// again while this call lasts, and what has come survives a crash. Body, time-out and cache policy are not used.
    ///
    /// - Parameters:
    ///   - request: an absolute http or https URL, and header fields.
    ///   - identifier: names the transfer, over the launches of the program.
    /// - Returns: the outcome, with the file as a URL; it never throws.
    public func networkResponse(
        from request: URLRequest, with identifier: Identifier
    ) async -> DownloadResponse<URL> {
        do throws(NetworkResponseError) {
            return await networkResponse(from: try HTTPRequest(request), with: identifier).mapFile(URL.init(file:))
        } catch {
            return .failed(error)
        }
    }

    /// The same, for those who want the file or an error.
    ///
    /// - Parameters:
    ///   - request: an absolute http or https URL, and header fields.
    ///   - identifier: names the transfer, over the launches of the program.
    /// - Returns: the file, which is the caller's, and the head of the server's answer.
    /// - Throws: `NetworkResponseError`; with code `.refused` when the server answered without giving the content.
    public func download(_ request: URLRequest, with identifier: Identifier) async throws -> (URL, HTTPResponse) {
        let (file, response) = try await download(HTTPRequest(request), with: identifier)
        return (URL(file: file), response)
    }

    /// The same, for those who do not wait: the download goes on in a task of its own, and the handler is called once.
    ///
    /// - Parameters:
    ///   - request: an absolute http or https URL, and header fields.
    ///   - identifier: names the transfer, over the launches of the program.
    ///   - handler: called once, on no particular thread.
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
