import DurableIO

/// Counts the processes that the kernel has killed for want of memory, from the start of a program on.
///
/// The counter of the program's control group counts kills for whatever reason in the group alone. Where there is none,
/// that of the machine has to do, which counts all.
package struct MemoryWatch: Sendable {
    /// Where the kernel tells of processes and groups. Tests put another directory in its place.
    package struct Places: Sendable {
        package var processes = "/proc"

        package init() {}
    }

    private let group: ControlGroup?
    private let groupKills: UInt64?
    private let machineKills: UInt64?
    private let places: Places

    /// Reads the counters of the program's control group and of the machine.
    package init(pid: Int32) {
        self.init(pid: pid, Places())
    }

    package init(pid: Int32, _ places: Places) {
        self.places = places
        let groups = ControlGroup.find(
            groups: SmallFile.bytes("\(places.processes)/\(pid)/cgroup") ?? [],
            mounts: SmallFile.bytes("\(places.processes)/self/mountinfo", limit: 1 << 20) ?? [])
        let counted = groups.lazy.compactMap { group in Self.kills(in: group).map { (group, $0) } }.first
        group = counted?.0 ?? groups.first
        groupKills = counted?.1
        machineKills = groupKills == nil ? Self.machineKills(places) : nil
    }

    /// What is known of the memory at the death of the program.
    package func look() -> MemoryFacts {
        var facts = MemoryFacts()
        facts.group = group?.name
        if let group, let before = groupKills, let now = Self.kills(in: group) {
            facts.kills = now >= before ? now - before : 0
        } else if let before = machineKills, let now = Self.machineKills(places) {
            facts.kills = now >= before ? now - before : 0
            facts.isOfMachine = true
        }
        facts.limit = group.flatMap { Self.number(in: $0.limitFile) }
        facts.peak = group.flatMap { Self.number(in: $0.peakFile) }
        return facts
    }

    private static func kills(in group: ControlGroup) -> UInt64? {
        for file in group.counterFiles {
            guard let bytes = SmallFile.bytes(file) else { continue }
            return count("oom_kill", in: bytes)
        }
        return nil
    }

    private static func machineKills(_ places: Places) -> UInt64? {
        SmallFile.bytes("\(places.processes)/vmstat").flatMap { count("oom_kill", in: $0) }
    }

    /// The number of the line `NAME NUMBER`; `nil` where there is none.
    private static func count(_ name: String, in bytes: [UInt8]) -> UInt64? {
        for line in bytes.split(separator: UInt8(ascii: "\n")) {
            let words = line.split(separator: UInt8(ascii: " "))
            guard words.count == 2, words[0].elementsEqual(name.utf8) else { continue }
            return UInt64(digits: words[1])
        }
        return nil
    }

    /// A number of bytes; `nil` where there is no bound.
    private static func number(in file: String) -> UInt64? {
        guard let text = SmallFile.text(file), let number = UInt64(digits: text.prefix { $0 != "\n" }) else {
            return nil
        }
        // Version 1 writes the largest number of pages for "no bound".
        return number < 1 << 62 ? number : nil
    }
}

/// What is known of the memory of a program that died.
package struct MemoryFacts: Hashable, Sendable {
    /// The control group's path; `nil` where it is not known.
    package var group: String?
    /// The most memory that the group may use, and the most that it has used, in bytes.
    package var limit: UInt64?
    package var peak: UInt64?
    /// How many processes were killed for want of memory since the program's start; `nil` where nothing counts them.
    package var kills: UInt64?
    /// Whether they are those of the whole machine.
    package var isOfMachine = false

    package init() {}
}
