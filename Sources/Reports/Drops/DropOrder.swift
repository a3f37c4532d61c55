package import Diagnosis
package import DurableIO

/// The order in which an owner takes drops.
///
/// Drops that look like a crash come first: drops that begin like a crash come before drops that only have the name of
/// a crash, and in both groups the newest drop comes first. Then comes the smallest drop. Every tenth drop is the
/// oldest of all, so that no drop waits for ever. Drops of more than 8 MiB have a line of their own with the same
/// order. A drop that earlier owners began to collect and did not finish comes last in its line, the drop with fewer
/// tries first.
///
/// Each look notes the drops that it finds. The order remembers a drop for as long as looks find it, so that no drop's
/// first bytes are read twice. A drop that was handed out and is found again waits again. The order is only in memory:
/// a new owner finds the drops in their directories. The order does no I/O.
package struct DropOrder {
    /// A drop as a look found it. When its turn comes it may have changed, or be gone.
    package struct Entry: Hashable, Sendable {
        package let room: DropZone.Room
        /// The name that the file has now.
        package let name: EntryName
        /// Whether an owner has renamed it away.
        package let isTaken: Bool
        /// The size in bytes, with the holes, because holes are read, too.
        package let size: UInt64
        /// Last change of the contents, in nanoseconds since the epoch.
        package let modified: Int64
        package let inode: UInt64
        /// How many times earlier owners began to collect the drop and did not finish.
        package internal(set) var tries: Int32

        package init(
            room: DropZone.Room = .incoming, name: EntryName, isTaken: Bool = false, size: UInt64, modified: Int64,
            inode: UInt64, tries: Int = 0
        ) {
            self.room = room
            self.name = name
            self.isTaken = isTaken
            self.size = size
            self.modified = modified
            self.inode = inode
            self.tries = Int32(clamping: tries)
        }

        var place: Place { Place(room: room, name: name) }
    }

    /// The facts about a drop, in a slot of its own.
    struct Record {
        enum State: UInt8 {
            /// The slot is free.
            case gone
            /// Handed out; the next look that finds the drop lets it wait again.
            case handedOut
            /// To be put into a line.
            case joining
            case waiting
        }

        fileprivate(set) var entry: Entry
        /// The time of the last change, in nanoseconds since the epoch; not later than when the drop was found.
        fileprivate(set) var age: Int64
        /// The number of the last look that found it.
        fileprivate var look: UInt32
        fileprivate(set) var state = State.joining
        fileprivate(set) var likeness: CrashLikeness
        /// The number of the payload's bytes. For a packed drop it is known only after the drop's first bytes were
        /// looked at.
        fileprivate(set) var byteCount: UInt64
        /// Whether its first bytes were looked at.
        fileprivate(set) var isRead = false

        var isWaiting: Bool { state == .waiting }
    }

    typealias Slot = Int32

    /// Where a drop lies.
    struct Place: Hashable {
        let room: DropZone.Room
        let name: EntryName
    }

    /// A drop with more bytes is large, unless the caller gives another number: 8 MiB.
    package static let largeByteCount: UInt64 = 8 << 20

    /// How many drops wait in both lines.
    package private(set) var count = 0

    private var records: [Record] = []
    private var free: [Slot] = []
    private var slots: [Place: Slot] = [:]
    private var joining: [Slot] = []
    private var small = DropLine()
    private var large = DropLine()
    private var look: UInt32 = 0
    private var now: Int64 = .max

    private let largeByteCount: UInt64

    /// - Parameter largeByteCount: a drop with more bytes is large. The default is 8 MiB.
    package init(largeByteCount: UInt64 = Self.largeByteCount) {
        self.largeByteCount = largeByteCount
    }

    // MARK: - Looking

    /// Begins a look at the drops. The time is on the wall clock, in nanoseconds since the epoch.
    package mutating func beginLook(at now: Int64) {
        look &+= 1
        self.now = now
    }

    /// Notes a drop that the look has found. A drop that waits already, and has not changed, keeps its place.
    /// `likeness` judges the drop by its name. It is called only when the drop is new or has changed.
    package mutating func note(_ entry: Entry, likeness: @autoclosure () -> CrashLikeness = .none) {
        guard let slot = slot(of: entry) else { return add(entry, likeness()) }
        let index = Int(slot)
        records[index].look = look
        if records[index].entry == entry {
            if records[index].state == .handedOut { join(slot) }
            return
        }
        var record = Record(
            entry: entry, age: min(entry.modified, now), look: look, likeness: likeness(), byteCount: entry.size)
        // Tries do not change the contents.
        if records[index].entry.isSameContent(as: entry) {
            record.likeness = records[index].likeness
            record.byteCount = records[index].byteCount
            record.isRead = records[index].isRead
            record.age = records[index].age
        }
        record.state = records[index].state
        records[index] = record
        join(slot)
    }

    /// Ends a look. Drops that the look has not found are forgotten, except drops in rooms that could not be listed.
    package mutating func endLook(besides unlisted: [DropZone.Room] = []) {
        for index in records.indices where records[index].state != .gone && records[index].look != look {
            guard !unlisted.contains(records[index].entry.room) else { continue }
            if records[index].state != .handedOut { count -= 1 }
            set(nil, for: records[index].entry)
            records[index] = Record(
                entry: Self.nothing, age: 0, look: 0, state: .gone, likeness: .none, byteCount: 0)
            free.append(Slot(index))
        }
        guard free.count == records.count else { return }
        (records, free, joining, slots) = ([], [], [], [:])
        small.removeAll()
        large.removeAll()
    }

    private static let nothing = Entry(name: "nothing", size: 0, modified: 0, inode: 0)

    private func slot(of entry: Entry) -> Slot? { slots[entry.place] }

    private mutating func set(_ slot: Slot?, for entry: Entry) { slots[entry.place] = slot }

    private mutating func add(_ entry: Entry, _ likeness: CrashLikeness) {
        var record = Record(
            entry: entry, age: min(entry.modified, now), look: look, likeness: likeness, byteCount: entry.size)
        record.state = .gone
        let slot: Slot
        if let freed = free.popLast() {
            slot = freed
            records[Int(slot)] = record
        } else {
            slot = Slot(records.count)
            records.append(record)
        }
        set(slot, for: entry)
        join(slot)
    }

    private mutating func join(_ slot: Slot) {
        let state = records[Int(slot)].state
        guard state != .joining else { return }
        if state != .waiting { count += 1 }
        records[Int(slot)].state = .joining
        joining.append(slot)
    }

    // MARK: - First bytes

    /// The drops that wait and whose first bytes no look has read, the newest first.
    func unread() -> [Slot] {
        let slots = records.indices.filter { index in
            !records[index].isRead && (records[index].state == .joining || records[index].isWaiting)
        }
        return slots.sorted { records[$0].age > records[$1].age }.map { Slot($0) }
    }

    func entry(in slot: Slot) -> Entry { records[Int(slot)].entry }

    /// Records how much the first bytes of a drop, or its name, look like a crash.
    /// - Parameters:
    ///   - slot: the slot of the drop.
    ///   - likeness: the likeness to a crash.
    ///   - byteCount: the size of the payload of a packed drop; `nil`, the default, for any other drop.
    mutating func judge(_ slot: Slot, _ likeness: CrashLikeness, byteCount: UInt64? = nil) {
        let index = Int(slot)
        let byteCount = max(records[index].entry.size, byteCount ?? 0)
        records[index].isRead = true
        guard records[index].likeness != likeness || records[index].byteCount != byteCount else { return }
        records[index].likeness = likeness
        records[index].byteCount = byteCount
        if records[index].isWaiting { join(slot) }
    }

    // MARK: - Handing out

    /// Whether a drop that looks like a crash waits among those of up to 8 MiB.
    mutating func hasSmallCrash() -> Bool {
        line()
        return small.hasCrash(records)
    }

    /// Whether a look has found the drop, and it has not been handed out since.
    func waits(_ place: Place) -> Bool {
        guard let slot = slots[place] else { return false }
        return records[Int(slot)].state == .joining || records[Int(slot)].isWaiting
    }

    /// The places of all drops that the last look has found.
    var places: some Collection<Place> { slots.keys }

    /// The next drop of up to 8 MiB, which waits no longer; `nil` when none waits.
    package mutating func popSmall() -> Entry? {
        line()
        return small.pop(records).map { hand(out: $0) }
    }

    /// The next drop of more than 8 MiB, which waits no longer; `nil` when none waits.
    package mutating func popLarge() -> Entry? {
        line()
        return large.pop(records).map { hand(out: $0) }
    }

    private mutating func hand(out slot: Slot) -> Entry {
        records[Int(slot)].state = .handedOut
        count -= 1
        return records[Int(slot)].entry
    }

    /// Puts the drops that join into their lines.
    private mutating func line() {
        guard !joining.isEmpty else { return }
        // The slot of a drop that joins may still stand in a line, because an earlier drop had this slot.
        small.removeOthers(than: records)
        large.removeOthers(than: records)
        var (smaller, larger): ([Slot], [Slot]) = ([], [])
        for slot in joining where records[Int(slot)].state == .joining {
            records[Int(slot)].state = .waiting
            if records[Int(slot)].byteCount > largeByteCount { larger.append(slot) } else { smaller.append(slot) }
        }
        joining = []
        small.add(smaller, records)
        large.add(larger, records)
    }
}

extension DropOrder.Entry {
    fileprivate func isSameContent(as other: DropOrder.Entry) -> Bool {
        inode == other.inode && size == other.size && modified == other.modified
    }
}
