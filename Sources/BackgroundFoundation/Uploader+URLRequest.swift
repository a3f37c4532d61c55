public import Background
public import Foundation
public import HTTPTypes
import SystemPackage

#if canImport(FoundationNetworking)
public import FoundationNetworking
#endif

extension Uploader {
    /// Uploads a file for Foundation's `URLRequest`, or continues the upload with this identifier, and returns the
    /// result.
    ///
    /// The method, the URL and the header fields of the request are used as those of an `HTTPRequest`. The body, the
    /// timeout and the cache policy of the request are not used. The engine tries again after failures of the network
    /// while this call lasts, and the upload survives a crash.
    ///
    /// - Parameters:
    ///   - request: a request with an absolute http or https URL, and its header fields.
    ///   - file: a file URL.
    ///   - identifier: the name of the transfer, which stays the same over the launches of the program.
    /// - Returns: the result. Failures are results, too; this never throws.
    public func networkResponse(
        from request: URLRequest, uploading file: URL, with identifier: Identifier
    ) async -> UploadResponse {
        do throws(NetworkResponseError) {
            return await networkResponse(
                from: try HTTPRequest(request), uploading: try FilePath(fileURL: file), with: identifier)
        } catch {
            return .failed(error)
        }
    }

    /// Uploads like `networkResponse(from:uploading:with:)`, and returns the answer whatever its status.
    ///
    /// - Parameters:
    ///   - file: a file URL.
    ///   - request: a request with an absolute http or https URL, and its header fields.
    ///   - identifier: the name of the transfer, which stays the same over the launches of the program.
    /// - Returns: the head of the server's answer, whatever its status.
    /// - Throws: `NetworkResponseError` when there is no answer, and a further attempt by the engine would bring none.
    public func uploadFile(
        at file: URL, with request: URLRequest, identifier: Identifier
    ) async throws -> HTTPResponse {
        try await uploadFile(at: FilePath(fileURL: file), with: HTTPRequest(request), identifier: identifier)
    }

    /// Uploads like `uploadFile(at:with:identifier:)` in a task of its own, and returns immediately.
    ///
    /// - Parameters:
    ///   - file: a file URL.
    ///   - request: a request with an absolute http or https URL, and its header fields.
    ///   - identifier: the name of the transfer, which stays the same over the launches of the program.
    ///   - handler: called once, on any thread.
    public func beginUpload(
        of file: URL, with request: URLRequest, identifier: Identifier, handler: @escaping Handler
    ) {
        do throws(NetworkResponseError) {
            beginUpload(
                of: try FilePath(fileURL: file), with: try HTTPRequest(request), identifier: identifier,
                handler: handler)
        } catch {
            handler(identifier, .failure(error))
        }
    }
}

extension FilePath {
    fileprivate init(fileURL: URL) throws(NetworkResponseError) {
        guard fileURL.isFileURL else {
            throw NetworkResponseError(.unreadableFile, "the file's URL has another scheme than file")
        }
        self.init(fileURL.path)
    }
}
