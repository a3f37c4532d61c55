import DurableIO
import Glibc

/// What `/proc` says of processes. Everything is `nil` where there is no `/proc`, or the process is gone.
enum ProcessFacts {
    static func parent(of process: Int32) -> Int32? {
        fields(of: process).flatMap { $0.count > 1 ? Int32($0[1]) : nil }
    }

    /// When the process was started, in clock ticks since the boot.
    static func startTicks(of process: Int32) -> UInt64? {
        fields(of: process).flatMap { startTicks(in: $0) }
    }

    static func startTicks(in fields: [Substring]) -> UInt64? { fields.count > 19 ? UInt64(fields[19]) : nil }

    /// The name that the kernel has for the process, of 15 bytes at most.
    static func name(of process: Int32) -> String? {
        SmallFile.text("/proc/\(process)/comm").map { $0.hasSuffix("\n") ? String($0.dropLast()) : $0 }
    }

    /// The file that the process runs.
    static func executable(of process: Int32) -> String? { target("/proc/\(process)/exe") }

    /// The path of the process's control group: that of the unified tree, else that of the memory controller.
    static func controlGroup(of process: Int32) -> String? {
        guard let lines = SmallFile.text("/proc/\(process)/cgroup")?.split(separator: "\n") else { return nil }
        let fields = lines.map { $0.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false) }
            .filter { $0.count == 3 }
        let unified = fields.first { $0[0] == "0" && $0[1].isEmpty }
        let memory = fields.first { $0[1].split(separator: ",").contains("memory") }
        // Where an old kernel's trees are in use beside it, all processes are in the root of the unified one.
        let chosen = unified.flatMap { $0[2] == "/" && memory != nil ? nil : $0 } ?? memory
        return chosen.map { String($0[2]) }
    }

    /// The fields of `stat` behind the name, which may have blanks and parentheses: the first is the state.
    static func fields(of process: Int32, in processes: String = "/proc") -> [Substring]? {
        guard let text = SmallFile.text("\(processes)/\(process)/stat"), let end = text.lastIndex(of: ")") else {
            return nil
        }
        return text[text.index(after: end)...].split(separator: " ")
    }

    /// Where a symbolic link leads.
    static func target(_ path: String) -> String? {
        var bytes = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink(path, &bytes, bytes.count)
        guard count > 0, count < bytes.count else { return nil }
        return String(decoding: bytes[..<count].map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
