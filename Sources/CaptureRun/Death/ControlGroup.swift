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
    static func find(groups: [UInt8], mounts: [UInt8]) -> [ControlGroup] {
        let mounts = mounts.split(separator: UInt8(ascii: "\n")).compactMap(Mount.init)
        var found: [ControlGroup] = []
        for line in groups.split(separator: UInt8(ascii: "\n")) {
            let fields = line.split(separator: UInt8(ascii: ":"), maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3 else { continue }
            let isMemory = fields[1].hasWord("memory", between: ",")
            guard isMemory || fields[0].elementsEqual("0".utf8) && fields[1].isEmpty else { continue }
            let version: Version = isMemory ? .one : .two
            guard let mount = mounts.first(where: { $0.version == version }) else { continue }
            let name = String(decoding: fields[2], as: UTF8.self)
            let group = ControlGroup(version: version, name: name, directory: mount.directory(of: name))
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

        /// - Parameter line: `ID PARENT DEVICE ROOT POINT OPTIONS [TAG…] - TYPE SOURCE OPTIONS`. A program's start waits for
        ///   this, on machines with hundreds of mounts: it takes no line for text that is of another type.
        init?(_ line: ArraySlice<UInt8>) {
            let words = line.split(separator: UInt8(ascii: " "))
            guard words.count >= 9, let mark = words[5...].firstIndex(where: { $0.elementsEqual("-".utf8) }),
                mark + 3 < words.count
            else { return nil }
            let (type, options) = (words[mark + 1], words[mark + 3])
            if type.elementsEqual("cgroup2".utf8) {
                version = .two
            } else if type.elementsEqual("cgroup".utf8), options.hasWord("memory", between: ",") {
                version = .one
            } else {
                return nil
            }
            (root, point) = (String(decoding: words[3], as: UTF8.self), String(decoding: words[4], as: UTF8.self))
        }

        /// In a container the name is that on the host, or one from the container's own root on.
        func directory(of name: String) -> String {
            if root != "/", name == root || name.hasPrefix("\(root)/") { return point + name.dropFirst(root.count) }
            return name == "/" || name.hasPrefix("/..") ? point : point + name
        }
    }
}

extension ArraySlice<UInt8> {
    /// Whether a list of words has this one.
    fileprivate func hasWord(_ word: String, between separator: Unicode.Scalar) -> Bool {
        split(separator: UInt8(ascii: separator)).contains { $0.elementsEqual(word.utf8) }
    }
}
