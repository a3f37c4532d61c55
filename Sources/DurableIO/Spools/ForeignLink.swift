package import SystemPackage

/// A link of another user's on the path that root names, which could lead root to any directory of its own.
package enum ForeignLink {
    /// Whether the path to a directory of root's has such a link, or has come to lead elsewhere since the directory was
    /// opened.
    ///
    /// A link of root's own is trusted, with all that it leads to. `false` for every other user, who has no more rights
    /// than the spools that it is led to.
    package static func isOn(_ path: FilePath, to directory: Directory, files: any FileSystem) -> Bool {
        guard UserIdentity.current == 0, (try? files.metadata(of: directory).owner) == 0 else { return false }
        do throws(FileSystemError) {
            var reached = try files.openDirectory(path.isAbsolute ? "/" : ".")
            for component in path.components where component.kind != .currentDirectory {
                // Whoever writes `..` knows what lies there.
                guard let name = EntryName(component.string) else { return false }
                guard let facts = try files.metadata(of: name, in: reached) else { return true }
                if facts.kind == .symbolicLink { return facts.owner != 0 }
                reached = try files.openDirectory(name, in: reached)
            }
            return try !files.metadata(of: reached).isSameFile(as: files.metadata(of: directory))
        } catch {
            return true
        }
    }
}
