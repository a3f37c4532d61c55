import Digests
import DurableIO
import HTTPTypes
import SystemPackage

/// A file to upload: the caller's own, never moved, read through a descriptor of its directory.
struct UploadFile {
    /// Absolute, so that a later launch finds it.
    let path: FilePath
    let byteCount: UInt64
    let body: TransferBody
    private let files: any FileSystem
    private let directory: Directory
    private let name: EntryName

    /// - Throws: `.unreadableFile` when it is not a regular file that can be read.
    init(_ path: String, files: any FileSystem) throws(NetworkResponseError) {
        self.files = files
        self.path = try Self.absolute(FilePath(path), files: files)
        let name = self.path.lastComponent.flatMap { EntryName($0.string) }
        guard let name else { throw NetworkResponseError(.unreadableFile, "\(path) names no file") }
        do {
            let directory = try files.openDirectory(self.path.removingLastComponent())
            guard let metadata = try files.metadata(of: name, in: directory) else {
                throw NetworkResponseError(.unreadableFile, "\(path) does not exist")
            }
            guard metadata.kind == .regular else {
                throw NetworkResponseError(.unreadableFile, "\(path) is a \(metadata.kind.rawValue), not a file")
            }
            byteCount = metadata.size
            (self.directory, self.name) = (directory, name)
            let bytes = FileBody(directory: directory, name: name)
            body = try TransferBody([.range(of: bytes, offset: 0, length: metadata.size)])
        } catch let error as NetworkResponseError {
            throw error
        } catch {
            throw NetworkResponseError(
                .unreadableFile, "\(error)", isPassing: (error as? FileSystemError)?.isPassing ?? false)
        }
    }

    /// A file, and the SHA-256 of its bytes.
    static func hashed(
        _ path: String, files: any FileSystem
    ) async throws(NetworkResponseError) -> (UploadFile, ContentHash) {
        let file = try UploadFile(path, files: files)
        return (file, try await file.hash())
    }

    /// The SHA-256 of exactly the bytes that are to be sent.
    func hash() async throws(NetworkResponseError) -> ContentHash {
        do {
            let file = try files.openFile(name, in: directory)
            let (hash, count) = try await ContentHash.of(file, size: byteCount, files: files)
            guard count == byteCount else {
                throw NetworkResponseError(.unreadableFile, "\(path) changes while it is read")
            }
            return hash
        } catch let error as NetworkResponseError {
            throw error
        } catch is CancellationError {
            throw NetworkResponseError(.cancelled, "the task was cancelled")
        } catch {
            throw NetworkResponseError(
                .unreadableFile, "\(error)", isPassing: (error as? FileSystemError)?.isPassing ?? false)
        }
    }

    private static func absolute(
        _ path: FilePath, files: any FileSystem
    ) throws(NetworkResponseError) -> FilePath {
        guard path.isRelative else { return path }
        // The shell's variable is right as long as nobody has changed the directory since.
        guard let shell = Environment.value("PWD"), let named = try? files.openDirectory(FilePath(shell)),
            let current = try? files.openDirectory("."), let first = try? files.metadata(of: named),
            let second = try? files.metadata(of: current), first.device == second.device,
            first.inode == second.inode
        else {
            throw NetworkResponseError(.unreadableFile, "\(path): give an absolute path")
        }
        return FilePath(shell).pushing(path)
    }
}

extension HTTPRequest {
    /// Where it goes.
    var endpoint: Endpoint {
        get throws(NetworkResponseError) {
            guard let scheme, let authority else {
                throw NetworkResponseError(.invalidRequest, "the request has no absolute URL")
            }
            do {
                return try Endpoint("\(scheme)://\(authority)\(path ?? "/")")
            } catch {
                throw NetworkResponseError(.invalidRequest, "the request's URL \(error)")
            }
        }
    }

    /// The fields that are sent: the caller's, and those that name the content where the caller gave none.
    func uploadFields(identifier: String, hash: ContentHash, byteCount: UInt64) -> HTTPFields {
        var fields = headerFields
        // The engine frames the body itself, and never in chunks.
        fields[.transferEncoding] = nil
        fields[.contentLength] = String(byteCount)
        if fields[.idempotencyKey] == nil {
            fields[.idempotencyKey] = StructuredField.string(Self.idempotencyKey(identifier: identifier, hash: hash))
        }
        if fields[.representationDigest] == nil {
            fields[.representationDigest] = StructuredField.digest(hash)
        }
        return fields
    }

    /// The same for each try of a transfer, another for another identifier or content.
    private static func idempotencyKey(identifier: String, hash: ContentHash) -> String {
        ContentHash(of: Array(identifier.utf8) + [0] + hash.bytes).hex
    }
}
