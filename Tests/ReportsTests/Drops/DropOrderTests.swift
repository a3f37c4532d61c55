import Diagnosis
import DurableIO
import Reports
import TestSupport
import Testing

@Suite("Order of drops")
struct DropOrderTests {
    private func entry(
        _ name: String, size: UInt64 = 1, modified: Int64 = 0, inode: UInt64 = 1, tries: Int = 0
    ) throws -> DropOrder.Entry {
        DropOrder.Entry(name: try #require(EntryName(name)), size: size, modified: modified, inode: inode, tries: tries)
    }

    private func look(
        _ order: inout DropOrder, _ entries: [DropOrder.Entry], at now: Int64 = .max,
        likeness: (DropOrder.Entry) -> CrashLikeness = { _ in .none }
    ) {
        order.beginLook(at: now)
        for entry in entries { order.note(entry, likeness: likeness(entry)) }
        order.endLook()
    }

    private func small(_ order: inout DropOrder, _ limit: Int = .max) -> [String] {
        var names: [String] = []
        while names.count < limit, let next = order.popSmall() { names.append(next.name.description) }
        return names
    }

    private func large(_ order: inout DropOrder) -> [String] {
        var names: [String] = []
        while let next = order.popLarge() { names.append(next.name.description) }
        return names
    }

    // MARK: - The rules

    @Test("the smallest goes first, of equal ones the oldest")
    func smallest() throws {
        var order = DropOrder()
        look(
            &order,
            [
                try entry("c", size: 3), try entry("b", size: 2, modified: 9), try entry("a", size: 2, modified: 8),
                try entry("0", size: 2, modified: 9),
            ])
        #expect(small(&order) == ["a", "0", "b", "c"])
    }

    @Test("what begins like a crash goes first, then what is named like one, of each the newest")
    func crashes() throws {
        var order = DropOrder()
        let likeness: [String: CrashLikeness] = ["old": .begun, "new": .begun, "named": .named]
        look(
            &order,
            [
                try entry("tiny", size: 0), try entry("old", size: 9, modified: 1),
                try entry("new", size: 9, modified: 2),
                try entry("named", size: 1, modified: 3),
            ]
        ) { likeness[$0.name.description] ?? .none }
        #expect(small(&order) == ["new", "old", "named", "tiny"])
    }

    @Test("each tenth is the oldest, whatever it is, by name where the times are the same")
    func tenth() throws {
        var order = DropOrder()
        let crowd = try (0..<40).map { try entry("crash\($0)", modified: 100 + Int64($0)) }
        let old = try [entry("old-b", size: 1_000, modified: 1), entry("old-a", size: 2_000, modified: 1)]
        look(&order, crowd + old) { $0.name.description.hasPrefix("crash") ? .begun : .none }
        let names = small(&order)
        #expect(names.count == 42)
        #expect(names[9] == "old-a")
        #expect(names[19] == "old-b")
        #expect(names[29] == "crash0")
        #expect(names[0] == "crash39")
    }

    @Test("a time in the future is as old as the look that found the drop")
    func future() throws {
        var order = DropOrder()
        look(&order, [try entry("future", size: 100, modified: .max)], at: 50)
        let crowd = try (0..<30).map { try entry("d\($0)", modified: 60) }
        look(&order, try [entry("future", size: 100, modified: .max)] + crowd, at: 60)
        #expect(small(&order)[9] == "future")
    }

    @Test("large drops are a line of their own, in the same order")
    func largeLine() throws {
        var order = DropOrder()
        let limit = DropOrder.largeByteCount
        look(
            &order,
            [
                try entry("huge", size: limit * 3), try entry("large", size: limit + 1),
                try entry("core", size: limit * 9),
                try entry("small", size: limit),
            ]
        ) { $0.name.description == "core" ? .named : .none }
        #expect(order.count == 4)
        #expect(small(&order) == ["small"])
        #expect(large(&order) == ["core", "large", "huge"])
        #expect(order.count == 0)
    }

    @Test("what earlier lives began and did not finish comes last, fewer tries first, even when it is the oldest")
    func begun() throws {
        var order = DropOrder()
        let limit = DropOrder.largeByteCount
        let others = try (0..<12).map { try entry("d\($0)", size: limit + 2, modified: 10) }
        look(
            &order,
            try [
                entry("twice", size: limit + 1, modified: 1, tries: 2),
                entry("once", size: limit + 1, modified: 2, tries: 1),
            ] + others
        ) { $0.tries > 0 ? .begun : .none }
        let names = large(&order)
        #expect(names.count == 14)
        #expect(names.suffix(2) == ["once", "twice"])
    }

    // MARK: - Looks

    @Test("a drop that waits is not added twice; one that was handed out and is found again waits again")
    func again() throws {
        var order = DropOrder()
        let drop = try entry("a")
        look(&order, [drop])
        look(&order, [drop])
        #expect(small(&order) == ["a"])
        #expect(order.popSmall() == nil)
        look(&order, [drop])
        #expect(small(&order) == ["a"])
    }

    @Test("a drop that a look does not find is forgotten; a look that is not ended forgets nothing")
    func gone() throws {
        var order = DropOrder()
        look(&order, [try entry("a"), try entry("b")])
        look(&order, [try entry("b")])
        #expect(small(&order) == ["b"])
        look(&order, [try entry("c")])
        order.beginLook(at: .max)
        order.note(try entry("d"))
        #expect(small(&order) == ["c", "d"])
        look(&order, [try entry("e")])
        order.beginLook(at: .max)
        order.endLook(besides: [.incoming])
        #expect(order.count == 1)
        order.endLook(besides: [.taken])
        #expect(order.count == 0)
    }

    @Test("a drop that changes takes the place that it has now")
    func changed() throws {
        var order = DropOrder()
        look(&order, [try entry("a", size: 1), try entry("b", size: 2)])
        look(&order, [try entry("a", size: 3), try entry("b", size: 2)])
        #expect(small(&order) == ["b", "a"])
        look(&order, [try entry("a", size: 3), try entry("b", size: 2)])
        look(&order, [try entry("a", size: DropOrder.largeByteCount + 1), try entry("b", size: 2)])
        #expect(small(&order) == ["b"])
        #expect(large(&order) == ["a"])
    }

    @Test("a taken drop and a new one of the same name are two")
    func rooms() throws {
        var order = DropOrder()
        let taken = DropOrder.Entry(room: .taken, name: "a", isTaken: true, size: 1, modified: 0, inode: 1)
        look(&order, [try entry("a"), taken])
        #expect(order.count == 2)
        look(&order, [taken])
        #expect(order.popSmall() == taken)
        #expect(order.popSmall() == nil)
    }

    // MARK: - Properties

    /// What the order should do, said as plainly as possible.
    private struct Model {
        var waiting: [String: DropOrder.Entry] = [:]
        var likeness: [String: CrashLikeness] = [:]
        var handedOut = 0

        mutating func next() -> DropOrder.Entry? {
            let all = Array(waiting.values)
            let oldest = all.min { ($0.modified, $0.name) < ($1.modified, $1.name) }
            let crash = all.filter { of($0) > .none }.min {
                (of($1).rawValue, $1.modified, $0.name) < (of($0).rawValue, $0.modified, $1.name)
            }
            let smallest = all.min { ($0.size, $0.modified, $0.name) < ($1.size, $1.modified, $1.name) }
            guard let next = (handedOut % 10 == 9 ? oldest : nil) ?? crash ?? smallest else { return nil }
            handedOut += 1
            return waiting.removeValue(forKey: next.name.description)
        }

        private func of(_ entry: DropOrder.Entry) -> CrashLikeness { likeness[entry.name.description] ?? .none }
    }

    @Test(
        "whatever comes, goes and is handed out, the order is the one that was said", arguments: 1...20 as ClosedRange)
    func property(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var order = DropOrder()
        var model = Model()
        var present: [String: DropOrder.Entry] = [:]
        for round in 0..<40 {
            for _ in 0..<Int.random(in: 0...15, using: &generator) {
                let name = "drop\(Int.random(in: 0..<60, using: &generator))"
                if Bool.random(using: &generator), present[name] != nil {
                    present[name] = nil
                    model.waiting[name] = nil
                } else if present[name] == nil {
                    let drop = try entry(
                        name, size: .random(in: 0...5, using: &generator),
                        modified: .random(in: 0...Int64(round + 1), using: &generator),
                        inode: .random(in: 0 ... .max, using: &generator))
                    present[name] = drop
                    model.likeness[name] = CrashLikeness(rawValue: .random(in: 0...2, using: &generator))
                }
            }
            look(&order, present.values.shuffled(using: &generator)) { model.likeness[$0.name.description] ?? .none }
            model.waiting = present
            #expect(order.count == present.count)
            for _ in 0..<Int.random(in: 0...20, using: &generator) {
                let next = order.popSmall()
                #expect(next == model.next())
                // A drop that was taken is gone; some stay where they are.
                if let next, Bool.random(using: &generator) { present[next.name.description] = nil }
            }
        }
    }

    @Test(
        "with smaller and newer crashes coming without end, every drop has its turn", arguments: [1, 2, 3] as [UInt64])
    func noStarvation(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var order = DropOrder()
        var present: Set<DropOrder.Entry> = []
        var patient = Set((0..<20).map { "patient\($0)" })
        for name in patient {
            present.insert(try entry(name, size: 1_000, modified: .random(in: 0...9, using: &generator)))
        }
        for round in 0..<200 {
            // As many come as are taken.
            for number in 0..<2 { present.insert(try entry("crash\(round)-\(number)", modified: Int64(10 + round))) }
            look(&order, Array(present)) { $0.name.description.hasPrefix("crash") ? .begun : .none }
            for _ in 0..<2 {
                guard let next = order.popSmall() else { break }
                present.remove(next)
                patient.remove(next.name.description)
            }
        }
        #expect(patient.isEmpty)
    }
}
