import Glibc

/// The processes that have a pipe open.
enum PipeHolders {
    /// The names of all other processes that hold the pipe, as far as this process may look at them.
    /// - Returns: `nil` where there is no `/proc`.
    static func names(of pipe: Int32) -> [String]? {
        guard let link = ProcessFacts.target("/proc/self/fd/\(pipe)") else { return nil }
        let own = getpid()
        let processes = entries(of: "/proc")?.compactMap { Int32($0) }.filter { $0 != own }
        return processes?.filter { holds(link, $0) }.compactMap { ProcessFacts.name(of: $0) }
    }

    private static func holds(_ link: String, _ process: Int32) -> Bool {
        let directory = "/proc/\(process)/fd"
        return entries(of: directory)?.contains { ProcessFacts.target("\(directory)/\($0)") == link } ?? false
    }

    private static func entries(of path: String) -> [String]? {
        guard let directory = opendir(path) else { return nil }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = entry.pointer(to: \.d_name).map { UnsafeRawPointer($0).assumingMemoryBound(to: CChar.self) }
            if let name { names.append(String(cString: name)) }
        }
        return names
    }
}
