/// The version of a spool's layout, which its file `VERSION` tells.
package enum SpoolVersion {
    package static let fileName: EntryName = "VERSION"
    /// The version that this program writes, and the newest one that it knows.
    package static let known = 1

    /// What a spool's directory says of its version.
    package enum Finding: Hashable, Sendable {
        /// There is no such file: the spool is new, or only rooms for drops were made.
        case none
        case version(Int)
        /// The file holds no version, so that the directory is no spool.
        case unreadable

        /// Whether this program may use the spool.
        package var isKnown: Bool {
            switch self {
            case .none: true
            case .version(let version): version <= SpoolVersion.known
            case .unreadable: false
            }
        }
    }

    /// Reads the version of the spool in a directory.
    package static func find(in root: Directory, files: any FileSystem) throws(FileSystemError) -> Finding {
        guard let line = try files.contents(of: fileName, in: root, limit: 64) else { return .none }
        let text = String(decoding: line.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
        return Int(text).map { .version($0) } ?? .unreadable
    }
}
