import DurableIO

/// Reads the file in which the end of standard error has outlived a run.
///
/// The room `Stderr` lays the file out, and replaces this reading, which takes the file for plain text
/// (`StderrWindow.excerpt(of:)`).
enum LeftStderr {
    private static let byteCount: UInt64 = 64 << 10

    static func excerpt(of file: borrowing OwnedDescriptor) -> StderrExcerpt {
        var excerpt = StderrExcerpt()
        let files = POSIXFileSystem()
        guard let size = try? files.metadata(of: file).size else { return excerpt }
        let start = size - min(size, byteCount)
        excerpt.byteCount = size
        excerpt.tail = (try? files.read(file, limit: Int(size - start), at: start)) ?? []
        return excerpt
    }
}
