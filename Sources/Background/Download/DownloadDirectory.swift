import Digests
import DurableIO
import SystemPackage

/// The directory in a session's root where downloads lie: each as `<name>.part` while it comes, as `<name>` once it is
/// whole and durable.
///
/// A name is the SHA-256 of the row's, so that any identifier makes one.
struct DownloadDirectory: Sendable {
    let files: any FileSystem
    let directory: Directory

    private static let directoryName: EntryName = "downloads"

    /// Opens the directory, making it when it is missing.
    init(files: any FileSystem, root: Directory) throws(FileSystemError) {
        self.files = files
        if try files.makeDirectory(Self.directoryName, in: root, permissions: 0o700) {
            try files.syncDirectory(root)
        }
        directory = try files.openDirectory(Self.directoryName, in: root)
    }

    // MARK: - Names

    private static func hex(_ rowName: String) -> String {
        ContentHash(of: Array(rowName.utf8)).hex
    }

    /// The finished file's name; hexadecimal digits always make one.
    static func name(of rowName: String) -> EntryName { EntryName(hex(rowName)) ?? "download" }

    static func partName(of rowName: String) -> EntryName { EntryName(hex(rowName) + ".part") ?? "download.part" }

    /// Where the finished file will be.
    static func path(of rowName: String, below root: FilePath) -> FilePath {
        root.appending(directoryName.description).appending(hex(rowName))
    }

    // MARK: - Finished files

    /// Whether a finished file is still where it was left for its owner.
    static func isThere(_ file: FilePath, files: any FileSystem) -> Bool {
        guard let directory = try? files.openDirectory(file.removingLastComponent()),
            let name = file.lastComponent.flatMap({ EntryName($0.string) })
        else { return false }
        return (try? files.metadata(of: name, in: directory))?.kind == .regular
    }

    /// Removes a finished file, if it is there.
    static func remove(_ file: FilePath, files: any FileSystem) throws(FileSystemError) {
        guard let name = file.lastComponent.flatMap({ EntryName($0.string) }) else { return }
        do throws(FileSystemError) {
            try files.remove(name, in: files.openDirectory(file.removingLastComponent()))
        } catch {
            guard error.errno != .noSuchFileOrDirectory else { return }
            throw error
        }
    }

    /// Removes parts that no unfinished transfer goes on with. Finished files are their owners'.
    static func clean(
        in root: Directory, files: any FileSystem, keeping needed: [TransferRecord]
    ) throws(FileSystemError) {
        guard try files.metadata(of: directoryName, in: root)?.kind == .directory else { return }
        let directory = try files.openDirectory(directoryName, in: root)
        let parts = Set(needed.filter { $0.state.isLive }.map { partName(of: $0.identifier) })
        for name in try files.entries(of: directory) where name.hasSuffix(".part") && !parts.contains(name) {
            try files.remove(name, in: directory)
        }
    }
}
