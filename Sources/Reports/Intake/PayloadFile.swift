package import DurableIO
package import SystemPackage

/// A payload that is named by a path, as an open file or pipe.
package struct PayloadFile: ~Copyable {
    private let file: OwnedDescriptor
    /// The facts of the file; `nil` for a pipe, which has no size and cannot be compared.
    package let facts: FileMetadata?

    /// Opens a regular file, or a pipe such as shells make for `<(command)`.
    /// - Throws: ``ReportsError`` with the code `noSuchFile` when nothing can be opened at the path, and `badPayload`
    ///   when the opened file is neither a regular file nor a pipe.
    package static func open(_ path: FilePath, files: any FileSystem) throws(ReportsError) -> PayloadFile {
        do {
            let file = try files.openFile(path)
            let facts = try files.metadata(of: file)
            switch facts.kind {
            case .regular: return PayloadFile(file: file, facts: facts)
            case .fifo: return PayloadFile(file: file, facts: nil)
            case let kind:
                throw ReportsError(.badPayload, "\(path): is a \(kind.rawValue), not a file")
            }
        } catch let error as ReportsError {
            throw error
        } catch let error as FileSystemError {
            throw ReportsError(.noSuchFile, "\(path): \(error.errno)", underlyingError: error)
        } catch {
            throw ReportsError(.noSuchFile, "\(path): \(error)", underlyingError: error)
        }
    }

    /// The last component of a path, as bytes that need not be UTF-8.
    package static func name(of path: FilePath) -> [UInt8]? {
        path.lastComponent?.withPlatformString { start in
            var bytes: [UInt8] = []
            var next = start
            while next.pointee != 0 {
                bytes.append(UInt8(bitPattern: next.pointee))
                next += 1
            }
            return bytes
        }
    }

    package consuming func source() -> PayloadSource {
        if let facts { .growingFile(file, facts: facts) } else { .pipe(file) }
    }
}
