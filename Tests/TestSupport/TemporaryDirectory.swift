import Glibc

/// A directory for a test could not be made.
package struct TemporaryDirectoryError: Error, CustomStringConvertible {
    package let template: String
    package let errno: Int32

    package var description: String { "mkdtemp \(template): \(String(cString: strerror(errno)))" }
}

/// Runs `body` with the path of a new, empty directory, and removes it and all that is in it afterwards.
///
/// It lies below `$TMPDIR`, else `/tmp`, and has mode 0700. What `body` leaves there may have any mode, also 000.
///
/// - Throws: what `body` throws, or ``TemporaryDirectoryError``.
package func withTemporaryDirectory<Result>(_ body: (_ path: String) throws -> Result) throws -> Result {
    let path = try makeTemporaryDirectory()
    defer { removeTree(AT_FDCWD, path) }
    return try body(path)
}

/// The same for a body that suspends.
///
/// - Throws: what `body` throws, or ``TemporaryDirectoryError``.
package func withTemporaryDirectory<Result>(
    isolation: isolated (any Actor)? = #isolation,
    _ body: (_ path: String) async throws -> Result
) async throws -> Result {
    let path = try makeTemporaryDirectory()
    defer { removeTree(AT_FDCWD, path) }
    return try await body(path)
}

private func makeTemporaryDirectory() throws -> String {
    let parent = getenv("TMPDIR").map { String(cString: $0) } ?? ""
    let template = (parent.isEmpty ? "/tmp" : parent) + "/test-XXXXXX"
    var bytes = template.utf8CString
    let path = bytes.withUnsafeMutableBufferPointer { buffer in
        buffer.baseAddress.flatMap { mkdtemp($0) }.map { String(cString: $0) }
    }
    guard let path else { throw TemporaryDirectoryError(template: template, errno: errno) }
    return path
}

/// Removes an entry and everything below it, never following a symbolic link; what cannot be removed stays.
private func removeTree(_ parent: Int32, _ name: UnsafePointer<CChar>) {
    guard unlinkat(parent, name, 0) != 0, errno == EISDIR || errno == EPERM else { return }
    // A directory has to be readable and searchable for its owner before it can be emptied.
    _ = fchmodat(parent, name, 0o700, 0)
    let descriptor = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
    if descriptor >= 0, let directory = fdopendir(descriptor) {
        while let entry = readdir(directory) {
            let name = entry.pointer(to: \.d_name).map { UnsafeRawPointer($0).assumingMemoryBound(to: CChar.self) }
            guard let name, strcmp(name, ".") != 0, strcmp(name, "..") != 0 else { continue }
            removeTree(descriptor, name)
        }
        closedir(directory)
    }
    unlinkat(parent, name, AT_REMOVEDIR)
}
