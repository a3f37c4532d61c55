package import DurableIO
package import SystemPackage

/// A file of metrics that a collector reads at any time: it holds all of an old text or all of a new one.
///
/// A crash leaves the old text, and perhaps a temporary file beside it that no collector reads.
package enum MetricsFile {
    /// Everybody may read metrics.
    private static let permissions: UInt32 = 0o644

    /// Replaces the file at a path.
    /// - Throws: ``ReportsError/Code/cannotWrite``; the file is then as it was.
    package static func replace(
        _ path: FilePath, with text: String, files: any FileSystem = POSIXFileSystem()
    ) throws(ReportsError) {
        guard let name = path.lastComponent.flatMap({ EntryName($0.string) }) else {
            throw ReportsError(.cannotWrite, "cannot write the metrics: --output \(path) names no file")
        }
        do {
            let parent = path.removingLastComponent()
            let directory = try files.openDirectory(parent.isEmpty ? "." : parent)
            if let found = try files.metadata(of: name, in: directory), found.kind != .regular {
                throw ReportsError(
                    .cannotWrite,
                    "cannot write the metrics: \(path) is a \(found.kind.rawValue): name a file that may be replaced")
            }
            let temporary = EntryName.unique(suffix: ".reports-metrics")
            let publication = try Publication(files: files, in: directory, as: temporary)
            try publication.write(Array(text.utf8))
            try files.setPermissions(permissions, of: temporary, in: directory)
            try publication.publish(replacing: name, in: directory)
        } catch let error as ReportsError {
            throw error
        } catch let error as FileSystemError {
            let isForbidden = error.errno == .permissionDenied || error.errno == .readOnlyFileSystem
            let hint = isForbidden ? "; the spool's user has to be able to write there" : ""
            throw ReportsError(.cannotWrite, "cannot write the metrics: \(error)\(hint)", underlyingError: error)
        } catch {
            throw ReportsError(.cannotWrite, "cannot write the metrics: \(error)", underlyingError: error)
        }
    }
}
