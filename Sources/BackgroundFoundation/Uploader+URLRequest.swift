public import Background
public import Foundation
public import HTTPTypes
import SystemPackage

#if canImport(FoundationNetworking)
public import FoundationNetworking
#endif

extension Uploader {
    /// Uploads a file, or goes on with the upload of that name, for a request of Foundation's.
    ///
    /// The same as for an `HTTPRequest` of the request's method, URL and header fields: network failures are tried
    /// again while this call lasts, and the upload survives a crash. Body, time-out and cache policy are not used.
    ///
    /// - Parameters:
    ///   - request: an absolute http or https URL, and header fields.
    ///   - file: a file URL.
    ///   - identifier: names the transfer, over the launches of the program.
    /// - Returns: the outcome; it never throws.
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

    /// The same, for those who look at the status themselves.
    ///
    /// - Parameters:
    ///   - file: a file URL.
    ///   - request: an absolute http or https URL, and header fields.
    ///   - identifier: names the transfer, over the launches of the program.
    /// - Returns: the head of the server's answer, whatever its status.
    /// - Throws: `NetworkResponseError` when there is no answer and trying again by itself will not bring one.
    public func uploadFile(
        at file: URL, with request: URLRequest, identifier: Identifier
    ) async throws -> HTTPResponse {
        try await uploadFile(at: FilePath(fileURL: file), with: HTTPRequest(request), identifier: identifier)
    }

    /// The same, for those who do not wait: the upload goes on in a task of its own, and the handler is called once.
    ///
    /// - Parameters:
    ///   - file: a file URL.
    ///   - request: an absolute http or https URL, and header fields.
    ///   - identifier: names the transfer, over the launches of the program.
    ///   - handler: called once, on no particular thread.
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
