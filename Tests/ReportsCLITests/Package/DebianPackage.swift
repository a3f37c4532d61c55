import Foundation
import TestSupport

/// The two Debian packages.
struct DebianPackage {
    /// The package with the tool in it, and the one with its symbols.
    let tool: String
    let symbols: String
    /// What the script warned of.
    let warnings: String

    static var isPossible: Bool {
        ["dpkg-deb", "dpkg-shlibdeps", "strip", "readelf"].allSatisfy { findExecutable($0) != nil }
    }

    /// Of the executable that is tested. Made once for all tests that look at it.
    static let shared = Task { try await DebianPackage(in: folder("package")) }

    /// What people install: built as it is for them, which takes some minutes. Made once for all tests that look at it.
    static let shipped = Task {
        try await DebianPackage(in: folder("shipped-package"), compression: "xz", isBuilt: true)
    }

    /// A directory beside the executable.
    private static func folder(_ name: String) throws -> String {
        let folder = URL(fileURLWithPath: ReportsTool.path).deletingLastPathComponent().appending(path: name).path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        return folder
    }

    static let script = ShippedFiles.path("Examples/debian/make-package.sh")

    /// Makes them.
    /// - Parameters:
    ///   - folder: where they will lie.
    ///   - version: theirs; `nil` is the library's.
    ///   - compression: of what is in them.
    ///   - isBuilt: whether the programs are built for them. By default they hold those that are tested.
    /// - Throws: ``Failure`` with all that the script said.
    init(
        in folder: String, version: String? = nil, compression: String = "none", isBuilt: Bool = false
    ) async throws {
        var environment = Self.environment
        if isBuilt { environment["REPORTS_BINARY"] = nil }
        environment["DPKG_DEB_COMPRESSOR_TYPE"] = compression
        environment["REPORTS_VERSION"] = version
        let result = try await runAsynchronously(Self.script, [folder], environment: environment)
        guard result.status == 0 else { throw Failure(description: result.output + result.errors) }
        let made = result.output.split(separator: "\n").filter { $0.hasPrefix("made ") }.map {
            String($0.dropFirst("made ".count).prefix { $0 != " " })
        }
        guard made.count == 2 else { throw Failure(description: result.output) }
        (tool, symbols) = (made[0], made[1])
        warnings = result.errors
    }

    /// What the script is run with. The time is not that of the last commit: sources need not come with commits.
    static var environment: [String: String] {
        [
            "PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin", "HOME": "/",
            "REPORTS_BINARY": ReportsTool.path, "SOURCE_DATE_EPOCH": "1790000000",
        ]
    }

    /// A file of a package.
    struct Entry {
        let permissions: Substring
        let owner: Substring
        /// From the root, without a link's target.
        let path: String
    }

    static func entries(of package: String) async throws -> [Entry] {
        try await runAsynchronously("dpkg-deb", ["--contents", package]).output.split(separator: "\n").map { line in
            let words = line.split(separator: " ", omittingEmptySubsequences: true)
            return Entry(permissions: words[0], owner: words[1], path: String(words[5].dropFirst()))
        }
    }

    /// A field of a package's control file.
    static func field(_ name: String, of package: String) async throws -> String {
        try await runAsynchronously("dpkg-deb", ["--field", package, name]).output.trimmingCharacters(in: .newlines)
    }

    struct Failure: Error, CustomStringConvertible {
        let description: String
    }
}
