import DurableIO
import SystemPackage

/// The control group of a process that counts its memory: of version 2, or of the memory controller of version 1.
struct ControlGroup: Hashable, Sendable {
    enum Version: Hashable, Sendable {
        case one
        case two
    }

    let version: Version
    /// The group's path, as `/proc/PID/cgroup` has it.
    let name: String
    /// Where its files are.
    let directory: String

    /// Finds the group.
    /// - Parameters:
    ///   - groups: the contents of `/proc/PID/cgroup`.
    ///   - mounts: the contents of `/proc/self/mountinfo`.
    /// - Returns: the groups that may count memory, those of the memory controller of version 1 first: where one is
    ///   mounted, version 2 does not count.
    static func find(groups: String, mounts: String) -> [ControlGroup] {
        let mounts = mounts.split(separator: "\n").compactMap(Mount.init)
        var found: [ControlGroup] = []
        for line in groups.split(separator: "\n") {
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false).map(String.init)
            guard fields.count == 3 else { continue }
            let isMemory = fields[1].split(separator: ",").contains("memory")
            guard isMemory || fields[0] == "0" && fields[1].isEmpty else { continue }
            let version: Version = isMemory ? .one : .two
            guard let mount = mounts.first(where: { $0.version == version }) else { continue }
            let group = ControlGroup(version: version, name: fields[2], directory: mount.directory(of: fields[2]))
            found.insert(group, at: isMemory ? 0 : found.endIndex)
        }
        return found
    }

    /// The files that may hold the counter of killed processes; the first that exists counts. That of older kernels
    /// counts the groups below this one as well.
    var counterFiles: [String] {
        switch version {
        case .one: ["\(directory)/memory.oom_control"]
        case .two: ["\(directory)/memory.events.local", "\(directory)/memory.events"]
        }
    }

    var limitFile: String {
        version == .one ? "\(directory)/memory.limit_in_bytes" : "\(directory)/memory.max"
    }

    var peakFile: String {
        version == .one ? "\(directory)/memory.max_usage_in_bytes" : "\(directory)/memory.peak"
    }

    /// A mounted hierarchy of control groups.
    private struct Mount {
        let version: Version
        /// The group that is mounted; others than its own are not to be seen.
        let root: String
        let point: String

        init?(_ line: Substring) {
            let halves = line.split(separator: " - ", maxSplits: 1)
            guard halves.count == 2 else { return nil }
            let (fields, kind) = (halves[0].split(separator: " "), halves[1].split(separator: " "))
            guard fields.count >= 5, kind.count >= 3 else { return nil }
            switch kind[0] {
            case "cgroup2": version = .two
            case "cgroup":
                guard kind[2].split(separator: ",").contains("memory") else { return nil }
                version = .one
            default: return nil
            }
            (root, point) = (String(fields[3]), String(fields[4]))
        }

        /// In a container the name is that on the host, or one from the container's own root on.
        func directory(of name: String) -> String {
            if root != "/", name == root || name.hasPrefix("\(root)/") { return point + name.dropFirst(root.count) }
            return name == "/" || name.hasPrefix("/..") ? point : point + name
        }
    }
}
