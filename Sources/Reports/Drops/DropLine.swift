/// One line of drops: sorted lists of slots, one for each rule by which a drop may be the next.
///
/// A drop that was handed out stays in the other lists until its turn comes there, or until other drops join the line.
struct DropLine {
    private typealias Record = DropOrder.Record
    private typealias Slot = DropOrder.Slot

    /// In each list, the last element is the next drop.
    private var crashes: [Slot] = []
    private var others: [Slot] = []
    private var all: [Slot] = []
    private var begun: [Slot] = []
    private var handedOutCount = 0

    /// Every tenth drop that the line hands out is the oldest drop.
    private static let oldestInterval = 10

    /// The next drop of the line.
    mutating func pop(_ records: [DropOrder.Record]) -> DropOrder.Slot? {
        let isOldestDue = (handedOutCount + 1).isMultiple(of: Self.oldestInterval)
        let slot =
            (isOldestDue ? Self.pop(&all, records) : nil)
            ?? Self.pop(&crashes, records) ?? Self.pop(&others, records) ?? Self.pop(&begun, records)
        if slot != nil { handedOutCount += 1 }
        return slot
    }

    private static func pop(_ list: inout [Slot], _ records: [Record]) -> Slot? {
        while let slot = list.popLast() {
            if records[Int(slot)].isWaiting { return slot }
        }
        return nil
    }

    /// Whether a drop that looks like a crash waits.
    mutating func hasCrash(_ records: [DropOrder.Record]) -> Bool {
        while let slot = crashes.last, !records[Int(slot)].isWaiting { crashes.removeLast() }
        return !crashes.isEmpty
    }

    mutating func removeAll() {
        (crashes, others, all, begun) = ([], [], [], [])
    }

    /// Removes all drops that do not wait.
    mutating func removeOthers(than records: [DropOrder.Record]) {
        crashes.removeAll { !records[Int($0)].isWaiting }
        others.removeAll { !records[Int($0)].isWaiting }
        all.removeAll { !records[Int($0)].isWaiting }
        begun.removeAll { !records[Int($0)].isWaiting }
    }

    /// Adds drops that wait and are not in the line.
    mutating func add(_ slots: [DropOrder.Slot], _ records: [DropOrder.Record]) {
        guard !slots.isEmpty else { return }
        let fresh = slots.filter { records[Int($0)].entry.tries == 0 }
        begun += slots.filter { records[Int($0)].entry.tries > 0 }
        all += fresh
        crashes += fresh.filter { records[Int($0)].likeness > .none }
        others += fresh.filter { records[Int($0)].likeness == .none }
        // The drops that join stand behind the sorted drops. For this order, a merging sort needs little more than
        // linear time.
        crashes.sort { Self.isMoreUrgent($1, $0, records) }
        others.sort { Self.isSmaller($1, $0, records) }
        all.sort { Self.isOlder($1, $0, records) }
        begun.sort { Self.isLessTried($1, $0, records) }
    }

    // MARK: - The rules

    private static func isMoreUrgent(_ left: Slot, _ right: Slot, _ records: [Record]) -> Bool {
        let likeness = (left: records[Int(left)].likeness, right: records[Int(right)].likeness)
        if likeness.left != likeness.right { return likeness.left > likeness.right }
        let age = (left: records[Int(left)].age, right: records[Int(right)].age)
        if age.left != age.right { return age.left > age.right }
        return records[Int(left)].entry.name < records[Int(right)].entry.name
    }

    private static func isSmaller(_ left: Slot, _ right: Slot, _ records: [Record]) -> Bool {
        let size = (left: records[Int(left)].byteCount, right: records[Int(right)].byteCount)
        return size.left != size.right ? size.left < size.right : isOlder(left, right, records)
    }

    private static func isOlder(_ left: Slot, _ right: Slot, _ records: [Record]) -> Bool {
        let age = (left: records[Int(left)].age, right: records[Int(right)].age)
        if age.left != age.right { return age.left < age.right }
        return records[Int(left)].entry.name < records[Int(right)].entry.name
    }

    private static func isLessTried(_ left: Slot, _ right: Slot, _ records: [Record]) -> Bool {
        let tries = (left: records[Int(left)].entry.tries, right: records[Int(right)].entry.tries)
        return tries.left != tries.right ? tries.left < tries.right : isOlder(left, right, records)
    }
}
