import DurableIO
import SystemPackage

/// Where the runtimes of root's programs leave their reports when somebody else can change the path to the spool.
///
/// A program opens what its variables name by path, for as long as it lives. Whoever owns a directory on that path can
/// put a link in the place of the next one, and lead root's program to any file of the machine. So the path of root's
/// programs has only directories that root alone can change. All else of such a run is in the spool, where this process
/// works by open directories and follows no link.
struct ReportRoom: Sendable {
    /// The room of the machine. It stays once it is made, so that no program's path becomes somebody else's to make.
    static let standardPath: FilePath = "/var/lib/reports-run"

    let path: FilePath
    let directory: Directory

    /// Opens it.
    /// - Parameters:
    ///   - path: its place, from `/` on.
    ///   - isMaking: whether it is made where it is missing.
    ///   - files: the disk.
    /// - Returns: `nil` where it cannot be made, or somebody else can change a directory on the path.
    static func open(_ path: FilePath, isMaking: Bool, files: any FileSystem) -> ReportRoom? {
        guard let parent = safeDirectory(path.removingLastComponent(), files),
            let name = path.lastComponent.flatMap({ EntryName($0.string) })
        else { return nil }
        if isMaking { _ = try? files.makeDirectory(name, in: parent, permissions: 0o700) }
        guard let directory = safeDirectory(name, in: parent, files),
            let facts = try? files.metadata(of: directory), facts.permissions & 0o077 == 0
        else { return nil }
        return ReportRoom(path: path, directory: directory)
    }

    /// Whether a path of root's leads to an open directory, and only root can change where it leads. `false` for every
    /// other user, who keeps no reports apart.
    static func isSafe(_ path: FilePath, to directory: Directory, files: any FileSystem) -> Bool {
        guard UserIdentity.current == 0, path.isAbsolute, let found = safeDirectory(path, files),
            let facts = try? files.metadata(of: directory), let foundFacts = try? files.metadata(of: found)
        else { return false }
        return foundFacts.isSameFile(as: facts)
    }

    /// Opens a directory by way of directories that nobody but this user and root can change, without a link.
    private static func safeDirectory(_ path: FilePath, _ files: any FileSystem) -> Directory? {
        guard var directory = try? files.openDirectory("/"), isSafe(directory, files) else { return nil }
        for component in path.components {
            guard let name = EntryName(component.string), let next = safeDirectory(name, in: directory, files) else {
                return nil
            }
            directory = next
        }
        return directory
    }

    private static func safeDirectory(
        _ name: EntryName, in parent: Directory, _ files: any FileSystem
    ) -> Directory? {
        guard let directory = try? files.openDirectory(name, in: parent), isSafe(directory, files) else { return nil }
        return directory
    }

    /// Whether nobody but this user and root can put something else in the place of what is in a directory.
    static func isSafe(_ directory: Directory, _ files: any FileSystem) -> Bool {
        guard let facts = try? files.metadata(of: directory), [0, UserIdentity.current].contains(facts.owner) else {
            return false
        }
        return facts.permissions & 0o022 == 0 || facts.permissions & 0o1000 != 0
    }
}
