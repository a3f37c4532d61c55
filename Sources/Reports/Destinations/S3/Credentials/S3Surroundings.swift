import DurableIO
import SystemPackage

/// What an S3 destination takes from its process: environment variables, and files of the AWS tools.
struct S3Surroundings: Sendable {
    let files: any FileSystem
    private let lookUp: @Sendable (String) -> String?
    /// How long a service of this machine that gives keys may take for one request.
    var containerLimit = Duration.seconds(2)
    var instanceLimit = Duration.seconds(1)
    var clock: any SystemClock = LinuxClock()

    init(files: any FileSystem = POSIXFileSystem(), variable lookUp: @escaping @Sendable (String) -> String?) {
        self.files = files
        self.lookUp = lookUp
    }

    /// Those of this process.
    static let process = S3Surroundings { Environment.value($0) }

    /// The value of the first of these variables that has one. An empty value is none.
    func variable(_ names: String...) -> String? {
        names.lazy.compactMap { lookUp($0) }.first { !$0.isEmpty }
    }

    /// A file whose path may begin with `~/`; `nil` for one in the home directory of a process that has none.
    func path(_ text: String) -> FilePath? {
        guard text.hasPrefix("~/") else { return FilePath(text) }
        return variable("HOME").map { FilePath($0 + text.dropFirst()) }
    }

    /// The first MiB of a file.
    /// - Returns: `nil` when there is no such file.
    func contents(of path: FilePath) throws(FileSystemError) -> [UInt8]? {
        do throws(FileSystemError) {
            return try files.read(files.openFile(path), limit: 1 << 20)
        } catch {
            guard [.noSuchFileOrDirectory, .notDirectory].contains(error.errno) else { throw error }
            return nil
        }
    }
}
